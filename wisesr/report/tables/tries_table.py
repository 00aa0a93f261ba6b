"""The best after k tried learning rates as rows of figures, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from wisesr.report.study import ReportTable
from wisesr.report.tries import BestCurve, RowTries

_ALL = 8
"""Numbers of tries that all have a column; of more, some do."""
_METHOD = (
    "What trying k of the learning rates finds, drawn blindly from those that a head was tried at: the mean over all choices of "
    "k, so that after one try stands the mean of all, and after all the best. For each choice and seed the rate is the one with "
    "the best validation top-1, and the test figure is that of the same model. Heads are compared after as many tries each."
)


class TriesRow(NamedTuple):
    """A figure of a head, by the number of tries."""

    head: str
    figure: str
    """`validation top-1, %`, `test top-1, %`, `test, less gap`."""
    values: tuple[float | None, ...]
    """As `shown_tries`; None where there is none."""
    digits: int
    signed: bool
    """Whether it is a difference."""


def shown_tries(row: RowTries) -> tuple[int, ...]:
    """Numbers of tries that have a column."""
    if row.last <= _ALL:
        return tuple(range(1, row.last + 1))
    some = [*range(1, 5), *(step * 2**power for power in range(10) for step in (6, 8))]
    return tuple(sorted({*(tries for tries in some if tries < row.last), row.last}))


def tries_rows(table: ReportTable, row: RowTries) -> tuple[TriesRow, ...]:
    """The rows of a backbone, head by head."""
    baseline = next((line for line in row.curves if line.entry.head == table.baseline), None)
    return tuple(made for line in row.curves for made in _rows(table, row, line, baseline))


def _rows(table: ReportTable, row: RowTries, line: BestCurve, baseline: BestCurve | None) -> Iterator[TriesRow]:
    head, metric, shown = line.entry.head, table.metric, shown_tries(row)
    val, test = (dict(zip(curve.epochs, curve.mean, strict=True)) for curve in (line.val, line.test))
    if table.protocol != "paper":  # there it is of the test images themselves
        yield TriesRow(head, "validation top-1, %", tuple(map(val.get, shown)), 2, signed=False)
    yield TriesRow(head, f"test {metric.title}", tuple(map(test.get, shown)), metric.decimals, signed=False)
    if baseline is not None and baseline is not line:
        less = tuple(line.less(baseline, tries) for tries in shown)
        yield TriesRow(head, f"test, less {table.baseline}", less, metric.decimals, signed=True)


def tries_sentences(table: ReportTable, row: RowTries) -> tuple[str, ...]:
    """How it came about, after what is wrong with it: `row.notes`."""
    paired = " A difference is a mean over the seeds that both heads have; those with intervals are of the best of all tries."
    return (*row.notes, _METHOD + paired * any(made.signed for made in tries_rows(table, row)))
