"""Image files opened by their content, and what is said of those that cannot be. No torch."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path
from typing import IO

from PIL import Image, UnidentifiedImageError

from wisesr.data.image_formats import heif
from wisesr.data.quiet import quiet

UNREADABLE = (
    *(OSError, EOFError, SyntaxError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError),
    *(struct.error, zlib.error, Image.DecompressionBombError),
)
"""What Pillow raises on files that are missing, damaged, no images, or of more pixels than it takes."""

TINY = 32
"""Pixels of a side below which the last feature map of usual backbones is one pixel: blown up, and worth a word."""

HUGE = Image.MAX_IMAGE_PIXELS or 89_478_485
"""Pixels above which a picture is huge: slow to read, and worth a word. Above twice as many it is not read."""


def open_image(file: Path | IO[bytes]) -> Image.Image:
    """As `PIL.Image.open`, which needs telling that it can open HEIF."""
    try:
        return Image.open(file)
    except UnidentifiedImageError:
        if not heif():
            raise
        return Image.open(file)


def problem_of(path: Path) -> str:
    """Why a file cannot be decoded, as `reading_problem` says it; empty where it can be."""
    try:
        with quiet(), open_image(path) as image:
            image.load()
    except UNREADABLE as error:
        return reading_problem(error)
    return ""


def reading_problem(error: BaseException) -> str:
    """Why a file cannot be read, without its name and without a full stop."""
    if isinstance(error, UnidentifiedImageError):
        return "not an image that can be read"
    if isinstance(error, Image.DecompressionBombError):
        return _too_large(error)
    words = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return words.strip().rstrip(".") or type(error).__name__


def _too_large(error: Image.DecompressionBombError) -> str:
    """`14,000 x 14,000 = 196 million pixels, more than the 179 million that are read: scale it down`."""
    size, told = refused_size(error), re.search(r"\d+", str(error))
    pixels, limit = size[0] * size[1] if size else int(told[0]) if told else 0, 2 * (Image.MAX_IMAGE_PIXELS or HUGE)
    digits = next((digits for digits in range(6) if f"{pixels / 1e6:.{digits}f}" != f"{limit / 1e6:.{digits}f}"), 6)
    sides = f"{size[0]:,} x {size[1]:,} = " if size else ""
    many, most = (f"{number / 1e6:,.{digits}f} million" for number in (pixels, limit))
    return f"{sides}{many} pixels, more than the {most} that are read: scale it down"


def refused_size(error: Image.DecompressionBombError) -> tuple[int, int] | None:
    """Width and height of what Pillow refuses: its message has only their product, the call that raised it has both."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    size = place.tb_frame.f_locals.get("size") if place is not None else None
    return size if isinstance(size, tuple) and len(size) == 2 else None
