"""A bare PyTorch loop that takes a step whenever something else in the process has taken one."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import torch
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.optimizer import register_optimizer_step_post_hook

from wisesr.build.cell import Parts

NVML = "PYTORCH_NVML_BASED_CUDA_CHECK"
"""What Lightning sets, and a process without it does not: Adam looks for a GPU's driver before each step then."""
WARM = 10
"""Steps before those that count."""


class Taken(NamedTuple):
    """Seconds of the steps that count, in pairs."""

    own: list[float]
    bare: list[float]

    @property
    def over(self) -> float:
        """Milliseconds over the bare loop, the median over pairs."""
        return 1e3 * statistics.median(own - bare for own, bare in zip(self.own, self.bare, strict=True))

    @property
    def ratio(self) -> float:
        """Of the medians."""
        return statistics.median(self.own) / statistics.median(self.bare)

    @property
    def mean(self) -> float:
        """Milliseconds over the bare loop on average, what happens twice a second included."""
        return 1e3 * (statistics.mean(self.own) - statistics.mean(self.bare))


def bare_loop(parts: Parts) -> Iterator[float]:
    """Seconds of each step of a loop as one writes it by hand."""
    module, loader = parts.module, parts.data.train_dataloader()
    model, objective = module.model.train(), module.objective
    optimizer = module.make_optimizer(model)
    scheduler = LambdaLR(optimizer, module._schedule)
    layout = torch.channels_last
    for epoch in range(module.steps.epochs):
        loader.batch_sampler.set_epoch(epoch)  # type: ignore[union-attr]
        batches, total = iter(loader), torch.zeros(())
        while True:
            start = time.perf_counter()
            if (batch := next(batches, None)) is None:
                break
            optimizer.zero_grad()
            loss = objective(model(batch.images.contiguous(memory_format=layout)), batch.labels).mean()
            loss.backward()
            optimizer.step()
            scheduler.step()
            total += loss.detach()
            yield time.perf_counter() - start


class EnoughError(Exception):
    """All steps are taken: what trains is left there."""


class Alternating:
    """Takes a step of the bare loop after each step of whatever else trains in this process, and times both."""

    def __init__(self, parts: Parts, steps: int) -> None:
        self.own: list[float] = []
        self.bare: list[float] = []
        self._loop, self._steps = bare_loop(parts), steps + WARM
        self._inside, self._since = False, 0.0

    def __call__(self, *_: Any) -> None:
        """After `optimizer.step()`."""
        if self._inside:
            return
        if len(self.own) == self._steps:
            raise EnoughError
        self.own.append(time.perf_counter() - self._since)
        self._inside, lightning_has = True, os.environ.pop(NVML, "0")
        with torch.enable_grad():
            self.bare.append(next(self._loop))
        self._inside, os.environ[NVML] = False, lightning_has
        self._since = time.perf_counter()

    def taken(self, per_epoch: int) -> Taken:
        """The steps that count: not the first ones, and of an epoch not the first, before which there is more than loading."""
        counted = [number for number in range(WARM, len(self.own)) if number % per_epoch]
        return Taken([self.own[number] for number in counted], [self.bare[number] for number in counted])


@contextmanager
def alternating(parts: Parts, steps: int) -> Iterator[Alternating]:
    """Alternate while within, until so many steps are taken."""
    turns = Alternating(parts, steps)
    handle = register_optimizer_step_post_hook(turns)
    try:
        with suppress(EnoughError):
            yield turns
    finally:
        handle.remove()
