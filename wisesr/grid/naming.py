"""The columns that name cells in a table; on a narrow terminal, what is the same in all rows stands above it instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.markup import escape

from wisesr.grid.cell_dirs import Cell
from wisesr.terminal import Column

NARROW = 120
"""Columns of a terminal below which what all cells share has no column of its own."""


class CellNames(NamedTuple):
    """How a table names its cells."""

    title: str
    """What all cells share and no column says, in markup; may be empty."""
    columns: list[Column]
    rows: list[list[str]]
    """Of each cell, what goes into these columns, in markup."""


def cell_names(cells: Sequence[Cell], width: int) -> CellNames:
    """What names cells, at least one, in a table for a terminal of `width` characters."""
    names = [_names(cell) for cell in cells]
    values = {column: {row[column] for row in names} for column in names[0]}
    always = () if width < NARROW and len(cells) > 1 else ("dataset", "backbone", "head")
    shown = [column for column, texts in values.items() if len(texts) > 1 or column in always]
    alone = [escape(next(iter(values[column]))) for column in ("dataset", "backbone", "head") if column not in shown]
    columns = [Column(column, name=True) for column in shown]
    return CellNames(" ".join(alone), columns, [[escape(row[column]) for column in shown] for row in names])


def _names(cell: Cell) -> dict[str, str]:
    """The texts of a cell by their column."""
    return {
        "study": cell.config["study"],
        "dataset": cell.dataset,
        "backbone": cell.config["backbone"]["name"],
        "head": cell.config["head"]["name"],
        "settings": cell.settings,
    }
