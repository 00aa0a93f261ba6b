r"""`tables/KEY.tex`: a table to `\input` into a paper; it needs booktabs and nothing else."""

from __future__ import annotations

import re

from wisesr.report.study import ReportTable
from wisesr.report.tables.content import DASH, Grid, columns, differences, how, left_out, matrix, published, split, widths

_WIDE = 92
"""Characters side by side, gaps included: at `small` about the 450 pt of an A4 line with margins of an inch."""
_GAP = 3
"""Characters that the gap between two columns takes."""
_LONG = 24
"""Characters of names that stand in a line, a quarter of it; longer ones are broken."""
_ASIDE = ("published", "distance", "remark")
"""Columns of the differences that no page has room for: they stand in a table and in sentences of their own."""
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
    lines = [r"% \usepackage{booktabs}", r"\begin{table}", r"\centering", r"\small"]
    lines.append(rf"\caption{{{escape(table.title)}. {escape(' '.join(how(table)))}}}")
    lines.append(rf"\label{{tab:{''.join(one if one.isalnum() else '-' for one in table.key)}}}")
    held = differences(table)
    for part in (*_parts(matrix(table)), _figures(held), published(table)):
        lines += [*_tabular(part), r"\par\medskip"] if part is not None and part.rows else []
    warnings = [f"Warning: {sentence}" for sentence in table.warnings]
    remarks = [*warnings, *_remarks(held), *table.notes, *_left(table)]
    if remarks:
        lines += [r"\begin{minipage}{\linewidth}\footnotesize\raggedright", *_paragraphs(remarks, len(table.warnings))]
        lines.append(r"\end{minipage}")
    return "\n".join([*lines, r"\end{table}", ""])


def _paragraphs(sentences: list[str], bold: int) -> list[str]:
    """The first ones bold."""
    texts = [escape(sentence) for sentence in sentences]
    return [rf"\textbf{{{text}}}\par" if index < bold else rf"{text}\par" for index, text in enumerate(texts)]


def _left(table: ReportTable) -> list[str]:
    found = []
    for reason, names in left_out(table):
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        found.append(f"Not in the table, {reason} ({len(names)}): {', '.join(names[:_NAMED])}{more}.")
    return found


def _parts(grid: Grid) -> list[Grid]:
    """As many columns side by side as fit."""
    own = [min(width, _LONG) if index < grid.names else width for index, width in enumerate(widths(grid))] if grid.rows else []
    names, places = own[: grid.names], own[grid.names :]
    room = _WIDE - sum(width + _GAP for width in names)
    return split(grid, max(1, room // (max(places) + _GAP))) if places else []


def _figures(grid: Grid | None) -> Grid | None:
    """Differences, with a heading that fits: the caption says that each interval stands by itself."""
    if grid is None:
        return None
    kept = columns(grid, [index for index, name in enumerate(grid.header) if name not in _ASIDE])
    return kept._replace(
        header=tuple("95 % interval" if name.startswith("95 %") else name for name in kept.header),
        rows=tuple(row for row in kept.rows if any(cell.text != DASH for cell in row[grid.names :])),
    )


def _remarks(grid: Grid | None) -> list[str]:
    """What is to be said of differences, each sentence once."""
    found: dict[str, list[str]] = {}
    for row in grid.rows if grid is not None else ():
        if row[-1].text:
            found.setdefault(row[-1].text, []).append(row[0].text)
    return [f"{', '.join(heads)}: {remark}." for remark, heads in found.items()]


def _tabular(grid: Grid) -> list[str]:
    kinds = [r"p{0.25\linewidth}" if width > _LONG else "l" for width in widths(grid)[: grid.names]]
    kinds += ["r"] * (len(grid.header) - grid.names)
    rows = [[rf"\textbf{{{escape(cell.text)}}}" if cell.bold else escape(cell.text) for cell in row] for row in grid.rows]
    lines = [" & ".join(row) + r" \\" for row in rows]
    header = " & ".join(map(escape, grid.header)) + r" \\"
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
