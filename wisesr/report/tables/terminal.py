"""The matrix of a table for the terminal."""

from __future__ import annotations

from rich import box
from rich.markup import escape
from rich.table import Table

from wisesr.report.study import ReportTable
from wisesr.report.tables.content import Grid, Text, matrix, split

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
    places = [text for row in grid.rows for text in (cell.text for cell in row[grid.names :])]
    widest = max(map(len, [*grid.header[grid.names :], *places]))
    parts = split(grid, max(1, (width - _name_width(grid)) // (min(widest, _PLACE) + _GAP)))
    titles = [table.title] + [f"{table.title}, continued"] * (len(parts) - 1)
    return [_rendered(title, part) for title, part in zip(titles, parts, strict=True)]


def _name_width(grid: Grid) -> int:
    texts = [[grid.header[index], *(row[index].text for row in grid.rows)] for index in range(grid.names)]
    return sum(min(_FIRST // grid.names, max(map(len, column))) + _GAP for column in texts)


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
