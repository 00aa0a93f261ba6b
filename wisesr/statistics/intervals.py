"""Means, the estimates that they are, and Student's intervals and tests of these.

scipy.special has the distributions without the second that scipy.stats takes to import.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from scipy.special import stdtr, stdtrit

from wisesr.statistics.power import noncentrality

CONFIDENCE = 0.95
"""Of all intervals."""
SAME = 1e-4
"""Figures this close are equal, points: less than an image in 100,000, more than the last bit of a record's float32."""


class Interval(NamedTuple):
    """An estimate with its interval, in the unit of the values that it was computed from."""

    mean: float
    low: float | None
    """None where the values have no spread, so that there is no interval."""
    high: float | None
    p: float | None
    """Two-sided, of the hypothesis that the mean is 0; None where nothing was tested."""


class Estimate(NamedTuple):
    """A mean whose error is about Student's, in the unit of its values."""

    mean: float
    variance: float
    """Of the mean; above 0."""
    freedom: float
    """Degrees of freedom of that variance; need not be whole."""

    @property
    def error(self) -> float:
        """Standard error of the mean."""
        return math.sqrt(self.variance)

    def interval(self) -> Interval:
        """Two-sided, with the p-value of the hypothesis that the mean is 0."""
        return Interval(self.mean, *self.ends, self.p)

    @property
    def ends(self) -> tuple[float, float]:
        """Of the two-sided interval."""
        reach = float(stdtrit(self.freedom, (1 + CONFIDENCE) / 2)) * self.error
        return self.mean - reach, self.mean + reach

    @property
    def p(self) -> float:
        """Two-sided, of the hypothesis that the mean is 0."""
        return 2 * float(stdtr(self.freedom, -abs(self.mean) / self.error))

    def equivalence(self, margin: float) -> float:
        """The p-value of two one-sided tests: small where the mean is surely between -margin and margin.

        Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics 15:657-680.

        Args:
            margin: above 0, in the unit of the mean.
        """
        return float(stdtr(self.freedom, (abs(self.mean) - margin) / self.error))

    def detectable(self, level: float) -> float:
        """The size of the true mean that a two-sided test finds with a probability of `power.POWER`.

        Args:
            level: of the test, from 0 to 1; as it is after a correction for the number of tests.
        """
        return noncentrality(self.freedom, -float(stdtrit(self.freedom, level / 2))) * self.error


def mean_std(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean, and sample standard deviation (n - 1), of at least one value; None of just one."""
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return mean, None
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def student(values: Sequence[float]) -> Estimate | None:
    """Mean of at least two values, and the error of that; None where all are equal: t is then infinite, or 0/0."""
    mean, std = mean_std(values)
    assert std is not None
    return Estimate(mean, std**2 / len(values), len(values) - 1) if max(values) - min(values) > SAME else None


def interval_of(estimate: Estimate | None, mean: float) -> Interval:
    """An estimate's interval; the mean alone where its error is not known."""
    return estimate.interval() if estimate else Interval(mean, None, None, None)
