"""A few steps of a cell, done and timed with weights at random: what an image takes. For the planner's child.

On real images; of a cell that reads kept rows on some that lie in memory, as rows that were read before do.

What else the machine does at that moment makes nothing longer here, as far as can be: of repeats the quickest counts, and
decoding and a step with one thread are timed by the CPU. Several threads wait for one another where others have the cores, so
that their time by the clock counts only where it is no longer than one thread's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

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
_PER_ROW, _READ = 1.5e-5, 2e9
"""Seconds of reading a kept row of maps, and bytes a second of what it holds: from memory, where the system keeps it."""

Clock = Callable[[], float]


class ImageTime(NamedTuple):
    """Seconds an image."""

    train: float
    """Of training: decoding, augmentation, and its part of a step."""
    measure: float
    """Of measuring accuracy, the same."""
    decode: float
    """Of that, decoding and what else is done before the model sees it."""


def time_steps(parts: Parts, threads: int, *, trains: bool = True) -> ImageTime:
    """What an image of a cell takes that reads images, or views of images (`Parts.data.kept`).

    Args:
        parts: of the cell, on the CPU without processes that decode.
        threads: of the cell.
        trains: whether its training is timed, too; else that is told as none.
    """
    seconds = [0.0]
    ways = [(parts.data.train_dataloader, _training)] * trains + [(lambda: parts.data.val_dataloader()[0], _measuring)]
    for loader, make in ways:
        batches = _first(loader) if parts.data.kept else _endless(loader)
        decoded: list[Batch] = [next(batches)] if parts.data.kept else []  # from then on they are in memory
        decoding = _quickest(lambda: decoded.append(next(batches)), time.process_time)  # noqa: B023  # called here and now
        largest = max(decoded, key=lambda each: len(each.images))
        decode = decoding / len(largest.images)
        step = _shared(make(parts, largest), threads)
        seconds.append(decode + (step + _around(parts)) / len(largest.images))
    return ImageTime(seconds[-2], seconds[-1], decode)


def time_maps(parts: Parts, threads: int, batch: int) -> tuple[float, float]:
    """Seconds an image of a cell that reads the maps of its backbone: of training, and of measuring accuracy.

    Args:
        parts: of the cell, on the CPU.
        threads: of the cell.
        batch: images of a step.
    """
    import torch

    from wisesr.data.batches import Batch

    maps = torch.rand(batch, *parts.module.model.backbone.feature_shape)
    labels = torch.randint(len(parts.module.class_names), (batch,))
    given = Batch(maps, labels, labels, are_maps=True)
    reading = _PER_ROW + maps[0].numel() * maps.element_size() / _READ
    train, measure = (_shared(make(parts, given), threads) for make in (_training, _measuring))
    around = _around(parts)
    return reading + (train + around) / batch, reading + (measure + around) / batch


def _around(parts: Parts) -> float:
    return _AROUND * min(1.0, parts.data.steps.batch_size / 8)


def _training(parts: Parts, batch: Batch) -> Callable[[], None]:
    module, plugin = parts.module.train(), _plugin(parts)
    optimizer = module.make_optimizer(module.model)

    def step() -> None:
        with plugin.train_step_context():
            images, targets = module.objective.mix(plugin.convert_input(batch.images), batch.labels)
            logits = module.logits_of_batch(module.model, images, are_maps=batch.are_maps)
            loss = module.objective(logits, targets).mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def _measuring(parts: Parts, batch: Batch) -> Callable[[], None]:
    import torch

    module, plugin = parts.module.eval(), _plugin(parts)

    def step() -> None:
        with torch.no_grad(), plugin.val_step_context():
            module.logits_of_batch(module.measured, plugin.convert_input(batch.images), are_maps=batch.are_maps)

    return step


def _plugin(parts: Parts) -> Any:
    from wisesr.training.trainer import make_trainer

    return make_trainer(parts.trainer, 1, []).precision_plugin


def _endless(loader: Callable[[], Any]) -> Iterator[Batch]:
    while True:
        yield from loader()


def _first(loader: Callable[[], Any]) -> Iterator[Batch]:
    """The first batch, again and again."""
    while True:
        yield next(iter(loader()))


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
