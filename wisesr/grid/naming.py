"""The columns that name cells in a table; on a narrow terminal, what is the same in all rows stands above it instead."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.markup import escape
from rich.table import Table

from wisesr.grid.cell_dirs import Cell

NARROW = 120
"""Columns of a terminal below which names would be broken into pieces."""


def name_columns(cells: Sequence[Cell], width: int) -> tuple[Table, list[list[str]]]:
    """Begin a table of cells, at least one, for a terminal of `width` characters.

    Returns:
        A table whose first columns name cells, still without rows; of each cell, what goes into these columns.
    """
    names = [_names(cell) for cell in cells]
    values = {column: {row[column] for row in names} for column in names[0]}
    always = () if width < NARROW and len(cells) > 1 else ("dataset", "backbone", "head")
    shown = [column for column, texts in values.items() if len(texts) > 1 or column in always]
    alone = [escape(next(iter(values[column]))) for column in ("dataset", "backbone", "head") if column not in shown]
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), title=" ".join(alone) or None, title_justify="left"
    )
    table.title_style = "none"
    for column in shown:
        table.add_column(column, overflow="fold")
    return table, [[escape(row[column]) for column in shown] for row in names]


def _names(cell: Cell) -> dict[str, str]:
    """The texts of a cell by their column."""
    return {
        "study": cell.config["study"],
        "dataset": cell.dataset,
        "backbone": cell.config["backbone"]["name"],
        "head": cell.config["head"]["name"],
        "settings": cell.settings,
    }
