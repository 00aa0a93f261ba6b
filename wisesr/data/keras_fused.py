"""`augment=paper` in one pass from the resized image to the normalised tensor, in machine code that numba makes.

Every value is the one that `keras_steps` and a `Normalization` make, in a fraction of the time: those fill memory with places,
with an image in double precision, and with one more at each step. Numba is imported when a process writes its first training
image, and compiles once on a machine (1.3 s) or reads what it compiled before (0.3 s, both with the import). Where it is
missing, fails, or makes other bits than torch on an image that would tell, all goes step by step as ever, and a line of debug
in the log says why.
"""

from __future__ import annotations

import functools
import logging
import warnings
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import grid_sample

from wisesr.data.keras_steps import Draw, affine, brightened, channel_shifted, stretched, warp
from wisesr.data.normalization import NAMED, Normalization

log = logging.getLogger("wisesr")

_USUAL = 1e6
"""What all numbers stay below, so that no result is infinite or none at all, which the loops are not made for."""


class OnePass:
    """All that happens to a training image after its resize.

    Args:
        normalization: what comes last.
        stretch: whether the darkest and the brightest value become 0 and 255.
    """

    def __init__(self, normalization: Normalization, *, stretch: bool) -> None:
        planes = np.array((2, 1, 0) if normalization.order == "BGR" else (0, 1, 2), dtype=np.int64)
        finish = np.array(np.broadcast_arrays(normalization.divisor, normalization.mean, normalization.std), dtype=np.float64)
        self._usual = finish.shape == (3, 3) and _are_usual(finish) and np.abs(finish[::2]).min() > 1 / _USUAL
        self._planes, self._finish, self._stretch = planes, finish.astype(np.float32), stretch

    def write(self, pixels: Tensor, matrix: NDArray[np.float64], draw: Draw, out: Tensor) -> bool:
        """Write one image where it is wanted.

        Args:
            pixels: uint8, (3, height, width), both sides at least 2; quickest with the channels last in memory.
            matrix: from an output pixel to its place in the input, as of `affine`.
            draw: of which the channel shift and the brightness are still to be done.
            out: float32, (3, height, width).

        Returns:
            Whether it was done. If not, nothing was, and `keras_steps` must do it.
        """
        if not (self._usual and _are_usual(matrix) and abs(draw.channel_shift) < _USUAL and (draw.brightness or 0) < _USUAL):
            return False
        if not out.is_contiguous() or pixels.numel() >= 2**31 or (kernel := compiled()) is None:
            return False
        self.write_with(kernel, pixels, matrix, draw, out)
        return True

    def write_with(
        self, kernel: Callable[..., None], pixels: Tensor, matrix: NDArray[np.float64], draw: Draw, out: Tensor
    ) -> None:
        """The same by a function of `keras_kernel`, with no question asked."""
        whole, light = self._stretch or draw.brightness is not None, 1.0 if draw.brightness is None else draw.brightness
        source, numbers = pixels.permute(1, 2, 0).contiguous().numpy(), np.array((draw.channel_shift, light), dtype=np.float32)
        kernel(source, matrix, self._planes, numbers[0], self._stretch, whole, numbers[1], self._finish, out.numpy())


def _are_usual(numbers: NDArray[np.float64]) -> bool:
    return bool(np.abs(numbers).max() < _USUAL)  # not where one is no number


@functools.cache
def compiled() -> Callable[..., None] | None:
    """The loops of `keras_kernel`, ready to be called; None where numba is missing or does not do. Once a process."""
    fused = _torch_fuses()
    if fused is None:
        log.debug("augment=paper goes step by step: torch adds up products in an order of its own")
        return None
    for cached in (True, False):  # no folder that can be written, a damaged file: then in memory only
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of numba's, on what it makes of the code: the result is tried
                of_torch = functools.partial(_compile(cached=cached), fused)
                right = _does_as_steps(of_torch)
        except Exception as error:  # whatever it is: there is another way, and no cell fails for want of speed
            log.debug("augment=paper: no machine code by numba: %s: %s", type(error).__name__, error)
        else:
            if right:
                return of_torch
            log.debug("augment=paper goes step by step: numba's machine code makes other values than torch")
    return None


def _compile(*, cached: bool) -> Callable[..., None]:
    from numba import config

    if config.DISABLE_JIT:  # the loops would then run in Python, pixel by pixel
        raise RuntimeError("NUMBA_DISABLE_JIT is set")
    from wisesr.data import keras_kernel

    return keras_kernel.compiled(cached=cached)


def _torch_fuses() -> bool | None:
    """Whether torch's bilinear `grid_sample` rounds products before it adds them (False) or not (True); None: neither."""
    places = torch.arange(1, 17, dtype=torch.float64) / 17 - 0.5
    image = torch.tensor([[[[31.0, 201.0], [77.0, 251.0]]]], dtype=torch.float64)
    grid = torch.stack((places, places.flip(0) * 0.7), dim=-1)[None, None]
    made = grid_sample(image, grid, padding_mode="border", align_corners=True).flatten().tolist()
    found = {True, False}
    for (x, y), value in zip(grid[0, 0].tolist(), made, strict=True):
        found &= {fused for fused in found if _mixed(image.flatten().tolist(), (x + 1) / 2, (y + 1) / 2, fused=fused) == value}
    return found.pop() if len(found) == 1 else None


def _mixed(pixels: Sequence[float], east: float, south: float, *, fused: bool) -> float:
    """Of an image of 2 x 2 pixels the value at a place within it."""
    west, north = 1 - east, 1 - south
    total, *others = zip(pixels, (north * west, north * east, south * west, south * east), strict=True)
    value = total[0] * total[1]
    for pixel, weight in others:
        value = float(Fraction(pixel) * Fraction(weight) + Fraction(value)) if fused else value + pixel * weight
    return value


def _does_as_steps(kernel: Callable[..., None]) -> bool:
    """Whether all steps give the same bits, tried on a small image; no random number is drawn."""
    height, width = 19, 23
    pixels = (torch.arange(3 * height * width) ** 2 % 251).to(torch.uint8).view(height, width, 3).permute(2, 0, 1)
    draw = Draw(31.0, 1.3, -2.1, 0.9, 1.15, channel_shift=-7.3, flip_horizontal=True)
    matrix, normalization = affine(draw, height, width, 0.5), NAMED["imagenet"]
    shifted = channel_shifted(warp(pixels.float(), matrix), draw.channel_shift)
    whole = brightened(stretched(shifted), 0.83)
    made = torch.empty_like(whole)
    for stretch, brightness, expected in ((False, None, shifted), (True, 0.83, whole)):
        one_pass = OnePass(normalization, stretch=stretch)
        one_pass.write_with(kernel, pixels, matrix, draw._replace(brightness=brightness), made)
        if not torch.equal(made, normalization(expected)):
            return False
    return True
