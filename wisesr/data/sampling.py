"""Which images make which batch: a pure function of (seed, epoch), whole over devices and accumulation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler

from wisesr.types import derive_seed

Key = tuple[int, int]
"""(epoch, index of the image): all that a sample's randomness depends on, beside the seed."""


def epoch_order(count: int, seed: int, epoch: int) -> list[int]:
    """A permutation of range(count) that depends on nothing but its arguments."""
    generator = np.random.Generator(np.random.PCG64(derive_seed(seed, "order", epoch)))
    return [int(index) for index in generator.permutation(count)]


def divide(batch: list[int], parts: int) -> list[list[int]]:
    """A global batch in as many parts as devices x accumulation, sizes differing by at most one, none empty.

    A last batch of fewer images than parts gives some images to two parts.
    """
    size = len(batch)
    bounds = [round(part * size / parts) for part in range(parts + 1)]
    return [batch[low:high] or [batch[low % size]] for low, high in zip(bounds, bounds[1:], strict=False)]


def smallest_part(count: int, batch_size: int, parts: int) -> int:
    """Images that one device is given at once, at least, in an epoch of `count` images, a batch divided as by `divide`."""
    last = (count - 1) % batch_size + 1
    sizes = {min(count, batch_size), last}
    return min(len(part) for size in sizes for part in divide(list(range(size)), parts))


class TrainBatches(Sampler[list[Key]]):
    """Batches of one device.

    Args:
        count: training images.
        batch_size: images in one optimizer step.
        seed: of the cell.
        rank, world: this device and how many there are.
        accumulate: batches of one device in one optimizer step.

    Lightning calls `set_epoch` before each epoch.

    Attributes:
        sampler: itself; Lightning looks for `set_epoch` there and not on the batch sampler.
            https://github.com/Lightning-AI/pytorch-lightning/blob/2.6.0/src/lightning/fabric/utilities/data.py
    """

    def __init__(self, count: int, batch_size: int, *, seed: int, rank: int, world: int, accumulate: int) -> None:
        self._count, self._batch_size, self._seed = count, batch_size, seed
        self._rank, self._world, self._accumulate = rank, world, accumulate
        self._epoch = 0
        self.sampler = self

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose batches come next."""
        self._epoch = epoch

    def __len__(self) -> int:
        return -(-self._count // self._batch_size) * self._accumulate

    def __iter__(self) -> Iterator[list[Key]]:
        order = epoch_order(self._count, self._seed, self._epoch)
        for start in range(0, self._count, self._batch_size):
            parts = divide(order[start : start + self._batch_size], self._world * self._accumulate)
            for part in parts[self._rank :: self._world]:
                yield [(self._epoch, index) for index in part]


class TestBatches(Sampler[list[Key]]):
    """All images in order, every `world`-th of them on this device: each is seen exactly once, none repeated to fill up."""

    __test__ = False  # not a pytest class

    def __init__(self, count: int, batch_size: int, *, rank: int, world: int) -> None:
        self._mine = range(rank, count, world)
        self._batch_size = batch_size

    def __len__(self) -> int:
        return -(-len(self._mine) // self._batch_size)

    def __iter__(self) -> Iterator[list[Key]]:
        for start in range(0, len(self._mine), self._batch_size):
            yield [(0, index) for index in self._mine[start : start + self._batch_size]]
