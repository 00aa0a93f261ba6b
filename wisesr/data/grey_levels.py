"""Grey levels of more than 8 bits, and of floats, as 8 bits: by what the file says it holds or by a setting. No torch.

Never by the values of one image: two that differ by one grey level would come out as white and as black.
"""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile
from PIL.TiffImagePlugin import TiffImageFile

Range = Literal["auto", "8", "12", "16", "float", 8, 12, 16]
"""On a command line 16 is a number."""
Depth = Literal["8", "16", "32", "float"]

_TOPS = {"8": 255.0, "12": 4095.0, "16": 65535.0, "32": 2.0**31 - 1, "float": 1.0}

_BITS, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 262, 339
"""Tags of TIFF 6.0: bits of a sample; 0 where the lowest value is white; 2 where samples are signed."""


class Levels(NamedTuple):
    """How the grey values of an image are to be taken."""

    depth: Depth
    white: float
    """The value that is white, by the file's own word: 65,535 of 16 bit, 4,095 of a TIFF of 12 bit, 32,767 of a signed one,
    the maximum that a PGM's header names, 1.0 of floats."""
    unit: float = 1.0
    """Values of the file in one of Pillow's, which stretches a PGM's to 65,535."""
    inverted: bool = False
    """Whether 0 is white (TIFF's WhiteIsZero, which Pillow heeds at 8 bits only)."""
    unsigned: bool = False
    """Whether Pillow's signed 32 bit stand for unsigned ones."""

    def top(self, range: Range) -> float:
        """The value that becomes white under a range."""
        return self.white if range == "auto" else range_top(self.depth, range)


def range_top(depth: Depth, range: Range) -> float:
    """The value that becomes white; what is above it becomes white too.

    Args:
        depth: of the image. Images of 8 bit have no other range than theirs.
        range: "auto" for the whole of the type (32 bit: 2^31 - 1); or bits that the values really have; or "float", for 1.0.
    """
    return _TOPS[depth if range == "auto" or depth == "8" else str(range)]


def levels_of(image: Image.Image) -> Levels | None:
    """How a deep grey image's values are to be taken; None for images of 8 bit, and of colours, which Pillow makes 8 bit.

    To be asked before the image is decoded: Pillow forgets a PGM's maximum then.
    """
    if image.mode == "F":
        return _tiff(image, Levels("float", 1.0))
    if image.mode.startswith("I;16"):
        return _tiff(image, Levels("16", 65535.0))
    if image.mode != "I":
        return None
    if image.format == "PNG":  # 16 bit, as Pillow before 10.1 has them
        return Levels("16", 65535.0)
    if image.format == "PPM":
        top = _pgm_maximum(image)
        return Levels("16", float(top), top / 65535)
    return _tiff(image, Levels("32", _TOPS["32"]))


def _pgm_maximum(image: Image.Image) -> int:
    """The maximum that the header names, from 256 to 65,535."""
    tile = image.tile if isinstance(image, ImageFile.ImageFile) else ()
    arguments = tile[0][3] if tile else None
    return int(arguments[1]) if isinstance(arguments, tuple) and len(arguments) == 2 else 65535


def _tiff(image: Image.Image, levels: Levels) -> Levels:
    """What the tags of a TIFF add to its mode."""
    if not isinstance(image, TiffImageFile):
        return levels
    tags = image.tag_v2
    inverted = tags.get(_PHOTOMETRIC) == 0
    if levels.depth == "float":
        return levels._replace(inverted=inverted)
    bits, signed = tags.get(_BITS, (1,))[0], tags.get(_SAMPLE_FORMAT, (1,))[0] == 2
    white = 2.0 ** (bits - 1 if signed else bits) - 1
    return Levels("16" if bits <= 16 else "32", white, 1.0, inverted, unsigned=bits == 32 and not signed)


def values_of(image: Image.Image, levels: Levels) -> NDArray[Any]:
    """The grey values in the file's own units; of a float image, NaN included."""
    values = np.asarray(image)
    if levels.unsigned:
        values = values.view(np.uint32)
    return values if levels.unit == 1 else (values * levels.unit).round()


def extent_of(image: Image.Image, levels: Levels) -> tuple[float, float]:
    """The lowest and the highest value in the file's own units that are finite numbers; NaN where there are none."""
    values = values_of(image, levels)
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)]
    return (float(values.min()), float(values.max())) if values.size else (math.nan, math.nan)


def peak_of(image: Image.Image, levels: Levels) -> float:
    """The highest value of `extent_of`."""
    return extent_of(image, levels)[1]


def as_8_bit(image: Image.Image, levels: Levels, range: Range) -> Image.Image:
    """Grey of 8 bits, mode L: 0 black, `range`'s or the file's own highest value white, what lies beyond clipped, NaN black."""
    top = levels.top(range)
    values = values_of(image, levels)
    if values.dtype.kind == "u" and values.itemsize == 2:
        return Image.fromarray(_scaled(np.arange(2**16), top, levels.inverted)[values])  # a look-up is ten times as fast
    return Image.fromarray(_scaled(values, top, levels.inverted))


def _scaled(values: NDArray[Any], top: float, inverted: bool) -> NDArray[np.uint8]:
    numbers = np.nan_to_num(values.astype(np.float64), copy=False, nan=top if inverted else 0.0).clip(0, top)
    scaled: NDArray[np.uint8] = ((top - numbers if inverted else numbers) / top * 255).round().astype(np.uint8)
    return scaled
