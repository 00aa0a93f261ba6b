"""When a noisy curve first reaches a level: by a fit that never falls, so that no lucky epoch counts as the level.

The first value at or above a level comes the sooner the noisier a curve is. The least-squares fit that never falls has no such
bias: it follows the data alone, has no width to be chosen, and is crossed once (Barlow et al. 1972, Statistical Inference under
Order Restrictions). What comes after the curve's highest stretch is left out, so that a late decline does not pull it down.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def rising_fit(values: Sequence[float]) -> list[float]:
    """The sequence that never falls with the least squared distance to the values: neighbours that fall are pooled.

    Ayer et al. 1955, Annals of Mathematical Statistics 26:641-647.
    """
    sums: list[float] = []
    sizes: list[int] = []
    for value in values:
        total, size = value, 1
        while sums and sums[-1] * size >= total * sizes[-1]:  # the pool before has no lower mean
            total += sums.pop()
            size += sizes.pop()
        sums.append(total)
        sizes.append(size)
    return [total / size for total, size in zip(sums, sizes, strict=True) for _ in range(size)]


def highest_stretch(values: Sequence[float], window: int) -> tuple[float, int]:
    """The highest mean of so many values in a row, and the position after the first such stretch.

    Args:
        values: at least one.
        window: values in a stretch; all of them where there are fewer.
    """
    width = min(window, len(values))
    means = [math.fsum(values[start : start + width]) / width for start in range(len(values) - width + 1)]
    highest = max(means)
    return highest, means.index(highest) + width


def first_reached(goal: float, epochs: Sequence[int], values: Sequence[float], window: int) -> float | None:
    """The epoch at which a curve first reaches a goal, interpolated between epochs; None where it never does.

    It does where the mean of `window` epochs in a row does: a single epoch above the goal is no level.

    Args:
        goal: in the unit of the values.
        epochs: rising; a curve that is there in the first one has reached the goal then, as what came before is unknown.
        values: after each of them.
        window: as of `highest_stretch`.
    """
    highest, end = highest_stretch(values, window)
    if highest < goal:
        return None
    fit = rising_fit(values[:end])
    after = next((index for index, value in enumerate(fit) if value >= goal), end - 1)  # its end, but for the last bits
    if after == 0:
        return float(epochs[0])
    below, above = fit[after - 1], fit[after]
    share = (goal - below) / (above - below) if above > below else 1.0
    return epochs[after - 1] + min(1.0, share) * (epochs[after] - epochs[after - 1])
