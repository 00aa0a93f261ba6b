"""What pixels are normalised with: the modes of Keras' `preprocess_input`, or what the backbone's weights expect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor


class Normalization(NamedTuple):
    """(pixels / divisor - mean) / std: in Keras' order of arithmetic, and so equal to it in the last bit."""

    divisor: float
    mean: Sequence[float]
    """Per channel, in the order of the tensor's channels."""
    std: Sequence[float]
    order: Literal["RGB", "BGR"] = "RGB"

    def __call__(self, pixels: Tensor) -> Tensor:
        """An RGB image of float32, 0 to 255, (3, height, width), as the backbone sees it."""
        mean, std = (torch.tensor(numbers, dtype=torch.float32)[:, None, None] for numbers in (self.mean, self.std))
        if self.order == "BGR":
            pixels = pixels[[2, 1, 0]]
        return (pixels / self.divisor).sub_(mean).div_(std)

    def write(self, pixels: Tensor, out: Tensor) -> None:
        """The same of an image of uint8, in whatever memory layout, to the bit, written into a tensor of float32."""
        mean, std = (torch.tensor(numbers, dtype=torch.float32)[:, None, None] for numbers in (self.mean, self.std))
        channels = pixels.unbind()
        for plane, channel in zip(out, channels[::-1] if self.order == "BGR" else channels, strict=True):
            plane.copy_(channel)
        out.div_(self.divisor).sub_(mean).div_(std)

    @property
    def unit(self) -> tuple[list[float], list[float]]:
        """Mean and standard deviation of RGB images in [0, 1], in the order red, green, blue."""
        top = 255 / self.divisor
        mean, std = ([number / top for number in numbers] for numbers in (self.mean, self.std))
        return (mean[::-1], std[::-1]) if self.order == "BGR" else (mean, std)


_ONES = (1.0, 1.0, 1.0)
# "caffe", "torch" (here: imagenet) and "tf" of https://github.com/keras-team/keras/blob/v2.6.0/keras/applications/imagenet_utils.py
NAMED = {
    "caffe": Normalization(1.0, (103.939, 116.779, 123.68), _ONES, "BGR"),
    "imagenet": Normalization(255.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "tf": Normalization(127.5, _ONES, _ONES),
}
NORMALIZATIONS = (*NAMED, "backbone")


def named_normalization(name: str, mean: Sequence[float], std: Sequence[float]) -> Normalization:
    """A normalisation by its name.

    Args:
        name: "caffe": BGR, minus ImageNet's mean colour, not scaled; "imagenet": ImageNet's mean and standard deviation of
            images in [0, 1]; "tf": from -1 to 1; "backbone": the mean and std that are given.
        mean: per channel, of RGB images in [0, 1].
        std: per channel, of RGB images in [0, 1].

    Raises:
        ValueError: no such name.
    """
    if name == "backbone":
        return Normalization(255.0, mean, std)
    if name not in NAMED:
        raise ValueError(f"augment.normalization must be one of {', '.join(NORMALIZATIONS)}, not {name!r}")
    return NAMED[name]
