"""Small pictures of test images, for a page that carries all it shows."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import NamedTuple

from PIL import Image

from wisesr.errors import UserError

SIDE = 96
"""Width and height of a picture, px at most."""
_QUALITY = 80


class Pictures(NamedTuple):
    """JPEG files by the names of their images."""

    jpegs: dict[str, bytes]
    unread: tuple[str, ...]
    """Images that cannot be opened any more."""
    without_room: int
    """Images that there was no more room for."""


def pictures(ids: Iterable[str], load: Callable[[str], Image.Image], *, room: int) -> Pictures:
    """A small picture of each image, in order, each once, as long as there is room: bytes of all together."""
    jpegs: dict[str, bytes] = {}
    unread: list[str] = []
    without_room = 0
    for name in dict.fromkeys(ids):
        if room <= 0:
            without_room += 1
            continue
        try:
            jpeg = _small(load(name))
        except (OSError, ValueError, SyntaxError, KeyError, UserError, Image.DecompressionBombError):
            unread.append(name)  # PIL answers broken files with the first three
            continue
        room -= len(jpeg)
        if room >= 0:
            jpegs[name] = jpeg
        else:
            without_room += 1
    return Pictures(jpegs, tuple(unread), without_room)


def _small(image: Image.Image) -> bytes:
    image = image.convert("RGB")
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()
