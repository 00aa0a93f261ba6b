"""The matrix of a table for the terminal, and its distance to published figures."""

from __future__ import annotations

from rich import box
from rich.markup import escape
from rich.table import Table

from wisesr.report.study import ReportTable
from wisesr.report.tables.content import Grid, Text, matrix, published, split, widths

_GAP = 2
"""Blanks between columns."""
_FIRST = 28
"""Width of all names together; longer ones are folded."""
_PLACE = 20
"""Widest column of figures."""


def terminal(table: ReportTable, width: int = 80) -> list[Table]:
    """Backbones by heads; heads that do not fit go to further tables.

    Args:
        table: of the study.
        width: of the terminal, in characters.
    """
    grid = matrix(table)
    if not grid.rows:
        return []
    widest = max(widths(grid)[grid.names :])
    parts = split(grid, max(1, (width - _name_width(grid)) // (min(widest, _PLACE) + _GAP)))
    titles = [table.title] + [f"{table.title}, continued"] * (len(parts) - 1)
    held = published(table)
    return [_rendered(title, part) for title, part in zip(titles, parts, strict=True)] + (
        [_rendered(f"{table.title}, published", held)] if held is not None else []
    )


def _name_width(grid: Grid) -> int:
    return sum(min(_FIRST // grid.names, width) + _GAP for width in widths(grid)[: grid.names])


def _rendered(title: str, grid: Grid) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=escape(title), title_justify="left", title_style="bold")
    for index, name in enumerate(grid.header):
        if index < grid.names:
            table.add_column(escape(name), overflow="fold", max_width=_FIRST // grid.names)
        else:
            table.add_column(escape(name), justify="right", overflow="fold", max_width=_PLACE)
    for row in grid.rows:
        table.add_row(*map(_cell, row))
    return table


def _cell(cell: Text) -> str:
    return f"[bold]{escape(cell.text)}[/bold]" if cell.bold else escape(cell.text)
