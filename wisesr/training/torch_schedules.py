"""Schedulers of torch.optim.lr_scheduler, by name, for `recipe.schedule`.

A scheduler is stepped through the whole run on an optimizer without weights, and its rates are kept as factors of the
optimizer's rate: so a run that resumes needs nothing of its state. Settings that count (`step_size`, `T_max`, `milestones`,
`total_steps`, ...) count epochs, as in Lightning, or with the key `interval: step` optimizer steps.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import nn
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import LRScheduler

from wisesr.errors import UserError
from wisesr.training.schedules import Schedule
from wisesr.types import Steps

INTERVAL = "interval"
"""The key beside a scheduler's own settings."""


def asked_at_each_step(scheduler: type[LRScheduler]) -> list[str]:
    """What a scheduler's `step` must be called with: `metrics`, which a schedule, a function of the step alone, cannot have."""
    _, *asked = inspect.signature(scheduler.step).parameters.values()
    return [own.name for own in asked if own.default is own.empty]


def schedule_of(
    scheduler: type[LRScheduler],
    settings: Mapping[str, Any],
    steps: Steps,
    optimizer: Callable[[Iterable[dict[str, Any]]], Optimizer],
    interval: str,
) -> Schedule:
    """A scheduler as a function from the optimizer step to a factor of the optimizer's rate.

    Its settings count what `interval` says, "epoch" or "step". The optimizer is the recipe's, to whose rate those of schedulers
    with rates of their own (OneCycleLR) are related.

    Raises:
        UserError: another interval, a scheduler that turns more than the rate, whatever it refuses.
    """
    if interval not in ("epoch", "step"):
        raise UserError(f"recipe.schedule.interval must be one of epoch, step, not {interval!r}")
    rate = float(optimizer([{"params": [nn.Parameter(torch.zeros(1))], "names": ["weight"]}]).param_groups[0]["lr"])
    try:
        rates = _rates(scheduler, settings, rate, steps.epochs if interval == "epoch" else steps.total)
    except UserError:
        raise
    except Exception as error:  # whatever a scheduler raises at settings that it cannot use
        what = f"{scheduler.__name__} refuses its settings, counted in {interval}s"
        raise UserError(f"recipe.schedule: {what}: {error}") from error
    factors = [value / rate for value in rates]
    each = steps.per_epoch if interval == "epoch" else 1
    return lambda step: factors[min(step // each, len(factors) - 1)]


def _rates(scheduler: type[LRScheduler], settings: Mapping[str, Any], rate: float, count: int) -> list[float]:
    """The rate at the start and after each of `count` steps of the scheduler, which must leave the momentum alone."""
    optimizer = SGD([nn.Parameter(torch.zeros(1))], lr=rate, momentum=0.9)
    running = scheduler(optimizer, **settings)
    (group,) = optimizer.param_groups
    rates, momentum = [float(group["lr"])], group["momentum"]
    for _ in range(count):
        optimizer.step()
        running.step()
        rates.append(float(group["lr"]))
        if group["momentum"] != momentum:
            raise UserError(
                f"recipe.schedule: {scheduler.__name__} turns the momentum too, and a schedule turns the rate alone: "
                f"recipe.schedule.cycle_momentum=false"
            )
    return rates
