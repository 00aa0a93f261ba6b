"""Antialiased bilinear resizing of one picture: torchvision's, to the bit, without the questions that it asks first."""

from __future__ import annotations

import platform

import torch
from torch import Tensor
from torch.nn.functional import interpolate
from torchvision.transforms import v2

FILTER = "bilinear, antialiased, of uint8 (torchvision)"
"""What `resized` does, for whoever does it elsewhere."""
ON_BYTES = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512") or platform.machine() in ("aarch64", "arm64")
"""Whether torchvision gives bytes to torch as they are; on other processors it resizes them as floats.

https://github.com/pytorch/vision/blob/main/torchvision/transforms/v2/functional/_geometry.py
"""


def resized(image: Tensor, height: int, width: int) -> Tensor:
    """(..., channels, rows, columns) -> (..., channels, height, width), of the same type."""
    if not (ON_BYTES and type(image) is Tensor and image.dtype == torch.uint8 and image.dim() == 3 and image.is_cpu):
        other: Tensor = v2.functional.resize(image, [height, width], antialias=True)
        return other
    if image.shape[-2:] == (height, width):
        return image
    # The stride of the one picture is what tells torch to lay out the result as the picture is, here with channels last.
    one = image.as_strided((1, *image.shape), (image.numel(), *image.stride()))
    return interpolate(one, size=[height, width], mode="bilinear", align_corners=False, antialias=True).squeeze(0)
