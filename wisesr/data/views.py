"""What of an augmentation precedes all that it draws: the same picture in every epoch, which need not be decoded twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from PIL import Image
from torch import Tensor


class View(NamedTuple):
    """A picture as it is before anything is drawn."""

    text: str
    """Names it: equal for views that make equal pixels of equal pictures."""
    make: Callable[[Image.Image], Tensor]
    """An RGB picture as uint8, (3, height, width)."""
    side: int
    """Pixels of its shorter side, at most."""
    is_square: bool = True

    @property
    def row_bytes(self) -> int:
        """Of a picture, about: of others than squares, of the shape that photographs have, 4 to 3."""
        return 3 * self.side**2 if self.is_square else 4 * self.side**2
