"""A few steps of a cell, done and timed on real images, with weights at random: what an image takes. For the planner's child.

What else the machine does at that moment makes nothing longer here, as far as can be: of repeats the quickest counts, and
decoding and a step with one thread are timed by the CPU. Several threads wait for one another where others have the cores, so
that their time by the clock counts only where it is no longer than one thread's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wisesr.build.cell import Parts
    from wisesr.data.datamodule import Batch

_LONGEST, _ENOUGH = 6.0, 1.5
"""Seconds of a first step after which it counts, as it is; seconds of further ones after which there are no more."""
_FEWEST, _MOST = 2, 12
_TOGETHER = 0.8
"""What a thread does of its own speed beside others, where that could not be measured."""
_AROUND = 0.004
"""Seconds of a step beside model and images: Lightning's hooks, the figures of training."""

Clock = Callable[[], float]


def time_steps(parts: Parts, threads: int) -> tuple[float, float]:
    """Seconds an image, decoding included: of training, and of measuring accuracy.

    Args:
        parts: of the cell, on the CPU without processes that decode.
        threads: of the cell.
    """
    from wisesr.training.trainer import make_trainer

    plugin = make_trainer(parts.trainer, 1, []).precision_plugin
    batch = parts.data.steps.batch_size
    seconds = []
    for loader, make in (
        (parts.data.train_dataloader, _training),
        (lambda: parts.data.val_dataloader()[0], _measuring),
    ):
        batches = _endless(loader)
        decoded: list[Batch] = []
        decoding = _quickest(lambda: decoded.append(next(batches)), time.process_time)  # noqa: B023  # called here and now
        largest = max(decoded, key=lambda each: len(each.images))
        step = _shared(make(parts, plugin, largest), threads)
        seconds.append((decoding + step + _AROUND * min(1.0, batch / 8)) / len(largest.images))
    return seconds[0], seconds[1]


def _training(parts: Parts, plugin: Any, batch: Batch) -> Callable[[], None]:
    module = parts.module.train()
    optimizer = module.make_optimizer(module.model)

    def step() -> None:
        with plugin.train_step_context():
            images, targets = module.objective.mix(plugin.convert_input(batch.images), batch.labels)
            loss = module.objective(module.logits_of(module.model, images), targets).mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def _measuring(parts: Parts, plugin: Any, batch: Batch) -> Callable[[], None]:
    import torch

    module = parts.module.eval()

    def step() -> None:
        with torch.no_grad(), plugin.val_step_context():
            module.logits_of(module.measured, plugin.convert_input(batch.images))

    return step


def _endless(loader: Callable[[], Any]) -> Iterator[Batch]:
    while True:
        yield from loader()


def _shared(step: Callable[[], None], threads: int) -> float:
    """Seconds of a step with so many threads."""
    import torch

    torch.set_num_threads(1)
    alone = _quickest(step, time.process_time)
    if threads == 1:
        return alone
    torch.set_num_threads(threads)
    together = _quickest(step, time.perf_counter)
    return max(together, alone / threads) if together <= alone else alone / (_TOGETHER * threads)


def _quickest(run: Callable[[], None], clock: Clock) -> float:
    """Seconds of a run, the least of a few after the first; the first, where it took long."""
    seconds = _timed(run, clock)
    if seconds > _LONGEST:
        return seconds
    times: list[float] = []
    while len(times) < _FEWEST or (sum(times) < _ENOUGH and len(times) < _MOST):
        times.append(_timed(run, clock))
    return min(times)


def _timed(run: Callable[[], None], clock: Clock) -> float:
    began = clock()
    run()
    return clock() - began
