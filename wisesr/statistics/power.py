"""What a test could have found."""

from __future__ import annotations

import math
from functools import lru_cache

from scipy.special import nctdtr

POWER = 0.8
"""With which a detectable effect would be found."""


@lru_cache(maxsize=4096)
def noncentrality(freedom: float, critical: float) -> float:
    """That of the noncentral t which passes a critical value with a probability of `POWER`; found by halving."""
    low, high = 0.0, critical + 1.0
    while _passes(freedom, high, critical) < POWER:
        low, high = high, 2 * high
        if high > 1e6 * critical:
            return math.inf
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if _passes(freedom, middle, critical) >= POWER else (middle, high)
    return high


def _passes(freedom: float, noncentrality: float, critical: float) -> float:
    return 1.0 - float(nctdtr(freedom, noncentrality, critical))
