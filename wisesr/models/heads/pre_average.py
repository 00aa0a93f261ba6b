"""Pre-averaging: the map is made coarser before a kernel is learned on it (Wise-SrNet, arXiv 2104.12294)."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from wisesr.types import FeatureShape

PrePoolMode = Literal["valid", "ceil"]
"""What becomes of rows and columns beyond the last whole window: "valid" drops them, as the paper; "ceil" averages what is
left of a window over the positions that it holds. Signatures of heads spell it out: they are read as source."""


class PreAverage(NamedTuple):
    """Averaging of a map in windows, stride = side of the window."""

    shape: FeatureShape
    """Of the map before it."""
    pool: int
    """Side of the window; 1 leaves the map as it is."""
    mode: PrePoolMode

    @property
    def left(self) -> FeatureShape:
        """Shape of the map after it."""
        channels, height, width = self.shape
        up = self.pool - 1 if self.mode == "ceil" else 0
        return FeatureShape(channels, (height + up) // self.pool, (width + up) // self.pool)

    @property
    def dropped(self) -> float:
        """Share of the positions that no window holds, in [0, 1): 0.27 for 2x2 on 7x7."""
        kept = min(self.left.height * self.pool, self.shape.height) * min(self.left.width * self.pool, self.shape.width)
        return 1 - kept / (self.shape.height * self.shape.width)

    def module(self) -> nn.Module:
        """(batch, channels, height, width) -> (batch, *left)."""
        if self.pool == 1:
            return nn.Identity()
        # A window that the edge cuts is divided by what it holds: there is no padding to count.
        return nn.AvgPool2d(self.pool, ceil_mode=self.mode == "ceil")

    @property
    def shares(self) -> list[list[float]]:
        """What each window's mean counts for in the mean of the positions that are kept, (height, width) of `left`; in sum 1.

        In mode "valid" all count alike; in "ceil" a window's positions / all positions, as those at the edge hold fewer.
        """
        rows, columns = (
            [min(self.pool, extent - at * self.pool) for at in range(count)]
            for extent, count in zip(self.shape[1:], self.left[1:], strict=True)
        )
        kept = sum(rows) * sum(columns)
        return [[row * column / kept for column in columns] for row in rows]

    def gathered(self, kernel: Tensor) -> Tensor:
        """A kernel on the full map, (channels, *extent of `shape`), summed within windows: (channels, *extent of `left`).

        The inverse of `spread`, in the sense that `gathered(spread(kernel))` is `kernel`.
        """
        if self.pool == 1:
            return kernel
        return nn.functional.avg_pool2d(kernel, self.pool, ceil_mode=self.mode == "ceil", divisor_override=1)

    def spread(self, kernel: Tensor) -> Tensor:
        """A kernel on the averaged map as the one kernel on the full map that computes the same.

        Each weight is divided evenly among the positions of its window; dropped positions get zero.

        Args:
            kernel: (..., height, width) of `left`.

        Returns:
            (..., height, width) of `shape`
        """
        height, width = self.shape[1:]
        full = kernel.new_zeros((*kernel.shape[:-2], height, width))
        blocks = kernel.repeat_interleave(self.pool, -2).repeat_interleave(self.pool, -1)[..., :height, :width]
        held = torch.outer(self._held(height), self._held(width)).to(kernel.device, kernel.dtype)
        full[..., : blocks.shape[-2], : blocks.shape[-1]] = blocks / held[: blocks.shape[-2], : blocks.shape[-1]]
        return full

    def spread_by_product(self, kernel: Tensor) -> Tensor:
        """`spread` as a matrix product, forward and backward several times faster on a CPU; equal but for last bits.

        (channels, height, width) of `left` -> (channels, height, width) of `shape`
        """
        full: Tensor = (kernel.flatten(1) @ _spreading(self, kernel.dtype)).unflatten(1, self.shape[1:])
        return full

    def _held(self, extent: int) -> Tensor:
        """For each row (or column), how many the window has that it lies in."""
        start = torch.arange(extent) // self.pool * self.pool
        return (extent - start).clamp(max=self.pool)


@lru_cache(maxsize=16)
def _spreading(averaging: PreAverage, dtype: torch.dtype) -> Tensor:
    """`spread` as a matrix, (positions of `left`, positions of `shape`)."""
    height, width = averaging.left[1:]
    with torch.inference_mode(False), torch.device("cpu"):  # kept, so for training too, whoever asks first
        one_by_one = torch.eye(height * width, dtype=dtype).unflatten(1, (height, width))
        return averaging.spread(one_by_one).flatten(1)


def automatic_pool(shape: FeatureShape) -> int:
    """The window for a map: 1 up to an extent of 4, 2 up to 10, 3 above.

    These are the paper's 2 on the 7x7 maps of 224 px and 3 on the 16x16 maps of 512 px; a smaller map is left alone.
    """
    extent = min(shape.height, shape.width)
    if extent <= 4:
        return 1
    return 2 if extent <= 10 else 3


def pre_average(shape: FeatureShape, pre_pool: int | None, mode: PrePoolMode = "valid") -> PreAverage:
    """How a map is averaged: 2x2 on a 7x7 map drops its last row and column in mode "valid", and none in "ceil".

    Where windows fill the map, "ceil" is "valid", and is called so: it is one computation.

    Args:
        shape: of the map.
        pre_pool: side of the window; None for `automatic_pool`.
        mode: see `PrePoolMode`.

    Raises:
        ValueError: the window is smaller than 1 or larger than the map; another mode.
    """
    pool = automatic_pool(shape) if pre_pool is None else pre_pool
    if not 1 <= pool <= min(shape.height, shape.width):
        raise ValueError(
            f"head.pre_pool must be from 1 to {min(shape.height, shape.width)}, the extent of the "
            f"{shape.height}x{shape.width} feature map, or null; not {pool}"
        )
    if mode not in ("valid", "ceil"):
        raise ValueError(f"head.pre_pool_mode must be one of valid, ceil, not {mode!r}")
    return PreAverage(shape, pool, mode if shape.height % pool or shape.width % pool else "valid")


def averaged_to(shape: FeatureShape, pool: int, kernel: Tensor) -> PreAverage:
    """How a map of a shape was averaged in windows of side `pool`, by the kernel (channels, height, width) on what is left."""
    valid = pre_average(shape, pool)
    return valid if tuple(kernel.shape[1:]) == valid.left[1:] else pre_average(shape, pool, "ceil")
