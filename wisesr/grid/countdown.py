"""How the time left is shown while a grid runs: steady, and no finer than it is known. Pure: no clock is read here."""

from __future__ import annotations

import math


class Countdown:
    """The time left as it is shown: it runs down with the clock, and moves to what is estimated a few percent at a time.

    A new estimate may be half or twice the last one, after a cell of another kind or an epoch beside other work; nobody can
    read a figure that jumps.
    """

    _STEP = 0.03
    """By which part of itself it moves at most from one look to the next, beside the time that has passed."""
    _SECONDS = 6.0
    """In which most of a difference is made up for, where that is less."""

    def __init__(self) -> None:
        self._shown: float | None = None
        self._at = 0.0

    def show(self, estimate: float | None, now: float, *, rough: bool = False) -> float | None:
        """Seconds left at `now`, a time of any clock that runs on; without an estimate what the last ones come to.

        It moves three times as fast where it is only told in whole minutes: `rough`.
        """
        passed = now - self._at
        self._at = now
        if self._shown is None or estimate is None:
            self._shown = estimate if self._shown is None else max(0.0, self._shown - passed)
            return self._shown
        counted = max(0.0, self._shown - passed)
        most = max(self._STEP * (3 if rough else 1) * self._shown, 0.1)
        change = (estimate - counted) * (1 - math.exp(-passed / self._SECONDS))
        self._shown = counted + max(-most, min(most, change))
        return self._shown


def coarse(seconds: float) -> str:
    """`2 min`, as long as nobody can know it better; `1 h`, `less than 1 min`."""
    minutes = seconds / 60
    if minutes < 0.75:
        return "less than 1 min"
    return f"{round(minutes)} min" if minutes < 90 else f"{round(minutes / 60)} h"
