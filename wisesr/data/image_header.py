"""What a file's first bytes tell of its picture, without decoding it. No torch."""

from __future__ import annotations

import math
from io import BytesIO
from typing import NamedTuple

from PIL import Image

from wisesr.data.grey_levels import Depth, Levels, Range, levels_of, peak_of, range_top
from wisesr.data.image_file import UNREADABLE, open_image, stated_size
from wisesr.data.orientation import orientation
from wisesr.data.quiet import quiet

_PNG_EXIF = (b"eXIf", b"Raw profile type", b"XML:com.adobe.xmp")
"""Chunks, and keys of chunks, of a PNG that may hold an orientation."""


class Header(NamedTuple):
    """What is known of a picture that was not decoded (but for deep grey ones, whose values were looked at)."""

    width: int
    """Pixels, as stored."""
    height: int
    orientation: int = 1
    """EXIF's, 1 to 8; 1 where nothing is to be turned, and of pictures too large to be read."""
    depth: Depth = "8"
    """Bits of a grey value; "8" for colours of any depth, which Pillow makes 8 bit."""
    peak: float = math.nan
    """The highest grey value of a deep image, in its own units; NaN of 8 bit images, and where it cannot be decoded."""
    white: float = 255.0
    """The value that is white by the file's own word, as `range=auto` takes it."""

    def top(self, range: Range) -> float:
        """The value that becomes white under a range; `peak / top` above 1 is clipped."""
        return self.white if range == "auto" else range_top(self.depth, range)


def read_header(content: bytes) -> Header | None:
    """The header of a file with this content; None if it is no image. Without warnings, in any thread.

    About 60 us for a small JPEG; deep grey images are decoded. A picture of more pixels than are read has its size told.
    """
    with quiet():
        try:
            with open_image(BytesIO(content)) as image:
                return _header(image, content)
        except Image.DecompressionBombError:
            size = stated_size(BytesIO(content))
            return Header(*size) if size else None
        except UNREADABLE:
            return None


def _header(image: Image.Image, content: bytes) -> Header:
    levels = levels_of(image)
    width, height = _stored_size(image)
    # a PNG without is decoded to its end, in search of one behind the pixels
    maybe_turned = image.format != "PNG" or any(mark in content for mark in _PNG_EXIF)
    turn = orientation(image) if maybe_turned else 1
    if levels is None:
        return Header(width, height, turn)
    return Header(width, height, turn, levels.depth, _peak(image, levels), levels.white)


def _stored_size(image: Image.Image) -> tuple[int, int]:
    """Of a TIFF by its tags: from version 11 on Pillow tells how large it will be when upright."""
    tags = getattr(image, "tag_v2", {})
    return tags.get(256, image.width), tags.get(257, image.height)


def _peak(image: Image.Image, levels: Levels) -> float:
    try:
        image.load()
    except UNREADABLE:
        return math.nan
    return peak_of(image, levels)
