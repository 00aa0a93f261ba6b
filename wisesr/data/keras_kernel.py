"""The loops of `keras_fused`, which numba compiles: nothing imports this module before they are wanted.

Two passes over an image. The first is the warp: a row's places and weights, then its pixels, mixed in double precision. The
second is all that works value by value. The arithmetic is that of `keras_steps.warp` and of torch's `grid_sample`
(https://github.com/pytorch/pytorch/blob/v2.9.0/aten/src/ATen/native/cpu/GridSamplerKernel.cpp), operation by operation: the
places go to -1 to 1 and back as there, and the four products are added in its order.

Where a processor can multiply and add in one instruction, which rounds once, torch's compilers use that for those sums, though
not everywhere (not under `ATEN_CPU_CAPABILITY=default`, for one). Hence the argument `fused`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numba import float32, float64, njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]
Doubles: TypeAlias = NDArray[np.float64]
Planes: TypeAlias = NDArray[np.int64]

_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "boundscheck": False,
    "error_model": "numpy",
    # Of finite numbers these change no result; without them a minimum is no vector instruction. Any other flag reorders or
    # fuses, and whole levels change.
    "fastmath": {"nnan", "ninf", "nsz"},
}


def _fma(_typing: Any, a: Any, b: Any, c: Any) -> tuple[Any, Callable[..., Any]]:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    return float64(float64, float64, float64), generate


_multiply_add = intrinsic(_fma)


def _mix(fused: bool, nw: float, ne: float, sw: float, se: float, a: float, b: float, c: float, d: float) -> float:
    if fused:
        return _multiply_add(se, d, _multiply_add(sw, c, _multiply_add(ne, b, nw * a)))  # type: ignore[no-any-return]
    return nw * a + ne * b + sw * c + se * d


_mixed = njit(**_OPTIONS)(_mix)


def _warp(fused: bool, source: Bytes, matrix: Doubles, planes: Planes, out: Floats) -> tuple[Any, Any]:
    """The image seen through a matrix from output to input: bilinear, the edge repeated outside.

    Arguments are those of `_pixels`. Returns the darkest and the brightest value.
    """
    height, width, _ = source.shape
    flat = source.reshape(-1)
    last_row, last_column = np.float64(height - 1), np.float64(width - 1)
    to_rows, to_columns = 2 / last_row, 2 / last_column
    down_by_row, down_by_column, down = matrix[0, 0] * to_rows, matrix[0, 1] * to_rows, matrix[0, 2] * to_rows - 1
    along_by_row, along_by_column = matrix[1, 0] * to_columns, matrix[1, 1] * to_columns
    along = matrix[1, 2] * to_columns - 1
    corner, below, right = np.empty(width, np.uint32), np.empty(width), np.empty(width)
    lower = np.uint64(3 * width)
    lowest, highest = np.float32(np.inf), np.float32(-np.inf)
    for row in range(np.uint64(height)):  # unsigned: a negative index would be asked for
        y_start = np.float64(np.int64(row)) * down_by_row + down
        x_start = np.float64(np.int64(row)) * along_by_row + along
        for column in range(width):  # without a look at pixels, so that it becomes vector instructions
            y = (y_start + np.float64(column) * down_by_column + 1) * (last_row / 2)
            x = (x_start + np.float64(column) * along_by_column + 1) * (last_column / 2)
            y, x = min(max(y, 0.0), last_row), min(max(x, 0.0), last_column)
            # On the last line: the one before it and all the weight on the other, which gives the same.
            top, left = min(np.int32(y), np.int32(height - 2)), min(np.int32(x), np.int32(width - 2))
            below[column], right[column] = y - top, x - left
            corner[column] = 3 * (top * np.int32(width) + left)
        for column in range(np.uint64(width)):
            at = np.uint64(corner[column])
            south, east = below[column], right[column]
            north, west = 1 - south, 1 - east
            a, b, c, d = north * west, north * east, south * west, south * east
            for channel in range(3):
                nw = at + np.uint64(channel)
                sw = nw + lower
                ne, se = nw + np.uint64(3), sw + np.uint64(3)
                value = np.float32(_mixed(fused, flat[nw], flat[ne], flat[sw], flat[se], a, b, c, d))
                out[planes[channel], row, column] = value
                lowest, highest = min(lowest, value), max(highest, value)
    return lowest, highest


def _finish(out: Floats, low: Any, high: Any, shift: Any, stretch: bool, whole: bool, brightness: Any, finish: Floats) -> None:
    """Channel shift, stretch, brightness and normalisation of every value, in place.

    What is switched off is done with numbers that change nothing. A shift keeps the order of values, and so the range after it
    is known without a look at them.
    """
    darkest, brightest = min(max(low + shift, low), high), min(max(high + shift, low), high)
    extent, top = brightest - darkest, np.float32(255)
    if not stretch:
        darkest, extent, top = np.float32(0), np.float32(1), np.float32(1)
    elif extent == 0:
        extent = np.float32(1)
    white = np.float32(255)
    for plane in range(3):
        values = out[plane].reshape(-1)
        divisor, mean, std = finish[0, plane], finish[1, plane], finish[2, plane]
        for at in range(np.uint64(values.size)):
            value = (min(max(values[at] + shift, low), high) - darkest) / extent * top
            if whole:
                value = np.trunc(min(max(value, np.float32(0)), white))
                value = np.trunc(min(value * brightness, white))
            values[at] = (value / divisor - mean) / std


_warped, _finished = njit(**_OPTIONS)(_warp), njit(**_OPTIONS)(_finish)


def _pixels(
    fused: bool,
    source: Bytes,
    matrix: Doubles,
    planes: Planes,
    shift: Any,
    stretch: bool,
    whole: bool,
    brightness: Any,
    finish: Floats,
    out: Floats,
) -> None:
    """From the resized image to the normalised tensor.

    Args:
        fused: whether torch rounds a product only as a part of its sum.
        source: (height, width, 3), both at least 2.
        matrix: (3, 3), from an output pixel (row, column, 1) to its place in the input.
        planes: of red, green and blue in `out`.
        shift: of all channels, grey levels; 0 for none.
        stretch: whether the darkest and the brightest value become 0 and 255.
        whole: whether values become whole levels; always where they are stretched.
        brightness: factor of whole levels; 1 for none.
        finish: (3, 3): divisor, mean and standard deviation of each plane of `out`.
        out: (3, height, width).
    """
    low, high = _warped(fused, source, matrix, planes, out)
    _finished(out, low, high, shift, stretch, whole, brightness, finish)


_SIGNATURE = types.void(
    types.boolean,
    types.uint8[:, :, ::1],
    float64[:, ::1],
    types.int64[::1],
    float32,
    types.boolean,
    types.boolean,
    float32,
    float32[:, ::1],
    float32[:, :, ::1],
)


def compiled(*, cached: bool) -> Callable[..., None]:
    """`_pixels` in machine code.

    Args:
        cached: from and to numba's files, which lie in `__pycache__` beside this file, or else below `~/.cache/numba`.

    Raises:
        Exception: whatever numba raises.
    """
    made: Callable[..., None] = njit(_SIGNATURE, cache=cached, **_OPTIONS)(_pixels)
    return made
