"""The best after k tried learning rates as rows of figures, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from wisesr.report.study import ReportTable
from wisesr.report.tested_metrics import TOP1
from wisesr.report.tries import BestCurve, RowTries

_ALL = 6
"""Numbers of tries that all have a column; of more, powers of two and the last: a page of a paper has room for seven."""
_METHOD = (
    "What trying k of the learning rates finds, drawn blindly from those that a head was tried at: the mean over all choices "
    "of k, so that after one try stands the mean of all, and after all the best. For each choice and seed the rate is the one "
    "with the best {chosen_on} top-1, and the test figure is of the same model. Heads are compared after as many tries each."
)


class TriesRow(NamedTuple):
    """A figure of a head, by the number of tries."""

    head: str
    figure: str
    """`validation`, `test`, `less gap`; with their names where another figure than top-1 is tested."""
    values: tuple[float | None, ...]
    """As `shown_tries`; None where there is none."""
    digits: int
    signed: bool
    """Whether it is a difference."""


def shown_tries(row: RowTries) -> tuple[int, ...]:
    """Numbers of tries that have a column."""
    if row.last <= _ALL:
        return tuple(range(1, row.last + 1))
    return (*(2**power for power in range((row.last - 1).bit_length())), row.last)


def tries_rows(table: ReportTable, row: RowTries) -> tuple[TriesRow, ...]:
    """The rows of a backbone, head by head."""
    baseline = next((line for line in row.curves if line.entry.head == table.baseline), None)
    return tuple(made for line in row.curves for made in _rows(table, row, line, baseline))


def _rows(table: ReportTable, row: RowTries, line: BestCurve, baseline: BestCurve | None) -> Iterator[TriesRow]:
    head, metric, shown = line.entry.head, table.metric, shown_tries(row)
    of_val, of_test = (" top-1, %", f" {metric.title}") if metric != TOP1 else ("", "")
    val, test = (dict(zip(curve.epochs, curve.mean, strict=True)) for curve in (line.val, line.test))
    if table.protocol != "paper":  # there it is of the test images themselves
        yield TriesRow(head, f"validation{of_val}", tuple(map(val.get, shown)), 2, signed=False)
    yield TriesRow(head, f"test{of_test}", tuple(map(test.get, shown)), metric.decimals, signed=False)
    if baseline is not None and baseline is not line:
        less = tuple(line.less(baseline, tries) for tries in shown)
        yield TriesRow(head, f"less {table.baseline}", less, metric.decimals, signed=True)


def tries_method(table: ReportTable, row: RowTries) -> str:
    """How the figures came about."""
    paired = f" Less {table.baseline} is the difference of test figures, a mean over the seeds that both heads have."
    chosen_on = "test" if table.protocol == "paper" else "validation"
    return _METHOD.format(chosen_on=chosen_on) + paired * any(made.signed for made in tries_rows(table, row))
