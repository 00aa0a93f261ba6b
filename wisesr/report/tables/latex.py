r"""`tables/KEY.tex`: a table to `\input` into a paper; it needs booktabs and nothing else."""

from __future__ import annotations

from wisesr.report.study import ReportTable
from wisesr.report.tables.content import Grid, differences, how, left_out, matrix, split

_WIDE = 4
"""Heads side by side."""
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
    grid = matrix(table)
    parts = split(grid, _WIDE) if grid.rows else []
    for part in (*parts, _short(differences(table))):
        lines += [*_tabular(part), r"\par\medskip"] if part is not None else []
    remarks = [*(f"Warning: {sentence}" for sentence in table.warnings), *table.notes, *_left(table)]
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


def _short(grid: Grid | None) -> Grid | None:
    """With a heading that fits: the caption says that each interval stands by itself."""
    if grid is None:
        return None
    return grid._replace(header=tuple("95 % interval" if name.startswith("95 %") else name for name in grid.header))


def _tabular(grid: Grid) -> list[str]:
    columns = "l" * grid.names + "r" * (len(grid.header) - grid.names)
    if grid.header[-1] == "remark":  # sentences break into lines
        columns = f"{columns[:-1]}p{{0.3\\linewidth}}"
    rows = [[rf"\textbf{{{escape(cell.text)}}}" if cell.bold else escape(cell.text) for cell in row] for row in grid.rows]
    lines = [" & ".join(row) + r" \\" for row in rows]
    header = " & ".join(map(escape, grid.header)) + r" \\"
    return [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", header, r"\midrule", *lines, r"\bottomrule", r"\end{tabular}"]


def escape(text: str) -> str:
    """Characters that LaTeX gives a meaning to."""
    return "".join(_SPECIAL.get(character, character) for character in " ".join(text.split()))
