"""What differs beyond the axes of a table, in sentences that name the values and the cells."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from wisesr.axes import leaves
from wisesr.report.study import ReportCell

_SHOWN = 4
"""Cells named in a sentence."""
_ABSENT = "none"

Read = Callable[[Mapping[str, Any]], Any]


def table_warnings(cells: Sequence[ReportCell]) -> list[str]:
    """What all cells of a table must share and do not; in red.

    Args:
        cells: finished ones, of a table.
    """
    found = [
        _unlike(f"Not the same version of {name}", cells, lambda record, name=name: _part(record, "versions").get(name))
        for name in sorted({name for cell in cells for name in _part(_record(cell), "versions")})
    ]
    found.append(_unlike("Not the same code of wisesr", cells, lambda record: record["provenance"]["source"]))
    edited = [cell for cell in cells if len(set(_record(cell)["provenance"]["sources"])) > 1]
    if edited:
        found.append(f"The code was changed between the attempts of {_names(edited)}.")
    found.append(_unlike("Epochs were not chosen in the same way", cells, lambda record: record["selection"]))
    return [sentence for sentence in found if sentence]


def group_warnings(name: str, cells: Sequence[ReportCell]) -> list[str]:
    """What the cells of one backbone and settings must share and do not; in red.

    Args:
        name: of the group, `resnet50`.
        cells: finished ones, of the group.
    """
    found = [
        _unlike(f"{name}: images were not normalised in the same way", cells, lambda record: _part(record, "inputs")),
        _unlike(f"{name}: not the same initial weights", cells, lambda record: _part(record, "weights")),
        _unlike(
            f"{name}: not the same number of training images", cells, lambda record: _part(record, "data")["images"]["train"]
        ),
        _unlike(f"{name}: not the same budget", [cell for cell in cells if not _out_of_patience(cell)], _budget),
    ]
    return [sentence for sentence in found if sentence]


def table_notes(cells: Sequence[ReportCell]) -> list[str]:
    """What a reader should know of a table's cells.

    Args:
        cells: finished ones, of a table.
    """
    hardware = leaves({str(index): _part(_record(cell), "hardware") for index, cell in enumerate(cells)})
    names = sorted({name.partition(".")[2] for name in hardware})
    reads: dict[str, Read] = {"threads": lambda record: record["provenance"]["threads"]}
    reads |= {name: lambda record, name=name: _part(record, "hardware").get(name) for name in names}
    found = [
        _unlike(
            f"Last bits of figures, and times, may differ for another reason than the heads: not the same {name}", cells, read
        )
        for name, read in reads.items()
    ]
    unread = sorted({image for cell in cells for image in _part(_record(cell), "data")["left_out"]})
    if unread:
        more = f" and {len(unread) - _SHOWN} more" if len(unread) > _SHOWN else ""
        found.append(f"Images that could not be read were left out of all cells: {', '.join(unread[:_SHOWN])}{more}.")
    early = [cell for cell in cells if _out_of_patience(cell)]
    if early:
        found.append(f"Training ended early, as recipe.patience asks for, in {_names(early)}.")
    return [sentence for sentence in found if sentence]


def _unlike(what: str, cells: Sequence[ReportCell], read: Read) -> str:
    """A sentence with each value and its cells, the rarer ones named; empty where there is one value.

    `what: 2.14.1 in 18 cells, 2.13.0 in 2 (resnet18 wise seed 3, resnet18 wise seed 4).`
    """
    having: dict[str, list[ReportCell]] = {}
    for cell in cells:
        having.setdefault(_text(read(_record(cell))), []).append(cell)
    if len(having) < 2:
        return ""
    (most, first), *others = sorted(having.items(), key=lambda item: (-len(item[1]), item[0]))
    parts = [f"{most} in {_cells(first)}"] + [f"{text} in {len(own)} ({_names(own)})" for text, own in others]
    return f"{what}: {', '.join(parts)}."


def _cells(cells: Sequence[ReportCell]) -> str:
    return f"{len(cells)} cell{'s' * (len(cells) > 1)}"


def _names(cells: Iterable[ReportCell]) -> str:
    """`resnet18 wise seed 3, ...`: the first few of them, and how many more."""
    names = [called(cell) for cell in cells]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def called(cell: ReportCell) -> str:
    """A cell within its table: `resnet18 wise lr=0.1 seed 3`."""
    place = cell.place
    return " ".join(part for part in (place.backbone, place.settings, place.head, place.rate, f"seed {place.seed}") if part)


def _record(cell: ReportCell) -> Mapping[str, Any]:
    assert cell.record is not None
    return cell.record


def _part(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part: Mapping[str, Any] = record["provenance"][name]
    return part


def _budget(record: Mapping[str, Any]) -> str:
    budget = record["budget"]
    stopped = f", then {budget['stopped']}" if budget["stopped"] else ""
    return f"{budget['trained_epochs']} epochs of {budget['steps']} steps in all{stopped}"


def _out_of_patience(cell: ReportCell) -> bool:
    """Whether a rule that is the same for all heads of the group ended training: their epochs then differ as they should."""
    return bool(_record(cell)["budget"]["stopped"] == "patience")


def _text(value: object) -> str:
    """Short; hashes by their first digits."""
    if value is None:
        return _ABSENT
    if isinstance(value, Mapping):
        known = {name: one for name, one in value.items() if one is not None}
        return ", ".join(f"{name} {_text(one)}" for name, one in known.items()) or _ABSENT
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    text = value if isinstance(value, str) else json.dumps(value)
    return re.sub(r"\b([0-9a-f]{12})[0-9a-f]{28,52}\b", r"\1", text)
