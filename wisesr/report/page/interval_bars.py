"""The intervals of a table's differences as bars on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from wisesr.report.study import Difference
from wisesr.report.tables.table_content import Comparison

_PAD = 0.06
"""Share of the scale that is left free at either end."""


class IntervalBar(NamedTuple):
    """Where an interval lies on the scale that all of a table's share, from 0 to 100."""

    zero: float
    mean: float
    low: float | None
    high: float | None


class IntervalScale(NamedTuple):
    """The scale of a table's differences, percentage points."""

    low: float
    """The left end."""
    high: float

    def place(self, value: float) -> float:
        """From 0, the left end, to 100."""
        return round(100 * (value - self.low) / (self.high - self.low), 2)

    @property
    def zero(self) -> float:
        """Where no difference lies."""
        return self.place(0.0)

    def bar(self, difference: Difference) -> IntervalBar:
        """The bar of a difference."""
        low, high = (None if end is None else self.place(end) for end in (difference.low, difference.high))
        return IntervalBar(self.zero, self.place(difference.mean), low, high)


def interval_scale(comparisons: Sequence[Comparison]) -> IntervalScale:
    """A scale with 0 and all intervals on it."""
    differences = [comparison.difference for comparison in comparisons if comparison.difference is not None]
    ends = [0.0, *(end for each in differences for end in (each.mean, each.low, each.high) if end is not None)]
    low, high = min(ends), max(ends)
    pad = _PAD * (high - low) or 1.0
    return IntervalScale(low - pad, high + pad)
