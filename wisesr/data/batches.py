"""Images into batches, each written into its row at once; every sample a pure function of (seed, epoch, image)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, get_worker_info

from wisesr.data.augmentation import Augmentation
from wisesr.data.manifest import Manifest
from wisesr.data.sampling import Key
from wisesr.errors import UserError
from wisesr.types import derive_seed


class Batch(NamedTuple):
    """What a step sees."""

    images: Tensor
    """(batch, 3, size, size), float32, normalised."""
    labels: Tensor
    """(batch,), int64."""
    positions: Tensor
    """(batch,), int64: index of each image in the manifest."""


class Images(Dataset[tuple[Tensor, int, int] | UserError]):
    """One split, or images by their positions: (epoch, index among them) -> image, label, index in the manifest."""

    def __init__(
        self, manifest: Manifest, images: str | NDArray[np.int64], augment: Augmentation, *, training: bool, seed: int
    ) -> None:
        self._manifest, self._augment, self._training, self._seed = manifest, augment, training, seed
        self._indices = manifest.indices(images) if isinstance(images, str) else images

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, key: Key) -> tuple[Tensor, int, int] | UserError:
        batch = self.__getitems__([key])
        return batch if isinstance(batch, UserError) else (batch.images[0], int(batch.labels[0]), int(batch.positions[0]))

    def __getitems__(self, keys: Sequence[Key]) -> Batch | UserError:
        """A batch, as a DataLoader asks for it (https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.Dataset).

        An image that cannot be read is returned as an error, to be raised in the main process: a worker would wrap it in its
        traceback.
        """
        positions = self._indices[[index for _, index in keys]]
        rows = _Rows(len(keys))
        try:
            with torch.random.fork_rng(devices=[]):
                for (epoch, _), position in zip(keys, positions.tolist(), strict=True):
                    image = self._manifest.load(position)
                    torch.default_generator.manual_seed(derive_seed(self._seed, "sample", epoch, position))
                    self._augment.write(image, rows.next, training=self._training)
        except UserError as error:
            return error
        labels = np.asarray(self._manifest.labels)[positions].astype(np.int64)
        return Batch(rows.images, torch.from_numpy(labels), torch.from_numpy(positions))


class _Rows:
    """The tensors of a batch as rows of one, which is made as the first one asks for its place."""

    images: Tensor

    def __init__(self, count: int) -> None:
        self._count, self._taken = count, 0

    def next(self, shape: torch.Size, dtype: torch.dtype) -> Tensor:
        """The next row, empty.

        Raises:
            UserError: it would be of another shape or type than those before it.
        """
        if not self._taken:
            self.images = _empty((self._count, *shape), dtype)
        row = self.images[self._taken]
        if row.shape != shape or row.dtype != dtype:
            raise UserError(
                f"augment must make tensors of one shape and type, not of {tuple(row.shape)}, {row.dtype}, and of "
                f"{tuple(shape)}, {dtype}"
            )
        self._taken += 1
        return row


def _empty(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """In a worker process in memory that it shares, or else a batch would be copied there to be sent.

    As `torch.utils.data.default_collate` does it:
    https://github.com/pytorch/pytorch/blob/v2.9.0/torch/utils/data/_utils/collate.py
    """
    if get_worker_info() is None:
        return torch.empty(shape, dtype=dtype)
    storage = torch.UntypedStorage._new_shared(math.prod(shape) * dtype.itemsize)
    empty: Tensor = torch.empty(0, dtype=dtype).set_(storage, 0, shape)  # type: ignore[call-overload]
    return empty
