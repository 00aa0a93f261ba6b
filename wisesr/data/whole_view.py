"""How a whole picture becomes a square: squashed, its middle cut out, or laid on black."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torchvision.transforms import v2

from wisesr.data.resizing import FILTER, resized

_LONG = 4
"""Short sides that a long side may have: of a strip of 1 x 10,000 pixels, resized whole, 500 million would be made."""


class Resizing(NamedTuple):
    """How a picture of any shape becomes the square that is normalised, in testing."""

    way: str
    """squash, crop or pad, as of `Plain`."""
    filter: str
    """Of the pixels, and by which library: another one's differs by a few grey levels."""

    @property
    def words(self) -> str:
        """`squash (both sides, aspect ignored)`; a way that is not wisesr's by its name alone."""
        of_ours = {
            "squash": "both sides, aspect ignored",
            "crop": "the short side, of the long one the middle",
            "pad": "the long side, centred on black",
        }
        return f"{self.way} ({of_ours[self.way]})" if self.way in of_ours else self.way


class _Square(nn.Module):
    """A whole picture as a square."""

    way: str

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = self.side = size
        self.text = f"{size} px, {self.way}, {FILTER}"
        """Names what it makes of a picture."""


class Squash(_Square):
    """Both sides resized to the square's, aspect ignored; bilinear, antialiased."""

    way = "squash"

    def forward(self, image: Tensor) -> Tensor:
        """(..., height, width) -> (..., size, size)."""
        return resized(image, self._size, self._size)


class CentreCrop(_Square):
    """The short side resized to the square's, then the middle of the long one; bilinear, antialiased."""

    way = "crop"

    def forward(self, image: Tensor) -> Tensor:
        """(..., height, width) -> (..., size, size)."""
        height, width = image.shape[-2:]
        kept = _LONG * min(height, width)
        if (longest := max(height, width)) > kept:
            kept += (longest - kept) % 2  # or else the middle moves by half a pixel
            image = v2.functional.center_crop(image, [min(height, kept), min(width, kept)])
        image = v2.functional.resize(image, [self._size], antialias=True)
        square: Tensor = v2.functional.center_crop(image, [self._size, self._size])
        return square


class Pad(_Square):
    """The long side resized to the square's, bilinear, antialiased; black on both sides of the short one."""

    way = "pad"

    def forward(self, image: Tensor) -> Tensor:
        """(..., height, width) -> (..., size, size)."""
        longest = max(image.shape[-2:])
        height, width = (max(1, round(side * self._size / longest)) for side in image.shape[-2:])
        image = v2.functional.resize(image, [height, width], antialias=True)
        left, top = (self._size - width) // 2, (self._size - height) // 2
        square: Tensor = v2.functional.pad(image, [left, top, self._size - width - left, self._size - height - top])
        return square


class ShortSide(nn.Module):
    """The short side resized to so many pixels and the long one with it, bilinear, antialiased; a smaller picture as it is."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side
        self.text = f"short side {side} px, {FILTER}"
        """Names what it makes of a picture."""

    def forward(self, image: Tensor) -> Tensor:
        """(..., height, width) -> the same with fewer rows and columns."""
        height, width = image.shape[-2:]
        if min(height, width) <= self.side:
            return image
        smaller = self.side / min(height, width)
        return resized(image, *(max(1, round(extent * smaller)) for extent in (height, width)))


def whole_view(size: int, resize: str) -> nn.Module:
    """The step that makes a whole picture a square.

    Raises:
        ValueError: no such resize.
    """
    ways: dict[str, nn.Module] = {"squash": Squash(size), "crop": CentreCrop(size), "pad": Pad(size)}
    if resize not in ways:
        raise ValueError(f"augment.resize must be one of {', '.join(ways)}, not {resize!r}")
    return ways[resize]
