"""Learning rates as pure functions of the optimizer step, for `recipe.schedule`.

A schedule takes the run's steps and answers with a function step -> factor of the optimizer's rate.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from wisesr.types import Steps

Schedule = Callable[[int], float]


def cosine(steps: Steps, *, warmup: float) -> Schedule:
    """Linear warm-up, then half a cosine down to zero (Loshchilov and Hutter 2016, https://arxiv.org/abs/1608.03983).

    The warm-up is the share of all steps in which the rate rises, in [0, 1).

    Raises:
        ValueError: warmup out of its range.
    """
    if not 0 <= warmup < 1:
        raise ValueError(f"recipe.schedule.warmup must be at least 0 and below 1, not {warmup}")
    rising = round(warmup * steps.total)

    def factor(step: int) -> float:
        if step < rising:
            return (step + 1) / (rising + 1)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - rising) / max(1, steps.total - rising))))

    return factor


def staircase(steps: Steps, *, factor: float, epochs: int) -> Schedule:
    """Factor ^ floor(step / decay_steps), decay_steps = epochs * floor(train_images / batch): the paper's notebooks.

    As floor, not ceil, counts the batches, the rate falls a little before the epochs are over when the last batch is smaller.
    Each fall multiplies it with the factor; epochs count from one fall to the next.

    Raises:
        ValueError: a factor that is not positive, less than one epoch.
    """
    if factor <= 0 or epochs < 1:
        raise ValueError(f"recipe.schedule must have factor > 0 and epochs >= 1, not {factor} and {epochs}")
    decay_steps = epochs * max(1, steps.train_images // steps.batch_size)
    return lambda step: float(factor ** (step // decay_steps))
