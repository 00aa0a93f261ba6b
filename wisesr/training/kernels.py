"""Learned depthwise kernels as one picture: what each channel looks for, and where."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from wisesr.models.heads.depthwise import DepthwiseAggregation
from wisesr.models.heads.shuffled import ShuffledWiseHead

_CHANNELS = 31
_COLUMNS = 8
_TILE = 64


def learned_kernel(model: nn.Module) -> NDArray[np.float32] | None:
    """The depthwise kernel as it is applied, (channels, height, width); None for a model without one.

    Of a head that permutes positions once, the kernel on the map as it was, whose place is the picture's, with zeros where
    averaging leaves positions out; of one that permutes each image's, None: its weights belong to no place.
    """
    for part in model.modules():
        if isinstance(part, ShuffledWiseHead):
            return None if part.shuffle == "image" else _as_array(part.full_kernel())
        if isinstance(part, DepthwiseAggregation):
            return _as_array(part.effective_kernel())
    return None


def _as_array(kernel: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = kernel.detach().float().cpu().numpy()
    return array


def kernel_sheet(model: nn.Module) -> Image.Image | None:
    """Its kernel as a picture; None for a model without one."""
    kernel = learned_kernel(model)
    return None if kernel is None else draw_kernel(kernel)


def draw_kernel(kernel: NDArray[np.float32]) -> Image.Image:
    """A kernel's mean over channels, then its 31 strongest channels, 64 px a tile, each scaled to its own extent.

    Blue is negative, white zero, red positive.

    Args:
        kernel: (channels, height, width).
    """
    strongest = np.argsort(-np.square(kernel).sum(axis=(1, 2)), kind="stable")[:_CHANNELS]
    tiles = [_tile(plane) for plane in (kernel.mean(axis=0), *kernel[strongest])]
    rows = -(-len(tiles) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * (_TILE + 4) + 4, rows * (_TILE + 4) + 4), (96, 96, 96))
    for index, tile in enumerate(tiles):
        sheet.paste(tile, (4 + index % _COLUMNS * (_TILE + 4), 4 + index // _COLUMNS * (_TILE + 4)))
    return sheet


def signed_colours(plane: NDArray[np.float32], extent: float) -> NDArray[np.uint8]:
    """(height, width) to (height, width, 3): blue at `-extent`, white at 0, red at `extent`, which is above 0."""
    strength = np.clip(plane / extent, -1, 1)
    fade = 1 - np.abs(strength)
    red, blue = np.where(strength >= 0, 1.0, fade), np.where(strength <= 0, 1.0, fade)
    pixels: NDArray[np.uint8] = np.rint(np.stack([red, fade, blue], axis=-1) * 255).astype(np.uint8)
    return pixels


def _tile(plane: NDArray[np.float32]) -> Image.Image:
    pixels = signed_colours(plane, float(np.abs(plane).max()) or 1.0)
    return Image.fromarray(pixels).resize((_TILE, _TILE), Image.Resampling.NEAREST)
