"""What Keras-Preprocessing 1.1.2 does to an image, step by step: pure functions of pixels and drawn parameters.

Pixels are float32 tensors, (3, height, width), 0 to 255, and nothing is rounded before `stretched` or `truncated`, which leave
whole levels. Facts from its `image/affine_transformations.py`, `image/utils.py` and `ImageDataGenerator.apply_transform`
(https://pypi.org/project/Keras-Preprocessing/1.1.2/); tests hold the functions against what its own code made.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import grid_sample


class Draw(NamedTuple):
    """The parameters of one image. As they stand here, they change nothing."""

    rotation: float = 0.0
    """Degrees; positive turns the picture clockwise."""
    shift_rows: float = 0.0
    """Pixels by which the turned picture moves up, before it is zoomed."""
    shift_columns: float = 0.0
    """Pixels by which it moves left."""
    zoom_rows: float = 1.0
    """Factor from output to input: above 1 shrinks the picture's height."""
    zoom_columns: float = 1.0
    """Factor from output to input of its width."""
    channel_shift: float = 0.0
    """Grey levels, added to all channels."""
    flip_horizontal: bool = False
    """Whether left and right change places."""
    flip_vertical: bool = False
    """Whether top and bottom change places."""
    brightness: float | None = None
    """Factor; None for no such step."""


def affine(draw: Draw, height: int, width: int, offset: float) -> NDArray[np.float64]:
    """The matrix (3, 3) from an output pixel (row, column, 1) to its place in the input: rotation * shift * zoom, mirrored.

    `offset`: of the centre from height / 2 and width / 2, pixels.
    """
    angle = math.radians(draw.rotation)
    cosine, sine = math.cos(angle), math.sin(angle)
    rotation = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    shift = np.array([[1, 0, draw.shift_rows], [0, 1, draw.shift_columns], [0, 0, 1]])
    zoom = np.diag([draw.zoom_rows, draw.zoom_columns, 1])
    there, back = np.eye(3), np.eye(3)
    there[:2, 2] = height / 2 + offset, width / 2 + offset
    back[:2, 2] = -there[:2, 2]
    matrix: NDArray[np.float64] = there @ rotation @ shift @ zoom @ back
    for axis, (flip, extent) in enumerate(((draw.flip_vertical, height), (draw.flip_horizontal, width))):
        if flip:  # a mirrored output is read from its other end: i -> extent - 1 - i, before all else
            matrix[:, 2] += matrix[:, axis] * (extent - 1)
            matrix[:, axis] *= -1
    return matrix


def warp(pixels: Tensor, matrix: NDArray[np.float64]) -> Tensor:
    """The image seen through a matrix from output to input: bilinear, the edge repeated outside.

    In double precision, as scipy does it for Keras: in single precision a place is off by 1e-5 pixels, which is little, but an
    area of one colour is no longer exactly that, and what follows stretches and truncates.
    """
    _, height, width = pixels.shape
    rows = torch.arange(height, dtype=torch.float64)[:, None]
    columns = torch.arange(width, dtype=torch.float64)
    places = torch.empty(
        1, height, width, 2, dtype=torch.float64
    )  # (x, y), -1 to 1 from the first pixel's middle to the last's
    for index, (axis, extent) in enumerate(((1, width), (0, height))):
        by_row, by_column, start = (matrix[axis] * (2 / (extent - 1))).tolist()
        torch.add(rows * by_row + (start - 1), columns * by_column, out=places[0, :, :, index])
    return grid_sample(pixels[None].double(), places, padding_mode="border", align_corners=True)[0].float()


def channel_shifted(pixels: Tensor, by: float) -> Tensor:
    """One number added to all channels, the result kept within the image's own darkest and brightest value."""
    lowest, highest = pixels.aminmax()
    return (pixels + by).clamp_(lowest, highest)


def stretched(pixels: Tensor) -> Tensor:
    """The darkest value of all channels becomes 0 and the brightest 255, then whole levels; an image of one value, black."""
    pixels = pixels - pixels.min()
    highest = pixels.max()
    if highest != 0:
        pixels /= highest
    return pixels.mul_(255).trunc_()


def truncated(pixels: Tensor) -> Tensor:
    """As they are, clipped to 0 and 255, then whole levels."""
    return pixels.clamp(0, 255).trunc_()


def brightened(pixels: Tensor, factor: float) -> Tensor:
    """Whole levels times a factor, clipped at 255, and whole levels again, as PIL's ImageEnhance.Brightness does it."""
    return (pixels * factor).clamp_(max=255).trunc_()
