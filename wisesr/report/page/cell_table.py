"""All cells of a study for the page: a row each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from wisesr.report.page.formatting import last_top1
from wisesr.report.study import ReportCell
from wisesr.report.tables.sentences import by_state
from wisesr.results.state import State

_PLACES = ("study", "dataset", "size", "protocol", "backbone", "settings", "head", "rate", "seed")


class Column(NamedTuple):
    """A column of the table of cells: its title, and whether it holds numbers."""

    title: str
    number: bool


class CellRow(NamedTuple):
    """A cell as a row."""

    cell: ReportCell
    texts: tuple[str, ...]
    """In the order of the columns."""


class CellTable(NamedTuple):
    """Columns and rows, and what the choice above them offers."""

    columns: tuple[Column, ...]
    rows: tuple[CellRow, ...]
    shared: str
    """What all cells have in common, `toy, 64 px, holdout`, and no column tells."""
    states: tuple[tuple[State, int], ...]
    """How many cells are in each state."""


def cell_table(cells: Sequence[ReportCell], order: Sequence[str]) -> CellTable:
    """The table of all cells, finished or not; `order` is of all heads, as of `figures.style.head_order`."""
    cells = sorted(cells, key=lambda cell: _row_key(cell, order))
    varying = [name for name in _PLACES if len({getattr(cell.place, name) for cell in cells}) > 1 or name == "seed"]
    with_last = any(cell.place.protocol == "paper" for cell in cells)
    columns = [Column("px" if name == "size" else name, name in ("size", "seed")) for name in varying]
    columns += [Column(title, True) for title in ("epoch", "val top-1", "test top-1")]
    columns += [Column("test top-1, last epoch", True)] * with_last
    columns.append(Column("state", False))
    rows = (
        CellRow(cell, (*(str(getattr(cell.place, name)) for name in varying), *_figures(cell, with_last), cell.state))
        for cell in cells
    )
    return CellTable(tuple(columns), tuple(rows), _shared(cells, varying), tuple(by_state(cell.state for cell in cells)))


def _row_key(cell: ReportCell, order: Sequence[str]) -> tuple[Any, ...]:
    """Cells by their places, with heads in the order that they have elsewhere."""
    head = cell.place.head
    known = order.index(head) if head in order else len(order)
    return cell.place.study, cell.place._replace(head=f"{known:05} {head}"), cell.name


def _shared(cells: Sequence[ReportCell], varying: Iterable[str]) -> str:
    if not cells:
        return ""
    texts = {name: str(getattr(cells[0].place, name)) for name in _PLACES if name not in varying}
    if "size" in texts:
        texts["size"] += " px"
    return ", ".join(filter(None, texts.values()))


def _figures(cell: ReportCell, with_last: bool) -> list[str]:
    """Chosen epoch, validation and test top-1, and the test top-1 of the last epoch; empty of a cell without a record."""
    if cell.record is None:
        return [""] * (3 + with_last)
    figures = [f"{cell.record.best.epoch}", f"{100 * cell.record.best.val_top1:.2f}", f"{cell.top1:.2f}"]
    last = last_top1(cell) if cell.place.protocol == "paper" else None
    return [*figures, *["" if last is None else f"{last:.2f}"] * with_last]
