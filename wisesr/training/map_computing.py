"""Feature maps of images as a training computes them: in full batches, or in exactly the batch that an evaluation ends with."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import torch
from lightning.pytorch import Trainer
from numpy.typing import NDArray
from torch import Tensor

from wisesr.data.datamodule import ImageData
from wisesr.data.decoded import require_same
from wisesr.data.maps import Layout, Place
from wisesr.errors import UserError
from wisesr.training.map_places import Places, Sizes, largest_distance
from wisesr.training.module import ClassificationModule

_HIGHEST = torch.finfo(torch.float16).max


class Rounding(NamedTuple):
    """What float16 has made of maps."""

    largest_error: float = 0.0
    largest_value: float = 0.0
    """The largest absolute value of a map."""
    squares: float = 0.0
    error_squares: float = 0.0

    def with_maps(self, exact: Tensor, rounded: Tensor) -> Rounding:
        """Those of further maps."""
        exact, error = exact.double(), (rounded.double() - exact.double()).abs()
        return Rounding(
            max(self.largest_error, float(error.max())),
            max(self.largest_value, float(exact.abs().max())),
            self.squares + float(exact.square().sum()),
            self.error_squares + float(error.square().sum()),
        )

    @property
    def relative(self) -> float:
        """Root of the mean square of the error, as a share of that of the maps."""
        return math.sqrt(self.error_squares / self.squares) if self.squares else 0.0


class MapComputing:
    """Computes rows of maps on a cell's device.

    Args:
        trainer: that is about to fit the module.
        module: on its device.
        data: of the cell.
        places, tails: as of `wisesr.data.maps.Maps`.
        half: whether rows are float16.
    """

    def __init__(
        self,
        trainer: Trainer,
        module: ClassificationModule,
        data: ImageData,
        places: Sequence[Place],
        tails: Sequence[tuple[int, ...]],
        *,
        half: bool,
    ) -> None:
        self._trainer, self._module, self._data = trainer, module, data
        self._places, self._tails, self._half = places, tails, half
        self.device = trainer.strategy.root_device
        self.rounding = Rounding()

    def layout(self) -> Layout:
        """How the maps of a full batch lie in memory."""
        images = torch.zeros(self._data.device_batch, 3, self._module.image_size, self._module.image_size)
        return Layout.of(self._maps(images), half=self._half)

    def rows(self, wanted: NDArray[np.int64], layout: Layout) -> Iterator[NDArray[np.uint8]]:
        """Rows of some of `places` and of the images of `tails`, in that order.

        Raises:
            UserError: an image cannot be read; a map is beyond what float16 holds.
        """
        batches = [*self._full(wanted), *self._of_tails(wanted)]
        for batch, maps in zip(batches, self._computed([batch.places for batch in batches]), strict=True):
            rows = layout.to_rows(maps)
            if self._half:
                self._note(maps)
            yield from rows[batch.rows]

    def places(self) -> Places:
        """Whether the maps of an image depend on its place in a full batch, and on what else is in that.

        A batch, its reverse, and batches of nothing but its first and its last image: each place is seen with one image.
        """
        some = [place for place in self._places if (place[1] is None) == (self._places[0][1] is None)]
        batch = some[: self._data.device_batch]
        ends = [[end] * len(batch) for end in (batch[0], batch[-1])]
        with Sizes() as sizes:
            forth, back, *alone = (self._kept(maps) for maps in self._computed([batch, batch[::-1], *ends]))
        pairs = [(forth, back.flip(0)), *((maps, end.expand_as(maps)) for maps, end in zip(alone, forth[[0, -1]], strict=True))]
        on_cpu = self.device.type == "cpu"
        return Places(
            max(largest_distance(one, other) for one, other in pairs),
            on_cpu and sizes.left_over(len(batch), torch.get_num_threads()),
        )

    def _kept(self, maps: Tensor) -> Tensor:
        return maps.half().to(maps.dtype) if self._half else maps

    def _full(self, wanted: NDArray[np.int64]) -> Iterator[_Batch]:
        """Full batches, the last one filled up with images that nobody wants: neighbours change no map."""
        singles = [self._places[index] for index in wanted.tolist() if index < len(self._places)]
        for of_views, group in groupby(singles, key=lambda place: place[1] is not None):
            alike, some = list(group), [place for place in self._places if (place[1] is not None) == of_views]
            for start in range(0, len(alike), self._data.device_batch):
                mine = alike[start : start + self._data.device_batch]
                more = self._data.device_batch - len(mine)
                yield _Batch(mine + (some * (1 + more // len(some)))[:more], list(range(len(mine))))

    def _of_tails(self, wanted: NDArray[np.int64]) -> Iterator[_Batch]:
        start, asked = len(self._places), set(wanted.tolist())
        for tail in self._tails:
            rows = [number for number in range(len(tail)) if start + number in asked]
            if rows:
                yield _Batch([(position, None) for position in tail], rows)
            start += len(tail)

    def _computed(self, batches: Sequence[Sequence[Place]]) -> Iterator[Tensor]:
        for places, batch in zip(batches, self._data.batches_of(batches), strict=True):
            if isinstance(batch, UserError):
                raise batch
            for position in {position for position, _ in places}:
                require_same(self._data.manifest, position)  # a row is found by what the file was
            yield self._maps(batch.images)

    def _maps(self, images: Tensor) -> Tensor:
        """(batch, 3, size, size) -> (batch, channels, height, width), as in a step of training."""
        plugin: Any = self._trainer.precision_plugin
        with torch.no_grad(), plugin.val_step_context():
            return self._module.maps_of(self._module.model, plugin.convert_input(images.to(self._trainer.strategy.root_device)))

    def _note(self, maps: Tensor) -> None:
        highest = float(maps.abs().max())
        if not highest <= _HIGHEST:
            raise UserError(f"dataset.features=fp16 holds values up to {_HIGHEST:.0f}, and maps have {highest:.3g}")
        self.rounding = self.rounding.with_maps(maps, maps.half())


class _Batch(NamedTuple):
    places: list[Place]
    rows: list[int]
    """Of them, those that are wanted."""
