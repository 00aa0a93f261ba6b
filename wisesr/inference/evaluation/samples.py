"""Pictures decoded into batches; one that cannot be read is told and stops nothing."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from wisesr.data.augmentation import Augmentation
from wisesr.data.image_file import UNREADABLE, reading_problem
from wisesr.data.sampling import TestBatches
from wisesr.errors import UserError
from wisesr.inference.evaluation.pictures import Pictures
from wisesr.types import derive_seed

Indices = list[int]
"""Of the pictures of a batch."""
ROOM = 1 << 30
"""Bytes of decoded pictures that are kept for the next model, at most."""


class Sample(NamedTuple):
    """A picture as the model sees it."""

    at: int
    """Which of the pictures."""
    image: Tensor
    """(3, size, size), float32, normalised."""
    side: int
    """The shorter one of the picture as it was, pixels."""


class Unread(NamedTuple):
    """A picture that cannot be read."""

    at: int
    """Which of the pictures."""
    reason: str


class Samples(Dataset[Sample | Unread]):
    """index -> the picture as the model sees it in testing, drawn as `wisesr.data.datamodule.Images` draws it.

    Args:
        pictures: that are decoded.
        augment: image -> tensor.
        seed: of the cell.
    """

    def __init__(self, pictures: Pictures, augment: Augmentation, seed: int) -> None:
        self._pictures, self._augment, self._seed = pictures, augment, seed

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, index: int) -> Sample | Unread:
        place = int(self._pictures.places[index])
        try:
            image = self._pictures.load(place)
        except UserError as error:
            cause = error.__cause__
            return Unread(index, reading_problem(cause) if isinstance(cause, UNREADABLE) else str(error))
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(derive_seed(self._seed, "sample", 0, place))
            return Sample(index, self._augment(image, training=False), min(image.size))


def batches_of(count: int, size: int, devices: int) -> list[Indices]:
    """Which pictures go through the model together, as in training: those of the first device, then of the next.

    Args:
        count: pictures.
        size: of a batch.
        devices: that the run was trained on.
    """
    parts = (TestBatches(count, size, rank=rank, world=devices) for rank in range(devices))
    return [[index for _, index in batch] for part in parts for batch in part]


class Decoder:
    """Goes through pictures in batches, and keeps them decoded for the next model that asks for the same ones."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._key: Hashable = None
        self._kept: dict[int, Sample | Unread] = {}

    def batches(
        self, key: Hashable, samples: Samples, batches: Sequence[Indices], workers: int
    ) -> Iterator[list[Sample | Unread]]:
        """The samples of each batch.

        Args:
            key: equal only for pictures that are decoded to the same tensors.
            samples: what decodes them.
            batches: indices of each.
            workers: processes that decode; 0 for none but this one.
        """
        if key == self._key and len(self._kept) == len(samples):
            yield from ([self._kept[index] for index in batch] for batch in batches)
            return
        self._key, self._kept, used = key, {}, 0
        for batch in _decoded(samples, batches, workers):
            used += sum(sample.image.nbytes for sample in batch if isinstance(sample, Sample))
            if used <= self._room:
                self._kept.update((sample.at, sample) for sample in batch)
            else:
                self._key, self._kept = None, {}
            yield batch


def _decoded(samples: Samples, batches: Sequence[Indices], workers: int) -> Iterable[list[Sample | Unread]]:
    return DataLoader(samples, batch_sampler=batches, collate_fn=_as_it_is, num_workers=workers)


def _as_it_is(batch: list[Sample | Unread]) -> list[Sample | Unread]:
    return batch
