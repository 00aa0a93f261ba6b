"""Means and Student's interval of paired differences.

scipy.special has the distributions without the second that scipy.stats takes to import.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from scipy.special import stdtr, stdtrit

LEVEL = 0.95
"""Confidence of all intervals."""
_SAME = 1e-4
"""Differences this close are equal, points: less than an image in 100,000, more than the last bit of a record's float32."""


class Interval(NamedTuple):
    """An estimate with its interval, in the unit of the values that it was computed from."""

    mean: float
    low: float | None
    """None where the values have no spread, so that there is no interval."""
    high: float | None
    p: float | None
    """Two-sided, of the hypothesis that the mean is 0; None where nothing was tested."""


def mean_std(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean, and sample standard deviation (n - 1), of at least one value; None of just one."""
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return mean, None
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def paired_t(differences: Sequence[float]) -> Interval:
    """Mean of paired differences with Student's interval and p-value.

    Args:
        differences: a pair each, points, at least two.

    Returns:
        Without an interval and p where all differences are equal: t is then infinite, or 0/0, whatever their size.
    """
    mean, std = mean_std(differences)
    assert std is not None
    if max(differences) - min(differences) <= _SAME:
        return Interval(mean, None, None, None)
    freedom, error = len(differences) - 1, std / math.sqrt(len(differences))
    reach = float(stdtrit(freedom, (1 + LEVEL) / 2)) * error
    return Interval(mean, mean - reach, mean + reach, 2 * float(stdtr(freedom, -abs(mean) / error)))
