"""The statistics of a table, as pure functions of numbers.

scipy.special has the distributions without the second that scipy.stats takes to import.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr, stdtrit

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


def holm(values: Sequence[float]) -> list[float]:
    """P-values of a family after Holm's step-down correction, in the order given.

    Holm 1979, Scandinavian Journal of Statistics 6:65-70.
    """
    adjusted = [0.0] * len(values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(values)), key=lambda index: values[index])):
        highest = max(highest, min(1.0, (len(values) - rank) * values[index]))
        adjusted[index] = highest
    return adjusted


def matched_interval(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Interval:
    """Difference of two models' accuracies over the same images, second minus first, in points; no test.

    The interval is Wald's after adding 1/2 to each of the four cells of the table right/wrong x right/wrong (Agresti & Min
    2005, Statistics in Medicine 24:729-740), so that it has a width where the models agree on every image, too.

    Args:
        first: whether each image was classified rightly, (images,).
        second: likewise, in the same order.
    """
    gained, lost = int((second & ~first).sum()), int((first & ~second).sum())
    images = len(first) + 2.0
    centre = (gained - lost) / images
    error = math.sqrt((gained + lost + 1.0) / images - centre**2) / math.sqrt(images)
    reach = float(ndtri((1 + LEVEL) / 2)) * error
    return Interval(
        100.0 * (gained - lost) / len(first), 100.0 * max(-1.0, centre - reach), 100.0 * min(1.0, centre + reach), None
    )
