"""What a search finds that stops after k tries, from all the tries that were made: the mean over every choice of k of them.

Dodge et al. 2019 (https://arxiv.org/abs/1909.03004) proposed the curve over k. They draw with replacement, as if each try were
a new draw from all settings that there are. Here a try is one of a few fixed rates. Nobody trains at the same rate twice, and
the figure after all tries must be the best that was found, which with replacement it is not: at six tries one draw of six
misses the best in a third of all cases, so the estimate is too low there. Without replacement each try is the best of k with a
known probability, and the mean is exact; Tang et al. 2020 (https://arxiv.org/abs/2004.13705) show that it is without bias.
"""

from __future__ import annotations

import math
from typing import NamedTuple


class Found(NamedTuple):
    """What a try came to."""

    val: float
    """That tries are chosen by, percent: higher is better."""
    test: float
    """Of the same model, in the unit of what is tested."""


class Search(NamedTuple):
    """The tries of one head with one seed."""

    found: tuple[Found, ...] = ()
    """The best first, as it is chosen where several are equal."""
    tried: frozenset[str] = frozenset()
    """What was tried, by name: also what failed, and so loses against any other."""
    pending: int = 0
    """Tries that are not finished, so not counted."""

    @property
    def tries(self) -> int:
        """How many came to an end."""
        return len(self.tried)

    def after(self, drawn: int) -> Found | None:
        """What the best of so many tries is, the mean over all choices of them; None where all chosen may be failed ones.

        Args:
            drawn: from 1 to `tries`.
        """
        if drawn <= self.tries - len(self.found):
            return None
        weights = chances(self.tries, drawn)
        val, test = (
            math.fsum(weight * value for weight, value in zip(weights, values, strict=False))
            for values in zip(*self.found, strict=True)
        )
        return Found(val, test)


def chances(tries: int, drawn: int) -> list[float]:
    """With which probability each of the tries, the best first, is the best of so many that are drawn without replacement.

    The i-th best is, where it is drawn and the others come from those after it.

    Args:
        tries: how many there are.
        drawn: from 1 to `tries`.
    """
    every = math.comb(tries, drawn)
    return [math.comb(tries - place, drawn - 1) / every for place in range(1, tries + 1)]
