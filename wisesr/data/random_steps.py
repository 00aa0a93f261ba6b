"""Random steps of a pipeline: torchvision's, with its draws from torch's default generator, in fewer calls."""

from __future__ import annotations

import math

import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms import v2

_RATIOS = (3 / 4, 4 / 3)
"""Of a crop's width to its height."""
_TRIES = 10


class RandomCrop(nn.Module):
    """A part of the picture as `v2.RandomResizedCrop` draws it, from torch's default generator; not resized.

    Args:
        min_area, max_area: its share of the picture.
    """

    def __init__(self, min_area: float, max_area: float) -> None:
        super().__init__()
        self._areas = min_area, max_area
        self._log_ratios = torch.log(torch.tensor(_RATIOS)).tolist()

    def forward(self, image: Image.Image | Tensor) -> Image.Image | Tensor:
        """A picture, or a tensor (..., height, width), as the same with fewer rows and columns."""
        if isinstance(image, Image.Image):
            top, left, height, width = self._drawn(image.height, image.width)
            return image.crop((left, top, left + width, top + height))
        part: Tensor = v2.functional.crop(image, *self._drawn(*image.shape[-2:]))
        return part

    def _drawn(self, rows: int, columns: int) -> tuple[int, int, int, int]:
        """Top, left, height and width in a picture of so many rows and columns.

        Two draws are a shape, single precision as torch makes it; one that does not fit is drawn anew, and after ten of them
        it is the middle, as much of it as the ratios allow. Two draws more are its place.
        """
        drawn = torch.empty(1)
        for _ in range(_TRIES):
            area = rows * columns * drawn.uniform_(*self._areas).item()
            ratio = drawn.uniform_(*self._log_ratios).exp_().item()
            width, height = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if 0 < width <= columns and 0 < height <= rows:
                at = torch.empty(1, dtype=torch.int64)
                return int(at.random_(0, rows - height + 1)), int(at.random_(0, columns - width + 1)), height, width
        width, height = columns, rows
        if columns / rows < _RATIOS[0]:
            height = round(columns / _RATIOS[0])
        elif columns / rows > _RATIOS[1]:
            width = round(rows * _RATIOS[1])
        return (rows - height) // 2, (columns - width) // 2, height, width


class PackedCrop(RandomCrop):
    """The same part of a tensor, laid out by itself with channels last: torch resizes it twice as fast, to the same bytes."""

    def forward(self, image: Image.Image | Tensor) -> Image.Image | Tensor:
        """(3, height, width) -> the same with fewer rows and columns."""
        part = super().forward(image)
        return part if isinstance(part, Image.Image) else part.permute(1, 2, 0).contiguous().permute(2, 0, 1)


class RandomFlip(nn.Module):
    """Left and right change places with a probability, drawn as by `v2.RandomHorizontalFlip`."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self._probability = torch.tensor(probability, dtype=torch.float32).item()  # in which torch compares it

    def forward(self, image: Tensor) -> Tensor:
        """(..., height, width) -> the same shape."""
        return image if torch.rand(1).item() >= self._probability else image.flip(-1)
