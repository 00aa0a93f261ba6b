"""What loggers show of a kernel after each epoch: a few figures, and a picture of at most some kilobytes."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from wisesr.results.kernels import KernelSummary
from wisesr.training.kernels import signed_colours

PICTURE = "kernel/picture"

_SIDE = 128
"""Pixels of a picture's longer side, without its note."""
_NOTE, _INK, _PAPER = 18, (24, 24, 27), (255, 255, 255)


def kernel_figures(summary: KernelSummary) -> dict[str, float]:
    """Share of weights that are 0, distance from uniform, mean and standard deviation of all weights."""
    mean, spread = summary.mean.astype(np.float64), summary.spread.astype(np.float64)
    variance = float((spread**2).mean() + mean.var())
    return {
        "kernel/zero": summary.zero,
        "kernel/distance": summary.distance,
        "kernel/mean": float(mean.mean()),
        "kernel/std": math.sqrt(variance),
    }


def kernel_picture(summary: KernelSummary) -> Image.Image:
    """The kernel's mean over channels, blue negative, white zero, red positive, with the value of full colour below it.

    That value is a round one, so that the pictures of many epochs in a row have the same scale.
    """
    extent = scale_of(summary.mean)
    tile = Image.fromarray(signed_colours(summary.mean, extent))
    factor = _SIDE / max(tile.size)
    size = tuple(max(1, int(side * (int(factor) or factor))) for side in tile.size)
    large = tile.resize((size[0], size[1]), Image.Resampling.NEAREST)
    sheet = Image.new("RGB", (_SIDE, large.height + _NOTE), _PAPER)
    sheet.paste(large, ((_SIDE - large.width) // 2, 0))
    note = f"full colour \N{PLUS-MINUS SIGN}{extent:g}"
    place = (_SIDE // 2, large.height + _NOTE // 2)
    ImageDraw.Draw(sheet).text(place, note, fill=_INK, font=_font(), anchor="mm")
    return sheet


@cache
def _font() -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    """Pillow decodes and parses it anew each time that it is asked."""
    return ImageFont.load_default(size=11)


def scale_of(plane: NDArray[np.float32]) -> float:
    """The least of 1, 2 and 5 times a power of ten that no weight of a plane exceeds, as float32 has it; 1 for zeros."""
    largest = float(np.abs(plane).max())
    if not largest > 0:
        return 1.0
    ten = math.floor(math.log10(largest))
    steps = (float(f"{digit}e{power}") for power in (ten - 1, ten, ten + 1) for digit in (1, 2, 5))
    return next(step for step in steps if np.float32(step) >= np.float32(largest))
