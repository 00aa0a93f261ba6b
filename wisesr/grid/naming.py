"""The columns that name cells in a table; on a narrow terminal, what is the same in all rows stands above it instead."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.markup import escape
from rich.table import Table

from wisesr.grid.cell_dirs import Cell

NARROW = 120
"""Columns of a terminal below which names would be broken into pieces."""

_COLUMNS = ("study", "dataset", "backbone", "head", "settings")


def name_columns(cells: Sequence[Cell], width: int) -> tuple[Table, list[list[str]]]:
    """Begin a table of cells.

    Args:
        cells: a row each; some may share one.
        width: of the terminal, characters.

    Returns:
        A table whose first columns name cells, still without rows; of each cell, what goes into these columns.
    """
    names = [_names(cell) for cell in cells]
    values = {column: {row[index] for row in names} for index, column in enumerate(_COLUMNS)}
    several = [column for column in _COLUMNS if len(values[column]) > 1]
    always = () if width < NARROW and len(cells) > 1 else ("dataset", "backbone", "head")
    shown = [column for column in _COLUMNS if column in several or column in always]
    alone = [escape(next(iter(values[column]))) for column in ("dataset", "backbone", "head") if column not in shown]
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), title=" ".join(alone) or None, title_justify="left"
    )
    table.title_style = "none"
    for column in shown:
        table.add_column(column, overflow="fold")
    return table, [[escape(row[_COLUMNS.index(column)]) for column in shown] for row in names]


def _names(cell: Cell) -> tuple[str, ...]:
    """Of a cell, the texts of `_COLUMNS`."""
    config = cell.config
    return config["study"], cell.dataset, config["backbone"]["name"], config["head"]["name"], cell.settings
