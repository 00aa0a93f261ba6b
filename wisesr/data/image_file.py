"""Image files opened by their content, and what is said of those that cannot be. No torch."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path
from typing import IO

from PIL import Image, UnidentifiedImageError

from wisesr.data.image_formats import heif

UNREADABLE = (
    *(OSError, EOFError, SyntaxError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError),
    *(struct.error, zlib.error, Image.DecompressionBombError),
)
"""What Pillow raises on files that are missing, damaged, no images, or of more pixels than it takes."""

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


def reading_problem(error: BaseException, file: Path | IO[bytes]) -> str:
    """Why a file cannot be read, without its name and without a full stop."""
    if isinstance(error, UnidentifiedImageError):
        return "not an image that can be read"
    if isinstance(error, Image.DecompressionBombError):
        return _too_large(error, stated_size(file))
    words = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return words.strip().rstrip(".") or type(error).__name__


def _too_large(error: BaseException, size: tuple[int, int] | None) -> str:
    """`14,000 x 14,000 = 196 million pixels, more than the 179 million that are read: scale it down`."""
    told = re.search(r"\d+", str(error))  # a picture inside of the file, maybe
    pixels, limit = size[0] * size[1] if size else int(told[0]) if told else 0, 2 * (Image.MAX_IMAGE_PIXELS or HUGE)
    digits = next((digits for digits in (0, 1, 2) if f"{pixels / 1e6:.{digits}f}" != f"{limit / 1e6:.{digits}f}"), 6)
    sides = f"{size[0]:,} x {size[1]:,} = " if size else ""
    many, most = (f"{number / 1e6:,.{digits}f} million" for number in (pixels, limit))
    return f"{sides}{many} pixels, more than the {most} that are read: scale it down"


def stated_size(file: Path | IO[bytes]) -> tuple[int, int] | None:
    """Width and height of an image that `PIL.Image.open` refuses for its size, by the plugin that it would be opened with."""
    if isinstance(file, Path):
        with file.open("rb") as opened:
            return stated_size(opened)
    file.seek(0)
    prefix = file.read(16)
    for factory, accepts in Image.OPEN.values():
        if accepts is None or accepts(prefix) is True:
            file.seek(0)
            try:
                return factory(file, "").size
            except UNREADABLE:
                continue
    return None
