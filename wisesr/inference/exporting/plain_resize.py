"""How a picture becomes a square with Pillow alone. A model card shows these functions, so that its reader can run them."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from PIL import Image

from wisesr.data.whole_view import Resizing


def squash(picture: Image.Image, size: int, sampling: Image.Resampling) -> Image.Image:
    """Both sides resized, aspect ignored."""
    return picture.resize((size, size), sampling)


def crop(picture: Image.Image, size: int, sampling: Image.Resampling) -> Image.Image:
    """The short side resized, of the long one the middle kept."""
    short = min(picture.size)
    width, height = (int(size * side / short) for side in picture.size)
    left, top = round((width - size) / 2), round((height - size) / 2)
    return picture.resize((width, height), sampling).crop((left, top, left + size, top + size))


def pad(picture: Image.Image, size: int, sampling: Image.Resampling) -> Image.Image:
    """The long side resized, centred on black."""
    long = max(picture.size)
    width, height = (max(1, round(side * size / long)) for side in picture.size)
    square = Image.new("RGB", (size, size))
    square.paste(picture.resize((width, height), sampling), ((size - width) // 2, (size - height) // 2))
    return square


_WAYS: dict[str, Callable[[Image.Image, int, Image.Resampling], Image.Image]] = {"squash": squash, "crop": crop, "pad": pad}


def sampling_of(resizing: Resizing) -> Image.Resampling:
    """Pillow's filter that is nearest to the one of the training: its bilinear one is antialiased too.

    Raises:
        KeyError: a filter that none of Pillow's is near.
    """
    return {"nearest": Image.Resampling.NEAREST, "bilinear": Image.Resampling.BILINEAR}[resizing.filter.split()[0].strip(",")]


def plain_square(picture: Image.Image, size: int, resizing: Resizing) -> Image.Image:
    """An RGB picture as a square, by Pillow. Raises as of `sampling_of`, and for a way that is none of these."""
    return _WAYS[resizing.way](picture, size, sampling_of(resizing))


def plain_source(resizing: Resizing) -> str:
    """The function's own text."""
    return inspect.getsource(_WAYS[resizing.way]).rstrip()


def is_plain(resizing: Resizing) -> bool:
    """Whether Pillow has what is near to it."""
    return resizing.way in _WAYS and resizing.filter.startswith(("nearest", "bilinear"))
