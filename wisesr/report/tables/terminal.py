"""A study for the terminal: where its cells stand, each table with its distance to published figures, what it shows."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wisesr.report.ranking import rankings
from wisesr.report.study import LeftOut, ReportCell
from wisesr.report.tables.claims_terminal import print_claims
from wisesr.report.tables.grid import Grid, Text, matrix_grid, published_grid, split, widths
from wisesr.report.tables.ranking_sentences import found_sentences
from wisesr.report.tables.sentences import PAPER, study_states
from wisesr.report.tables.table_content import TableContent, table_content
from wisesr.report.whole_study import Study
from wisesr.wording import count_of, some_of

_GAP = 2
"""Blanks between columns."""
_FIRST = 28
"""Width of all names together; longer ones are folded."""
_PLACE = 20
"""Widest column of figures."""
_REASONS = 12
"""Named where no cell is finished."""


def print_study(study: Study, console: Console) -> None:
    """The tables, what is wrong with them, and what they show."""
    console.print(f"{study_states(study)}\n", markup=False)
    for block in study.claims:
        print_claims(block, console)
    for table in study.tables:
        content = table_content(table)
        for part in matrix_tables(content, console.width):
            console.print(part)
        for sentence in table.warnings:
            console.print(f"[red]{escape(sentence)}[/red]")
        selections = f"{'; '.join(table.selections)}." if table.selections else ""
        caveat = PAPER if table.protocol == "paper" and table.entries else ""
        for sentence in filter(None, (selections, caveat, content.verdict)):
            console.print(escape(sentence))
        console.print()
    for sentence in found_sentences(rankings(study)):
        console.print(f"{escape(sentence)}\n")


def unfinished(study: Study) -> str:
    """Where the cells of a study stand of which none is finished, in lines: a cell of each state and reason."""
    names: dict[tuple[str, str], list[str]] = {}
    cells: list[ReportCell | LeftOut] = [*study.cells, *study.damaged]
    for cell in cells:
        names.setdefault((cell.state, cell.reason), []).append(cell.name)
    lines = [f"nothing to report yet, as no cell is finished ({study_states(study)}):"]
    for (state, reason), own in sorted(names.items(), key=lambda item: -len(item[1]))[:_REASONS]:
        lines.append(f"  {state}: {some_of(own, 1)}{f': {reason}' if reason else ''}")
    if len(names) > _REASONS:
        lines.append(f"  and {count_of(len(names) - _REASONS, 'other reason')}")
    return "\n".join(lines)


def matrix_tables(content: TableContent, width: int) -> list[Table]:
    """Backbones by heads, then published figures; heads that do not fit the width, in characters, go to further tables."""
    grid, title = matrix_grid(content), content.table.title
    if not grid.rows:
        return []
    widest = max(widths(grid)[grid.names :])
    parts = split(grid, max(1, (width - _name_width(grid)) // (min(widest, _PLACE) + _GAP)))
    titles = [title] + [f"{title}, continued"] * (len(parts) - 1)
    tables = [_drawn(own, part) for own, part in zip(titles, parts, strict=True)]
    published = published_grid(content)
    return tables + ([_drawn(f"{title}, published", published)] if published is not None else [])


def _name_width(grid: Grid) -> int:
    return sum(min(_FIRST // grid.names, width) + _GAP for width in widths(grid)[: grid.names])


def _drawn(title: str, grid: Grid) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=escape(title), title_justify="left", title_style="bold")
    for index, column in enumerate(grid.columns):
        if index < grid.names:
            table.add_column(escape(column.title), overflow="fold", max_width=_FIRST // grid.names)
        else:
            table.add_column(escape(column.title), justify="right", overflow="fold", max_width=_PLACE)
    for row in grid.rows:
        table.add_row(*map(_cell, row))
    return table


def _cell(cell: Text) -> str:
    return f"[bold]{escape(cell.text)}[/bold]" if cell.bold else escape(cell.text)
