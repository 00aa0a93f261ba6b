"""Rows that have something in common do not average it out: eleven backbones on one dataset are one dataset.

The variance of a weighted mean over a two-way layout that need not be full: that of sums over the levels of one factor, plus
that over those of the other, less that over single rows, which stands in both (Cameron, Gelbach and Miller 2011, Journal of
Business and Economic Statistics 29:238-249; in a full layout it is that of Owen 2007, as in `crossed`). Never less than any.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wisesr.statistics.crossed import satterthwaite

Values = NDArray[np.float64]


class Part(NamedTuple):
    """What a mean owes to what is drawn anew."""

    variance: float
    freedom: float


def shared_part(deviations: Values, names: Sequence[str]) -> Part:
    """Of a weighted mean, for other levels of a factor.

    Args:
        deviations: (rows,), of each value from the mean, times the row's weight; weights sum to 1.
        names: of each row's level; at least two different ones.
    """
    sums: dict[str, float] = {}
    for name, value in zip(names, deviations, strict=True):
        sums[name] = sums.get(name, 0.0) + float(value)
    count = len(sums)
    return Part(count / (count - 1) * sum(value**2 for value in sums.values()), count - 1.0)


def with_shared(own: Part, deviations: Values, factors: Sequence[Sequence[str]]) -> Part:
    """Of a weighted mean, for other levels of up to two factors.

    Args:
        own: as if no two rows had anything in common.
        deviations: as of `shared_part`.
        factors: of each the rows' levels.
    """
    parts = [shared_part(deviations, names) for names in factors if len(set(names)) < len(names)]
    if not parts:
        return own
    total = sum(part.variance for part in parts)
    if len(parts) > 1:
        total -= shared_part(deviations, [str(row) for row in range(len(deviations))]).variance
    variance = max(total, *(part.variance for part in parts))
    if variance <= own.variance:
        return Part(own.variance, min(part.freedom for part in parts))
    return Part(variance, satterthwaite(variance, [part.variance for part in parts], [part.freedom for part in parts]))
