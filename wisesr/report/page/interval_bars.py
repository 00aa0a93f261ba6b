"""The scale on which a table's differences are drawn as bars, with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from wisesr.report.tables.table_content import Comparison

_PAD = 0.06
"""Share of the scale that is left free at either end."""


class IntervalScale(NamedTuple):
    """The scale of a table's differences, percentage points."""

    low: float
    """The left end."""
    high: float

    def place(self, value: float) -> float:
        """From 0, the left end, to 100."""
        return round(100 * (value - self.low) / (self.high - self.low), 2)


def interval_scale(comparisons: Sequence[Comparison]) -> IntervalScale:
    """A scale with 0 and all intervals on it."""
    differences = [comparison.difference for comparison in comparisons if comparison.difference is not None]
    ends = [0.0, *(end for each in differences for end in (each.mean, each.low, each.high) if end is not None)]
    low, high = min(ends), max(ends)
    pad = _PAD * (high - low) or 1.0
    return IntervalScale(low - pad, high + pad)
