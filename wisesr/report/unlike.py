"""Sentences on what cells do not share: each value with its cells."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from wisesr.report.study import ReportCell
from wisesr.results.record import Record
from wisesr.wording import count_of, some_of

SHOWN = 4
"""Cells named in a sentence."""
ABSENT = "none"

ReadRecord = Callable[[Record], Any]
"""What is compared, out of a cell's record."""


def unlike(what: str, cells: Sequence[ReportCell], read: ReadRecord) -> str:
    """A sentence with each value of a record and its cells; empty where all have one."""
    return compared(what, cells, [text_of(read(cell.finished_record)) for cell in cells])


def compared(what: str, cells: Sequence[ReportCell], values: Sequence[str]) -> str:
    """A sentence with each value and its cells, the rarer ones named; empty where there is one value.

    `what: 2.14.1 in 18 cells, 2.13.0 in 2 (resnet18 wise seed 3, resnet18 wise seed 4).`
    """
    having: dict[str, list[ReportCell]] = {}
    for cell, value in zip(cells, values, strict=True):
        having.setdefault(value, []).append(cell)
    if len(having) < 2:
        return ""
    (most, first), *others = sorted(having.items(), key=lambda item: (-len(item[1]), item[0]))
    parts = [f"{most} in {count_of(len(first), 'cell')}"] + [f"{text} in {len(own)} ({names(own)})" for text, own in others]
    return f"{what}: {', '.join(parts)}."


def names(cells: Iterable[ReportCell]) -> str:
    """`resnet18 wise seed 3, ...`: the first few of them, and how many more."""
    return some_of([cell.place.label for cell in cells], SHOWN)


def text_of(value: object) -> str:
    """Short; hashes by their first digits."""
    if value is None:
        return ABSENT
    if isinstance(value, Mapping):
        present = [f"{name} {text_of(part)}" for name, part in value.items() if part is not None]
        return ", ".join(present) or ABSENT
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return f"[{', '.join(map(text_of, value))}]"
    text = value if isinstance(value, str) else json.dumps(value)
    return re.sub(r"\b([0-9a-f]{12})[0-9a-f]{28,52}\b", r"\1", text)
