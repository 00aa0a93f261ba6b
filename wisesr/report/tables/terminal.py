"""A study for the terminal: where its cells stand, each table with its distance to published figures, what it shows."""

from __future__ import annotations

import re

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wisesr.report.ranking import rankings
from wisesr.report.study import LeftOut, ReportCell
from wisesr.report.tables.claims_terminal import print_claims
from wisesr.report.tables.grid import Grid, Text, matrix_grid, published_grid
from wisesr.report.tables.ranking_sentences import found_sentences
from wisesr.report.tables.sentences import PAPER, STAR, study_states
from wisesr.report.tables.table_content import TableContent, table_content
from wisesr.report.whole_study import Study
from wisesr.results.left_alone import LeftAlone, left_alone_lines
from wisesr.terminal import Column, state_markup, tables, tell
from wisesr.wording import count_of, some_of

_REASONS = 12
"""Named where no cell is finished."""


def print_study(study: Study, console: Console) -> None:
    """What is known in sentences, then the tables, each below what it shows and what is wrong with it."""
    console.print(_states(study), soft_wrap=True)
    for line in _left_alone(study):
        tell(console, line, "red")
    console.print()
    for block in study.claims:
        print_claims(block, console)
    for sentence in found_sentences(rankings(study)):
        tell(console, f"{sentence}\n")
    for table in study.tables:
        content = table_content(table)
        tell(console, table.title, "bold")
        if content.verdict:
            tell(console, content.verdict)
        for sentence in table.warnings:
            tell(console, sentence, "red")
        for part in matrix_tables(content, console.width):
            console.print(part, crop=False)
        selections = f"Epochs: {'; '.join(table.selections)}." if table.selections else ""
        caveat = PAPER if table.protocol == "paper" and table.entries else ""
        for sentence in filter(None, (_legend(content), selections, caveat)):
            tell(console, sentence)
        console.print()


def _states(study: Study) -> str:
    """`20 cells: 14 done, 2 training`, each state in its colour."""
    total, _, states = study_states(study).partition(": ")
    return f"{total}: {', '.join(map(state_markup, states.split(', ')))}"


def _left_alone(study: Study) -> list[str]:
    """What is wrong with damaged cells, and with those of a newer version, and the way out of the first."""
    cells: list[ReportCell | LeftOut] = [*study.cells, *study.damaged]
    own = [LeftAlone(cell.name, None, cell.state, cell.reason) for cell in cells if cell.state.is_left_alone]
    return left_alone_lines(own, more="the page and `wisesr status` name them")


def _legend(content: TableContent) -> str:
    """What stands at a place of a table."""
    entries = content.table.entries
    best = "bold: the best of its row" if any(entry.best for entry in entries) else ""
    star = "green star: significant" if any(entry.difference and entry.difference.significant for entry in entries) else ""
    means = f"Test {content.table.metric.title}: mean \N{PLUS-MINUS SIGN} standard deviation (seeds)"
    return "; ".join(filter(None, (means, best, star))) + "." if entries else ""


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
    parts = _drawn(grid, width)
    for part in parts[1:]:
        part.title = escape(f"{title}, continued")
    published = published_grid(content)
    return parts + (_drawn(published, width, f"{title}, published") if published is not None else [])


def _drawn(grid: Grid, width: int, title: str = "") -> list[Table]:
    columns = [Column(column.title, name=index < grid.names) for index, column in enumerate(grid.columns)]
    rows = [[_cell(cell, name=index < grid.names) for index, cell in enumerate(row)] for row in grid.rows]
    return tables(columns, rows, width, title=escape(title))


def _cell(cell: Text, *, name: bool) -> str:
    """Markup: the best bold, a star green, states in their colours; what a comma parts stands on lines of its own."""
    if name:
        return escape(cell.text)
    if re.match(r"\d+ [a-z]", cell.text):
        return "\n".join(map(state_markup, cell.text.split(", ")))
    figure, star, after = cell.text.partition(STAR)
    text = escape(figure) + f"[bold green]{star}[/]" * bool(star) + escape(after.replace(", ", ",\n"))
    text = text.replace(", last", ",\nlast")
    return f"[bold]{text}[/bold]" if cell.bold else text
