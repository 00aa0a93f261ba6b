r"""`tables/KEY-differences.tex`: each head's distance to the baseline; `tables/KEY-published.tex`: to published figures."""

from __future__ import annotations

from collections.abc import Sequence

from wisesr.report.study import ReportTable
from wisesr.report.tables.grid import Grid, Text, comparison_grid, published_grid
from wisesr.report.tables.latex.escape import breakable, escape, prose
from wisesr.report.tables.latex.matrix import STAR, seeds_of
from wisesr.report.tables.latex.tabular import NOBODY, Made, Words, name_column, narrow, ragged, row, table, tabular, width
from wisesr.report.tables.numbers import DASH, EN_DASH
from wisesr.report.tables.sentences import difference_sentences
from wisesr.report.tables.table_content import Comparison, TableContent, table_content

_TITLES = {
    "seeds": "seeds",
    "difference": "difference",
    "interval": r"95\,\% interval",
    "p_holm": r"$p_\mathrm{Holm}$",
    "detectable": "detectable",
}
"""Columns that a page has room for, and their titles in LaTeX."""
_LONG = 240.0
"""pt of the name of a backbone with settings; longer ones are divided."""


def differences(of: ReportTable, made: Made = NOBODY) -> str | None:
    """The file of a table's differences; None where nothing was compared."""
    content = table_content(of)
    compared = [one for one in content.comparisons if one.entry.difference is not None]
    grid = comparison_grid(content)
    if grid is None or not compared:
        return None
    words = Words(
        short=f"Differences to {of.baseline} on {of.title}",
        caption=_caption(content, compared),
        notes=[*difference_sentences(of, paired=False), *_remarks(compared)],
        strong=of.warnings,
    )
    return table(f"{of.key}-differences", made, words, [_tabular(content, grid)])


def published(of: ReportTable, made: Made = NOBODY) -> str | None:
    """The file of a table's published figures; None where there are none."""
    content = table_content(of)
    grid = published_grid(content)
    if grid is None:
        return None
    words = Words(
        short=f"Published figures on {of.title}",
        caption=f"Test top-1 (\\%) on {prose(of.title)} beside the published figures, and the distance to them, points.",
        strong=of.warnings,
    )
    rows = [(cells[0].text, cells[1:]) for cells in grid.rows]
    return table(f"{of.key}-published", made, words, [grouped([("", rows)], [column.title for column in grid.columns])])


def _caption(content: TableContent, compared: Sequence[Comparison]) -> str:
    of = content.table
    name = of.metric.title.partition(",")[0]
    seeds = seeds_of([one.entry for one in compared])
    paired = f", paired over {seeds}" if seeds and seeds != "1 seed" else ""
    first = f"Test {name} less that of {of.baseline} on {of.title}, {of.metric.points}{paired}."
    star = any(one.entry.difference is not None and one.entry.difference.significant for one in compared)
    return prose(first) + (rf" {STAR}: $p < 0.05$ after Holm." if star else "")


def _remarks(compared: Sequence[Comparison]) -> list[str]:
    """What is to be said of differences, each sentence once."""
    heads: dict[str, list[str]] = {}
    for comparison in compared:
        if comparison.remark:
            heads.setdefault(comparison.remark, []).append(comparison.name)
    return [f"{', '.join(names)}: {remark}." for remark, names in heads.items()]


def _tabular(content: TableContent, grid: Grid) -> list[str]:
    """Heads below the name of their backbone, where there are several of these."""
    at = {column.key: index for index, column in enumerate(grid.columns)}
    shown = {key: {cells[at[key]].text for cells in grid.rows} - {DASH} for key in _TITLES}
    kept = [key for key, texts in shown.items() if len(texts) > (key == "seeds")]  # the caption has seeds that are all the same
    groups: dict[str, list[tuple[str, Sequence[Text]]]] = {}
    for comparison, cells in zip(content.comparisons, grid.rows, strict=True):
        if comparison.entry.difference is not None:
            group = comparison.entry.group if len(content.table.groups()) > 1 else ""
            groups.setdefault(group, []).append((comparison.entry.head, [cells[at[key]] for key in kept]))
    return grouped(list(groups.items()), ["head", *(_TITLES[key] for key in kept)])


def grouped(groups: Sequence[tuple[str, Sequence[tuple[str, Sequence[Text]]]]], titles: Sequence[str]) -> list[str]:
    """A tabular of names and figures, in groups that have a name or, a single one, none."""
    kind, _ = name_column(name for _, rows in groups for name, _ in rows)
    lines: list[str] = []
    for number, (group, rows) in enumerate(groups):
        lines += [r"\addlinespace"] * bool(number)
        if group:
            lines.append(_above(group, len(titles)))
        lines += [row([narrow(name, kind), *map(_figure, cells)]) for name, cells in rows]
    return tabular(kind + "r" * (len(titles) - 1), [row(titles)], lines)


def _above(group: str, columns: int) -> str:
    """The name of a group over all columns, in lines where it is long."""
    kind, text = ("l", escape(group)) if width(group) < _LONG else (rf"p{{{_LONG:.0f}pt}}", ragged(breakable(group)))
    return rf"\multicolumn{{{columns}}}{{@{{}}{kind}@{{}}}}{{\itshape {text}}} \\"


def _figure(cell: Text) -> str:
    r"""A number; a star hangs over the edge, so that figures stay below one another."""
    if cell.text == DASH:
        return escape(EN_DASH)
    starred = cell.text.endswith("*")
    return escape(cell.text.removesuffix("*")) + (rf"\rlap{{{STAR}}}" if starred else "")
