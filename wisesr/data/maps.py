"""Feature maps of images that are kept: what a batch of a training whose backbone is frozen is made of.

A convolution's last bits may depend on how many images it sees at once, and at some places of a batch on that place; in batches
of one full size no neighbour changes a map (a store checks that when it is built). So maps are kept as they came from
full batches, and those of the last, smaller batch of an evaluation as they came from exactly that batch. Of the last
batch of a training epoch, which is another in each, none are kept: it goes through the backbone.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wisesr.data.rows.keys import KEY
from wisesr.data.rows.store import Rows

Place = tuple[int, int | None]
"""Position of an image in the manifest, and the number of its random view; None for the view of testing."""


class Layout(NamedTuple):
    """How the maps of a backbone lie in memory: a head's last bits depend on it."""

    shape: tuple[int, ...]
    """Of one image's map: (channels, height, width)."""
    strides: tuple[int, ...]
    """Values from one image, channel, row, column to the next."""
    dtype: str
    """`float32`: of torch."""
    stored: str
    """The same, or `float16`."""

    @classmethod
    def of(cls, maps: Tensor, *, half: bool) -> Layout:
        """That of a batch of maps, (batch, channels, height, width); half: whether they are stored as float16."""
        if half:  # which closes gaps
            maps = maps.half().to(maps.dtype)
        dtype = str(maps.dtype).removeprefix("torch.")
        return cls(tuple(maps.shape[1:]), maps.stride(), dtype, "float16" if half else dtype)

    @property
    def order(self) -> tuple[int, ...]:
        """Dimensions of one image's map as they lie in memory, and in a row, the outermost first."""
        return tuple(sorted(range(len(self.shape)), key=lambda dim: (-self.strides[dim + 1], dim)))

    @property
    def values(self) -> int:
        """Of a row."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """Of a row."""
        return self.values * int(getattr(torch, self.stored).itemsize)

    def to_rows(self, maps: Tensor) -> NDArray[np.uint8]:
        """(batch, channels, height, width) -> (batch, bytes), uint8."""
        lying = maps.permute(0, *(dim + 1 for dim in self.order)).to(getattr(torch, self.stored)).contiguous()
        return lying.view(torch.uint8).reshape(len(maps), -1).cpu().numpy()

    def empty(self, count: int) -> tuple[Tensor, NDArray[np.uint8]]:
        """Memory for so many rows: as it is stored, and the same as bytes, (count, bytes)."""
        lying = torch.empty((count, *(self.shape[dim] for dim in self.order)), dtype=getattr(torch, self.stored))
        return lying, lying.view(torch.uint8).reshape(count, -1).numpy()

    def to_maps(self, lying: Tensor) -> Tensor:
        """Memory that rows were read into, as the maps that the backbone gave: same values, same strides."""
        back = [self.order.index(dim) + 1 for dim in range(len(self.order))]
        maps = lying.to(getattr(torch, self.dtype)).permute(0, *back)
        if not self.has_gaps:
            return maps
        shape = (len(maps), *self.shape)
        return torch.empty_strided(shape, self.strides, dtype=maps.dtype).copy_(maps)

    def noise(self, batch: int, generator: torch.Generator) -> Tensor:
        """(batch, channels, height, width) of such maps, of normally distributed values."""
        lying = torch.randn(batch, *(self.shape[dim] for dim in self.order), generator=generator)
        return self.to_maps(lying.to(getattr(torch, self.stored)))

    @property
    def has_gaps(self) -> bool:
        """Whether something lies between the maps of two images: a class token, where they are a transformer's."""
        reach = 1 + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides[1:], strict=True))
        return reach == self.values < self.strides[0]


class Maps:
    """Maps of a cell's images, by the batches that they are wanted for.

    Args:
        rows: of `places`, then of the images of `tails`.
        layout: of a row.
        places: of which maps are kept as full batches make them.
        tails: last, smaller batches of evaluations: positions in the manifest.
        batch_size: images of a full batch.
    """

    def __init__(
        self, rows: Rows, layout: Layout, places: Sequence[Place], tails: Sequence[tuple[int, ...]], batch_size: int
    ) -> None:
        self._rows, self._layout, self._batch_size = rows, layout, batch_size
        self._at = {place: row for row, place in enumerate(places)}
        starts = np.cumsum([len(places), *map(len, tails)])[:-1].tolist() if tails else []
        self._tails = dict(zip(tails, starts, strict=True))

    @property
    def dtype(self) -> str:
        """In which they are stored: `float32`."""
        return self._layout.stored

    def batch(self, places: Sequence[Place]) -> Tensor | None:
        """(batch, channels, height, width) as the backbone would give them for this batch; None of one that is not kept.

        Raises:
            OSError: they cannot be read any more.
        """
        if len(places) == self._batch_size:
            wanted = [self._at.get(place, -1) for place in places]
        else:
            start = self._tails.get(tuple(position for position, view in places if view is None), -1)
            wanted = [-1] if start < 0 else list(range(start, start + len(places)))
        if min(wanted) < 0:
            return None
        lying, rows = self._layout.empty(len(places))
        for row, at in zip(rows, wanted, strict=True):
            self._rows.read(at, row.data)
        return self._layout.to_maps(lying)


def keys_of_maps(digests: NDArray[np.uint8], places: Sequence[Place], tails: Sequence[Sequence[int]]) -> NDArray[np.uint8]:
    """What rows of maps are found by: (places and images of tails, KEY).

    Args:
        digests: of the manifest's images.
        places: as of `Maps`.
        tails: as of `Maps`.
    """
    keys = np.empty((len(places) + sum(map(len, tails)), KEY), np.uint8)
    for row, (position, view) in enumerate(places):
        keys[row] = digests[position] if view is None else _key(digests[position].tobytes(), b"view", view)
    row = len(places)
    for tail in tails:
        together = digests[list(tail)].tobytes()
        for number in range(len(tail)):
            keys[row] = _key(together, b"tail", number)
            row += 1
    return keys


def _key(content: bytes, kind: bytes, number: int) -> NDArray[np.uint8]:
    return np.frombuffer(hashlib.blake2b(b"%b %d " % (kind, number) + content, digest_size=KEY).digest(), np.uint8)
