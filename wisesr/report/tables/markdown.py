"""`tables.md`: every table of a study, and all that is to be said of it."""

from __future__ import annotations

import re

from wisesr.report.study import ReportTable, Study
from wisesr.report.tables.content import Grid, differences, how, left_out, matrix, rates


def markdown(study: Study) -> str:
    """All tables as Markdown (with GitHub's tables)."""
    blocks = ["# Results", *(block for table in study.tables for block in _table(table))]
    if study.damaged:
        blocks += ["## Cells that are in no table", _list([f"{one.name}: {one.state}, {one.reason}" for one in study.damaged])]
    return "\n\n".join(blocks) + "\n"


def _table(table: ReportTable) -> list[str]:
    grid = matrix(table)
    blocks = [f"## {escape(table.title)}"]
    blocks += [f"> **Warning:** {escape(sentence)}" for sentence in table.warnings]
    blocks.append(escape(" ".join(how(table))))
    blocks += [_grid(grid)] if grid.rows else []
    for part in (differences(table), rates(table)):
        blocks += [_grid(part)] if part is not None else []
    blocks += [_list(table.notes)] if table.notes else []
    if table.left_out:
        blocks += [
            "Not in the table:",
            _list([f"{reason} ({len(names)}): {', '.join(names)}" for reason, names in left_out(table)]),
        ]
    return blocks


def _list(lines: tuple[str, ...] | list[str]) -> str:
    return "\n".join(f"- {escape(line)}" for line in lines)


def _grid(grid: Grid) -> str:
    align = [":---"] * grid.names + ["---:"] * (len(grid.header) - grid.names)
    lines = [[escape(name) for name in grid.header], align]
    lines += [[f"**{escape(cell.text)}**" if cell.bold else escape(cell.text) for cell in row] for row in grid.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def escape(text: str) -> str:
    """What Markdown or HTML would read as more than text; line breaks are spaces."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))
