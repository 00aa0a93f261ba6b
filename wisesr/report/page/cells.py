"""All cells of a study for the page: a row each, and what opens when one is asked for."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from wisesr.config.axes import leaves
from wisesr.report.page.pack import pack
from wisesr.report.page.words import last_top1
from wisesr.report.study import ReportCell
from wisesr.results.metrics import read_metrics
from wisesr.results.record import LOG

LONGEST = 20_000
"""Characters of a log that the page carries; of longer ones the beginning and the end."""

_PLACES = ("study", "dataset", "size", "protocol", "backbone", "settings", "head", "rate", "seed")
_CURVE = ("epoch", "train/loss", "val/loss", "val/top1")
_PERCENT = ("top1", "top5", "macro_f1", "ece")


class Column(NamedTuple):
    """Of the cells' table."""

    name: str
    title: str
    number: bool


class CellRow(NamedTuple):
    """Of the cells' table."""

    name: str
    short: str
    """The last part of its name: where it stands is told by the columns."""
    state: str
    texts: tuple[str, ...]
    """In the order of the columns."""
    detail: str
    """Packed."""


class Cells(NamedTuple):
    """The cells' table."""

    columns: tuple[Column, ...]
    rows: tuple[CellRow, ...]
    shared: str
    """What all cells have in common, `toy, 64 px, holdout`, and no column tells."""
    states: tuple[tuple[str, int], ...]
    """How many cells are in each state."""


def arrange_cells(cells: Sequence[ReportCell]) -> Cells:
    """The table of all cells, finished or not."""
    varying = [name for name in _PLACES if len({getattr(cell.place, name) for cell in cells}) > 1 or name == "seed"]
    columns = [Column(name, "px" if name == "size" else name, name in ("size", "seed")) for name in varying]
    columns += [Column("epoch", "epoch", True), Column("val", "val top-1", True), Column("test", "test top-1", True)]
    last = any(cell.place.protocol == "paper" for cell in cells)
    columns += [Column("last", "test, last epoch", True)] * last
    columns.append(Column("state", "state", False))
    rows = tuple(
        CellRow(cell.name, cell.name.rpartition("/")[2], cell.state, _texts(cell, varying, last), pack(_detail(cell)))
        for cell in cells
    )
    states: dict[str, int] = {}
    for cell in cells:
        states[cell.state] = states.get(cell.state, 0) + 1
    return Cells(tuple(columns), rows, _shared(cells, varying), tuple(sorted(states.items(), key=_order)))


def _order(state: tuple[str, int]) -> tuple[bool, str]:
    return state[0] != "done", state[0]


def _shared(cells: Sequence[ReportCell], varying: Sequence[str]) -> str:
    if not cells:
        return ""
    place = cells[0].place
    told = {name: str(getattr(place, name)) for name in _PLACES if name not in varying}
    if "size" in told:
        told["size"] += " px"
    return ", ".join(text for text in told.values() if text)


def _texts(cell: ReportCell, varying: Iterable[str], last: bool) -> tuple[str, ...]:
    place = [str(getattr(cell.place, name)) for name in varying]
    if cell.record is None:
        return (*place, *[""] * (3 + last), cell.state)
    best = cell.record["metrics"]["best"]
    figures = [f"{best['epoch']:g}", f"{100 * best['val/top1']:.2f}", f"{cell.top1:.2f}"]
    ended = last_top1(cell) if cell.place.protocol == "paper" else None
    return (*place, *figures, *["" if ended is None else f"{ended:.2f}"] * last, cell.state)


def _detail(cell: ReportCell) -> dict[str, Any]:
    """What opens, as JSON."""
    return {
        "name": cell.name,
        "directory": str(cell.directory),
        "state": cell.state,
        "reason": cell.reason,
        "seen": "test" if cell.place.protocol == "paper" else "validation",
        "result": _result(cell.record) if cell.record else [],
        "curve": _curve(cell.directory),
        "config": _text(cell.directory / "config.yaml"),
        "log": clipped(_text(cell.directory / LOG)),
        "provenance": _lines(cell.record["provenance"]) if cell.record else [],
    }


def _result(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and values: the figures of the chosen epoch, how it was chosen, what was trained, what it cost."""
    rows = [("selection", str(record.get("selection", "")))]
    rows += [(name, _figure(name, value)) for name, value in record["metrics"]["best"].items()]
    rows += [(f"last.{name}", _figure(name, value)) for name, value in record["metrics"]["last"].items()]
    for part in ("budget", "cost"):
        rows += _lines(record.get(part, {}), f"{part}.")
    return rows


def _figure(name: str, value: Any) -> str:
    if name.rpartition("/")[2] in _PERCENT and isinstance(value, (int, float)):
        return f"{100 * value:.2f} %"
    return _value(value)


def _lines(values: Any, before: str = "") -> list[tuple[str, str]]:
    if not isinstance(values, dict):
        return []
    return [(name, _value(value)) for name, value in leaves(values, before).items()]


def _value(value: Any) -> str:
    if isinstance(value, bool) or value is None or isinstance(value, list):
        return json.dumps(value)
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) >= 1000 else f"{value:.6g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _curve(directory: Path) -> list[list[float | None]]:
    """Rows of epoch, training loss, validation loss, validation top-1 in percent."""
    try:
        rows = read_metrics(directory)
    except (OSError, ValueError, TypeError, csv.Error):  # a damaged file costs its curve
        return []
    found = [[_finite(row.get(name)) for name in _CURVE] for row in rows]
    return [[*row[:3], None if row[3] is None else round(100 * row[3], 3)] for row in found if row[0] is not None]


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def clipped(text: str, longest: int = LONGEST) -> str:
    """A text, or its first and last lines with a line between them that tells what is not shown."""
    if len(text) <= longest:
        return text
    half = longest // 2
    head, tail = text[:half].rpartition("\n"), text[-half:].partition("\n")
    first, last = head[0] or text[:half], tail[2] or text[-half:]
    return f"{first}\n\n[{len(text) - len(first) - len(last):,} characters are not shown here]\n\n{last}"
