"""A table's content as grids of texts, which Markdown, LaTeX and the terminal draw in ways of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from wisesr.report.difference import Difference
from wisesr.report.study import Entry, ReportTable
from wisesr.report.tables.numbers import DASH, mean_and_std, p_value, signed
from wisesr.report.tables.rate_table import rate_table
from wisesr.report.tables.sentences import STAR
from wisesr.report.tables.table_content import Comparison, MatrixPlace, TableContent, TriedRate
from wisesr.report.tables.tries_table import TriesRow, shown_tries, tries_rows
from wisesr.report.tested_metrics import TOP1, Metric
from wisesr.report.tries import RowTries
from wisesr.wording import count_of


class Text(NamedTuple):
    """A cell of a grid."""

    text: str
    bold: bool = False


class Column(NamedTuple):
    """A column of a grid."""

    key: str
    """Which it is, whatever its title: `interval`; of a head's figures in the matrix the head."""
    title: str


class Grid(NamedTuple):
    """Rows and columns; the first ones are names, the others figures."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Text, ...], ...]
    names: int
    """Columns that are names."""


def matrix_grid(content: TableContent) -> Grid:
    """Backbones (and settings) by heads: `93.21 ± 0.41 (5)`, mean, standard deviation and seeds; the best bold."""
    matrix = content.matrix
    settings = matrix.has_settings
    rows = tuple(
        (
            Text(row.backbone),
            *[Text(row.settings or DASH)] * settings,
            *(_place(place, content.table.metric) for place in row.places),
        )
        for row in matrix.rows
    )
    return Grid(_titled("backbone", *["settings"] * settings, *matrix.heads), rows, 1 + settings)


def _titled(*titles: str) -> tuple[Column, ...]:
    """Columns whose titles are their keys."""
    return tuple(Column(title, title) for title in titles)


def _place(place: MatrixPlace, metric: Metric) -> Text:
    return Text(place.absent or DASH) if place.entry is None else Text(_figure(place.entry, metric), place.entry.best)


def _figure(entry: Entry, metric: Metric) -> str:
    star = STAR if entry.difference is not None and entry.difference.significant else ""
    last = f", last epochs {entry.last.mean:.{metric.decimals}f}" if entry.last else ""
    return f"{mean_and_std(entry.mean, entry.std, metric.decimals)} ({len(entry.cells)}){star}{last}"


def comparison_grid(content: TableContent) -> Grid | None:
    """A row a head: its difference to the baseline and the published figure; None where there are none."""
    if not content.comparisons:
        return None
    published = content.has_published
    figures = (
        Column("interval", "95 % interval"),
        Column("paired", "paired t alone"),
        Column("p", "p"),
        Column("p_holm", "p after Holm"),
        Column("detectable", "detectable"),
    )
    after = _titled(*["published", "distance"] * published, "remark")
    rows = tuple(
        (
            Text(comparison.name),
            *map(Text, _difference(comparison.entry.difference, content.table.metric)),
            *map(Text, _published(comparison, content) if published else ()),
            Text(comparison.remark),
        )
        for comparison in content.comparisons
    )
    return Grid((*_titled("head", "seeds", "difference"), *figures, *after), rows, 1)


def published_grid(content: TableContent) -> Grid | None:
    """A row a head that has a published figure: ours beside it; None where there are none."""
    rows = tuple(
        (Text(comparison.name), *map(Text, (f"{comparison.entry.mean:.2f}", *_published(comparison, content))))
        for comparison in content.comparisons
        if comparison.distance is not None
    )
    return Grid(_titled("head", "top-1", "published", "distance"), rows, 1) if rows else None


def _difference(difference: Difference | None, metric: Metric) -> list[str]:
    """Seeds, difference, interval, that of the paired t alone, p, p after Holm, detectable difference."""
    if difference is None:
        return [DASH] * 7
    seeds = f"{len(difference.seeds)}" if difference.kind == "seeds" else count_of(len(difference.seeds), "seed")
    star = STAR if difference.significant else ""
    paired = difference.paired.interval() if difference.paired is not None else None
    return [
        seeds,
        signed(difference.mean, metric.decimals) + star,
        _ends(difference.low, difference.high, metric),
        _ends(paired.low, paired.high, metric) if paired else DASH,
        p_value(difference.p),
        p_value(difference.p_holm),
        DASH if difference.detectable is None else f"{difference.detectable:.{metric.decimals - 1}f}",
    ]


def _ends(low: float | None, high: float | None, metric: Metric) -> str:
    """`-0.31 to +2.40`; a dash where there is no interval."""
    return DASH if low is None or high is None else f"{signed(low, metric.decimals)} to {signed(high, metric.decimals)}"


def _published(comparison: Comparison, content: TableContent) -> list[str]:
    """The published figure, and how far ours is from it."""
    if comparison.distance is None:
        return [DASH, DASH]
    other = " (another protocol)" if content.other_protocol else ""
    return [f"{comparison.entry.published:g}", signed(comparison.distance) + other]


def rates_grid(content: TableContent) -> Grid | None:
    """Learning rates that were tried: mean validation top-1 of each, and the seeds that chose it: `78.18 (8 of 10)`.

    None where no head was tried at several.
    """
    if side_by_side := rate_table(content.rates):
        found = tuple(
            (Text(row.entry.label), *(Text(DASH if tried is None else _tried(tried)) for tried in row.tried))
            for row in side_by_side.rows
        )
        return Grid(_titled("validation top-1, % (seeds that chose the rate)", *side_by_side.rates), found, 1)
    rows = tuple(
        (
            Text(tried.entry.label),
            Text(tried.rate),
            *map(Text, (f"{tried.top1:.2f}", str(tried.seeds), f"{tried.chosen} of {len(tried.entry.cells)}")),
        )
        for tried in content.rates
    )
    return Grid(_titled("model", "rate", "validation top-1", "seeds", "seeds choosing it"), rows, 2) if rows else None


def _tried(tried: TriedRate) -> str:
    return f"{tried.top1:.2f} ({tried.chosen} of {tried.seeds})"


def tries_grid(table: ReportTable, row: RowTries) -> Grid:
    """A row for each figure of a head: what it is after 1, 2, ... tried rates, means over seeds."""
    rows = tuple((Text(made.head), Text(made.figure), *map(Text, _tries(made))) for made in tries_rows(table, row))
    titles = ("1 try" if tries == 1 else f"{tries} tries" for tries in shown_tries(row))
    return Grid(_titled("head", "top-1, %" if table.metric == TOP1 else "figure", *titles), rows, 2)


def _tries(row: TriesRow) -> list[str]:
    written = (
        signed(value, row.digits) if row.signed else f"{value:.{row.digits}f}" for value in row.values if value is not None
    )
    return [DASH if value is None else next(written) for value in row.values]


def split(grid: Grid, count: int) -> list[Grid]:
    """A grid in parts with at most so many columns of figures, each with the names."""
    starts = range(grid.names, len(grid.columns), count)
    return [select_columns(grid, [*range(grid.names), *range(at, min(at + count, len(grid.columns)))]) for at in starts] or [
        grid
    ]


def select_columns(grid: Grid, kept: Sequence[int]) -> Grid:
    """Some columns of a grid, all names among them."""
    rows = tuple(tuple(row[index] for index in kept) for row in grid.rows)
    return Grid(tuple(grid.columns[index] for index in kept), rows, grid.names)


def widths(grid: Grid) -> list[int]:
    """The width of each column, in characters."""
    return [max([len(column.title), *(len(row[index].text) for row in grid.rows)]) for index, column in enumerate(grid.columns)]
