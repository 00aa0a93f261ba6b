"""Images into batches, each written into its row at once; every sample a pure function of (seed, epoch, image)."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, get_worker_info

from wisesr.data.augmentation import Augmentation
from wisesr.data.batch_memory import empty_batch
from wisesr.data.decoded import Pictures
from wisesr.data.manifest import Manifest
from wisesr.data.maps import Maps
from wisesr.data.pipeline import Place
from wisesr.data.sampling import Key
from wisesr.errors import UserError
from wisesr.types import derive_seed

log = logging.getLogger("wisesr")


class Batch(NamedTuple):
    """What a step sees."""

    images: Tensor
    """(batch, 3, size, size), float32, normalised."""
    labels: Tensor
    """(batch,), int64."""
    positions: Tensor
    """(batch,), int64: index of each image in the manifest."""
    are_maps: bool = False
    """Whether `images` are the feature maps of the images, (batch, channels, height, width), which a head goes on with."""


class Images(Dataset[tuple[Tensor, int, int] | UserError]):
    """One split, or images by their positions: (epoch, index among them) -> image, label, index in the manifest.

    Args:
        manifest: with the images.
        images: the name of a split, or positions.
        augment: image -> tensor.
        training: whether they are augmented.
        seed: of the cell.
        kept: views of images that need not be decoded; None for none.
        maps: feature maps that need not be computed; None for none.
        views: how many random views each training image has, in place of a new one in every epoch; None for that.
    """

    def __init__(
        self,
        manifest: Manifest,
        images: str | NDArray[np.int64],
        augment: Augmentation,
        *,
        training: bool,
        seed: int,
        kept: Pictures | None = None,
        maps: Maps | None = None,
        views: int | None = None,
    ) -> None:
        self._manifest, self._augment, self._training, self._seed = manifest, augment, training, seed
        self._kept, self._maps, self._views = kept, maps, views if training else None
        self._indices = manifest.indices(images) if isinstance(images, str) else images
        self._labels = np.asarray(manifest.labels)
        self.sends_pixels = False
        """Whether worker processes leave it to whoever receives a batch to make it `finished`."""

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
        labels = torch.from_numpy(self._labels[positions].astype(np.int64))
        if (maps := self._maps_of(keys, positions)) is not None:
            return Batch(maps, labels, torch.from_numpy(positions), are_maps=True)
        rows, in_worker = _Rows(len(keys)), get_worker_info() is not None
        try:
            with torch.random.fork_rng(devices=[]):
                for (epoch, _), position in zip(keys, positions.tolist(), strict=True):
                    self._write(epoch, position, rows.next, floats=in_worker and not self.sends_pixels)
        except UserError as error:
            return error
        batch = Batch(rows.images, labels, torch.from_numpy(positions))
        return batch if in_worker else self.finished(batch)

    def _maps_of(self, keys: Sequence[Key], positions: NDArray[np.int64]) -> Tensor | None:
        """The maps of a batch; None of one that must be computed.

        Maps that cannot be read any more are: what is computed then is the same.
        """
        if self._maps is None:
            return None
        at, views = positions.tolist(), list[int | None]([None] * len(keys))
        if self._views is not None:
            epochs = [epoch for epoch, _ in keys]
            views = [view_of(self._seed, epoch, place, self._views) for epoch, place in zip(epochs, at, strict=True)]
        try:
            return self._maps.batch(list(zip(at, views, strict=True)))
        except OSError as error:
            log.warning("kept maps cannot be read any more, and are computed again: %s", error)
            self._maps = None
            return None

    def _write(self, epoch: int, position: int, place: Place, *, floats: bool) -> None:
        """An image, in the view of an epoch, into its row of the batch."""
        augment, pixels = self._augment, self._kept.pixels(position) if self._kept is not None else None
        if pixels is None:
            image = self._manifest.load(position)
            torch.default_generator.manual_seed(self._seed_of(epoch, position))
            (augment.write if floats else augment.write_pixels)(image, place, training=self._training)
        else:
            torch.default_generator.manual_seed(self._seed_of(epoch, position))
            (augment.write_view if floats else augment.write_view_pixels)(pixels, place, training=self._training)

    def _seed_of(self, epoch: int, position: int) -> int:
        if self._views is None:
            return derive_seed(self._seed, "sample", epoch, position)
        return view_seed(self._manifest, position, view_of(self._seed, epoch, position, self._views))

    def finished(self, batch: Batch | UserError) -> Batch | UserError:
        """A batch of pixels as one of normalised floats; others as they are."""
        if isinstance(batch, UserError) or batch.are_maps:
            return batch
        return batch._replace(images=self._augment.finish(batch.images, training=self._training))


def view_of(seed: int, epoch: int, position: int, views: int) -> int:
    """Which of its random views an image shows in an epoch of a cell with this seed, from 0."""
    return derive_seed(seed, "view", epoch, position) % views


def view_seed(manifest: Manifest, position: int, view: int) -> int:
    """What a random view of an image is drawn from: its content, so that it is the same in all cells."""
    return derive_seed("view", np.asarray(manifest.digests)[position].tobytes().hex(), view)


class FixedViews(Images):
    """Images by their positions in random views that are fixed: (number of the view, position)."""

    def _seed_of(self, epoch: int, position: int) -> int:
        return view_seed(self._manifest, position, epoch)


class Loader(DataLoader[Batch]):
    """Whole batches of `Images`, finished here where worker processes send pixels: a quarter of the bytes, and filling new
    shared memory is what costs most in sending them.
    """

    dataset: Images  # type: ignore[assignment]  # which makes whole batches

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        return map(self.dataset.finished, super().__iter__())


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
            self.images = self._all(shape, dtype)
            self._rows = self.images.unbind()
        row = self._rows[self._taken]
        if row.shape != shape or row.dtype != dtype:
            raise UserError(
                f"augment must make tensors of one shape and type, not of {tuple(row.shape)}, {row.dtype}, and of "
                f"{tuple(shape)}, {dtype}"
            )
        self._taken += 1
        return row

    def _all(self, shape: torch.Size, dtype: torch.dtype) -> Tensor:
        """Pixels with their channels last, as pictures have them: they are copied there ten times as fast."""
        if dtype != torch.uint8 or len(shape) != 3:
            return _empty((self._count, *shape), dtype)
        channels, height, width = shape
        return _empty((self._count, height, width, channels), dtype).permute(0, 3, 1, 2)


def _empty(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """In a worker process in memory that it shares, or else a batch would be copied there to be sent.

    As `torch.utils.data.default_collate` does it:
    https://github.com/pytorch/pytorch/blob/v2.9.0/torch/utils/data/_utils/collate.py
    """
    if get_worker_info() is None:
        return empty_batch(shape, dtype)
    storage = torch.UntypedStorage._new_shared(math.prod(shape) * dtype.itemsize)
    empty: Tensor = torch.empty(0, dtype=dtype).set_(storage, 0, shape)  # type: ignore[call-overload]
    return empty
