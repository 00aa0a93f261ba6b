r"""`tables/KEY.tex`: a table to `\input` into a paper; it needs booktabs and nothing else."""

from __future__ import annotations

import re

from wisesr.report.study import ReportTable
from wisesr.report.tables.grid import Grid, comparison_grid, matrix_grid, published_grid, select_columns, split, widths
from wisesr.report.tables.numbers import DASH
from wisesr.report.tables.sentences import method_sentences
from wisesr.report.tables.table_content import TableContent, table_content
from wisesr.wording import some_of

_WIDE = 92
"""Characters side by side, gaps included: at `small` about the 450 pt of an A4 line with margins of an inch."""
_GAP = 3
"""Characters that the gap between two columns takes."""
_LONG = 24
"""Characters of names that stand in a line, a quarter of it; longer ones are broken."""
_ASIDE = ("paired", "p", "published", "distance", "remark")
"""Keys of the columns of differences that no page has room for: they stand in a table and in sentences of their own."""
_NAMED = 4
"""Cells that are named where several are left out for one reason."""
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "±": r"$\pm$",
    "\N{MINUS SIGN}": "$-$",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


def latex(table: ReportTable) -> str:
    """A table as LaTeX."""
    content = table_content(table)
    lines = [r"% \usepackage{booktabs}", r"\begin{table}", r"\centering", r"\small"]
    lines.append(rf"\caption{{{escape(table.title)}. {escape(' '.join(method_sentences(table)))}}}")
    lines.append(rf"\label{{tab:{''.join(letter if letter.isalnum() else '-' for letter in table.key)}}}")
    for grid in (*_parts(matrix_grid(content)), _narrow(comparison_grid(content)), published_grid(content)):
        lines += [*_tabular(grid), r"\par\medskip"] if grid is not None and grid.rows else []
    paragraphs = [rf"\textbf{{Warning: {escape(sentence)}}}\par" for sentence in table.warnings]
    paragraphs += [rf"{escape(sentence)}\par" for sentence in (*_remarks(content), *table.notes, *_left_out(content))]
    if paragraphs:
        lines += [r"\begin{minipage}{\linewidth}\footnotesize\raggedright", *paragraphs, r"\end{minipage}"]
    return "\n".join([*lines, r"\end{table}", ""])


def _left_out(content: TableContent) -> list[str]:
    return [
        f"Not in the table, {reason} ({len(names)}): {some_of(names, _NAMED)}." for reason, names in content.left_out.items()
    ]


def _parts(grid: Grid) -> list[Grid]:
    """The grid in parts, each with as many columns as fit side by side."""
    if not grid.rows:
        return []
    own = [min(width, _LONG) if index < grid.names else width for index, width in enumerate(widths(grid))]
    names, places = own[: grid.names], own[grid.names :]
    room = _WIDE - sum(width + _GAP for width in names)
    return split(grid, max(1, room // (max(places) + _GAP)))


def _narrow(grid: Grid | None) -> Grid | None:
    """Differences without the columns that no page has room for, and without rows that have no difference."""
    if grid is None:
        return None
    kept = select_columns(grid, [index for index, column in enumerate(grid.columns) if column.key not in _ASIDE])
    return kept._replace(rows=tuple(row for row in kept.rows if any(cell.text != DASH for cell in row[grid.names :])))


def _remarks(content: TableContent) -> list[str]:
    """What is to be said of differences, each sentence once."""
    heads: dict[str, list[str]] = {}
    for comparison in content.comparisons:
        if comparison.remark:
            heads.setdefault(comparison.remark, []).append(comparison.name)
    return [f"{', '.join(names)}: {remark}." for remark, names in heads.items()]


def _tabular(grid: Grid) -> list[str]:
    kinds = [r"p{0.25\linewidth}" if width > _LONG else "l" for width in widths(grid)[: grid.names]]
    kinds += ["r"] * (len(grid.columns) - grid.names)
    rows = [[rf"\textbf{{{escape(cell.text)}}}" if cell.bold else escape(cell.text) for cell in row] for row in grid.rows]
    lines = [" & ".join(row) + r" \\" for row in rows]
    header = " & ".join(escape(column.title) for column in grid.columns) + r" \\"
    return [
        rf"\begin{{tabular}}{{{''.join(kinds)}}}",
        r"\toprule",
        header,
        r"\midrule",
        *lines,
        r"\bottomrule",
        r"\end{tabular}",
    ]


def escape(text: str) -> str:
    """Characters that LaTeX gives a meaning to, and two hyphens, which would be a dash."""
    escaped = "".join(_SPECIAL.get(character, character) for character in " ".join(text.split()))
    return re.sub(r"-(?=-)", "-{}", escaped)
