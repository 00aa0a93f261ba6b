"""What a file's first bytes tell of its picture, without decoding it. No torch."""

from __future__ import annotations

import math
import struct
from io import BytesIO
from typing import NamedTuple

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from wisesr.data.grey_levels import Depth, Levels, Range, levels_of, peak_of, range_top
from wisesr.data.image_file import UNREADABLE, open_image, refused_size
from wisesr.data.orientation import orientation
from wisesr.data.quiet import quiet

_TEXTS = (b"Raw profile type ", b"XML:com.adobe.xmp")
"""Beginnings of a PNG's texts that may hold an orientation."""


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
        except Image.DecompressionBombError as error:
            size = refused_size(error)
            return Header(*size) if size else None
        except UNREADABLE:
            return None


def _header(image: Image.Image, content: bytes) -> Header:
    levels = levels_of(image)
    width, height = _stored_size(image)
    # a PNG without EXIF would be decoded to its end, in search of one behind the pixels
    turn = orientation(image) if image.format != "PNG" or _has_exif(content) else 1
    if levels is None:
        return Header(width, height, turn)
    return Header(width, height, turn, levels.depth, _peak(image, levels), levels.white)


def _has_exif(content: bytes) -> bool:
    """Whether a chunk of a PNG may hold an orientation."""
    at = 8
    while at + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        if kind == b"eXIf" or (kind in (b"tEXt", b"zTXt", b"iTXt") and content.startswith(_TEXTS, at + 8)):
            return True
        at += 12 + length
    return False


def _stored_size(image: Image.Image) -> tuple[int, int]:
    """Of a TIFF by its tags: from version 11 on Pillow tells how large it will be when upright."""
    if isinstance(image, TiffImageFile):
        return image.tag_v2.get(256, image.width), image.tag_v2.get(257, image.height)
    return image.size


def _peak(image: Image.Image, levels: Levels) -> float:
    try:
        image.load()
    except UNREADABLE:
        return math.nan
    return peak_of(image, levels)
