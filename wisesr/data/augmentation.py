"""Images to tensors: resized, augmented in training, normalised.

Random draws come from torch's default generator, which the dataset seeds anew for every sample.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms import v2


class Plain:
    """The whole image, resized to a square: bilinear, antialiased, aspect ignored. The same in training and testing.

    Args:
        size: pixels of the square's side.
        mean, std: per channel, of images in [0, 1]: (x - mean) / std.
    """

    def __init__(self, size: int, mean: Sequence[float], std: Sequence[float]) -> None:
        self._finish: list[nn.Module] = [v2.Normalize(list(mean), list(std))]
        self.test = self._pipeline([v2.Resize((size, size), antialias=True)])
        self.train = self.test

    def _pipeline(self, steps: Sequence[nn.Module]) -> v2.Compose:
        return v2.Compose([v2.ToImage(), *steps, v2.ToDtype(torch.float32, scale=True), *self._finish])

    def __call__(self, image: Image.Image, *, training: bool) -> Tensor:
        """An RGB image as a float tensor, (3, size, size)."""
        tensor: Tensor = (self.train if training else self.test)(image)
        return tensor.as_subclass(Tensor)


class Standard(Plain):
    """Random resized crop and horizontal flip in training (Szegedy et al. 2014, https://arxiv.org/abs/1409.4842).

    Args:
        size, mean, std: as in `Plain`.
        min_area, max_area: the crop's share of the image.
        flip: probability of mirroring left and right.

    Raises:
        ValueError: areas not in 0 < min <= max <= 1, or no probability.
    """

    def __init__(
        self,
        size: int,
        mean: Sequence[float],
        std: Sequence[float],
        *,
        min_area: float = 0.35,
        max_area: float = 1.0,
        flip: float = 0.5,
    ) -> None:
        super().__init__(size, mean, std)
        if not 0 < min_area <= max_area <= 1:
            raise ValueError(f"augment must have 0 < min_area <= max_area <= 1, not {min_area} and {max_area}")
        if not 0 <= flip <= 1:
            raise ValueError(f"augment.flip must be a probability, from 0 to 1, not {flip}")
        crop = v2.RandomResizedCrop((size, size), scale=(min_area, max_area), antialias=True)
        self.train = self._pipeline([crop, v2.RandomHorizontalFlip(flip)])
