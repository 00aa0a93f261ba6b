"""How many of the last epochs make a plateau: the end of a curve is a mean over them, not its luckiest epoch."""

from __future__ import annotations

LEAST, MOST = 3, 20
"""Epochs of a plateau."""


def plateau_epochs(trained: int) -> int:
    """A tenth of the epochs, of at least `LEAST` and at most `MOST`; all of a training that is shorter.

    Args:
        trained: epochs of a cell, at least one.
    """
    return min(trained, max(LEAST, min(MOST, round(trained / 10))))
