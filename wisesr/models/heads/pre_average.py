"""Pre-averaging: the map is made coarser before a kernel is learned on it (Wise-SrNet, arXiv 2104.12294)."""

from __future__ import annotations

from torch import Tensor, nn

from wisesr.types import FeatureShape


def automatic_pool(shape: FeatureShape) -> int:
    """The window for a map: 1 up to an extent of 4, 2 up to 10, 3 above.

    These are the paper's 2 on the 7x7 maps of 224 px and 3 on the 16x16 maps of 512 px; a smaller map is left alone.
    """
    extent = min(shape.height, shape.width)
    if extent <= 4:
        return 1
    return 2 if extent <= 10 else 3


def pre_average(shape: FeatureShape, pre_pool: int | None) -> tuple[nn.Module, FeatureShape, int]:
    """Averaging with stride = window and no padding: 2x2 on a 7x7 map drops its last row and column.

    Args:
        shape: of the map.
        pre_pool: side of the window; None for `automatic_pool`.

    Returns:
        The module (batch, channels, height, width) -> (batch, channels, height // pool, width // pool), the shape that
        it leaves, and the window's side.

    Raises:
        ValueError: the window is smaller than 1 or larger than the map.
    """
    pool = automatic_pool(shape) if pre_pool is None else pre_pool
    if not 1 <= pool <= min(shape.height, shape.width):
        raise ValueError(
            f"head.pre_pool must be from 1 to {min(shape.height, shape.width)}, the extent of the "
            f"{shape.height}x{shape.width} feature map, or null; not {pool}"
        )
    left = FeatureShape(shape.channels, shape.height // pool, shape.width // pool)
    return (nn.Identity() if pool == 1 else nn.AvgPool2d(pool)), left, pool


def spread(kernel: Tensor, pool: int, shape: FeatureShape) -> Tensor:
    """A kernel on the pre-averaged map as the one kernel on the full map that computes the same.

    Each weight is divided evenly among the pool x pool positions that were averaged; the last rows and columns, which
    'valid' averaging drops, get zero.

    Args:
        kernel: (..., height // pool, width // pool).
        pool: side of the averaging window.
        shape: of the full map.

    Returns:
        (..., height, width)
    """
    full = kernel.new_zeros((*kernel.shape[:-2], shape.height, shape.width))
    blocks = kernel.repeat_interleave(pool, -2).repeat_interleave(pool, -1) / pool**2
    full[..., : blocks.shape[-2], : blocks.shape[-1]] = blocks
    return full
