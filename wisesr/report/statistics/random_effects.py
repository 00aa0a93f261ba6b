"""One figure over rows that differ among themselves: what a head gains on a backbone and dataset that was not tried.

Random effects with the variance between rows of Paule and Mandel (1982, Journal of Research of the National Bureau of Standards
87:377-385) and the interval of Hartung and Knapp (2001, Statistics in Medicine 20:3875-3889), which is never narrower than the
usual one of random effects (Röver, Knapp and Friede 2015, BMC Medical Research Methodology 15:99).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wisesr.report.statistics.intervals import Estimate

Values = NDArray[np.float64]


class Summary(NamedTuple):
    """A mean over rows."""

    estimate: Estimate
    weights: Values
    """Of each row; their sum is 1."""
    between: float
    """Variance of the rows' true values, estimated."""


def random_effects(values: Values, variances: Values) -> Summary:
    """The mean over rows, of which those at hand are a sample.

    Args:
        values: of each row, at least two.
        variances: of each value, at least one of them above 0.
    """
    between = _between(values, variances)
    precision = 1.0 / (variances + between)
    weights = precision / precision.sum()
    mean = float(weights @ values)
    scale = max(1.0, float(precision @ (values - mean) ** 2) / (len(values) - 1))
    return Summary(Estimate(mean, scale / float(precision.sum()), len(values) - 1), weights, between)


def equal_weights(values: Values) -> Summary:
    """The plain mean over rows whose own variances are not known: Student's t over rows; at least two that differ."""
    count = len(values)
    variance = float(values.var(ddof=1))
    return Summary(Estimate(float(values.mean()), variance / count, count - 1), np.full(count, 1 / count), variance)


def _between(values: Values, variances: Values) -> float:
    """The variance between rows at which their weighted spread is what it should be; 0 where even that is too much."""

    def excess(between: float) -> float:
        precision = 1.0 / np.maximum(variances + between, 1e-300)
        mean = precision @ values / precision.sum()
        return float(precision @ (values - mean) ** 2) - (len(values) - 1)

    if excess(0.0) <= 0:
        return 0.0
    low, high = 0.0, float(values.var(ddof=1)) + float(variances.max()) + 1e-12
    while excess(high) > 0:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return high
