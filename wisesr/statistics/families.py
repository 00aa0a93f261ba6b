"""P-values of a family of tests, corrected for their number."""

from __future__ import annotations

from collections.abc import Sequence

LEVEL = 0.05
"""Chance of any wrong finding in a family whose hypotheses are all true; of every test."""


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
