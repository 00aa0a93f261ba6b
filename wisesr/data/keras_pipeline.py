"""The augmentation of the paper's notebooks: Keras-Preprocessing 1.1.2, step for step, each step with a switch.

Every training image is stretched to the full range of grey levels, then mostly darkened, and no test image is; and whatever the
backbone expects, it is fed caffe's BGR, the pretrained Xception of the 512 px runs too, which was trained on -1 to 1. Both are
the paper's protocol, and either can be switched off.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from wisesr.data.augmentation import Augmentation, Inputs, inputs_of
from wisesr.data.keras_fused import OnePass
from wisesr.data.keras_steps import Draw, affine, brightened, channel_shifted, stretched, truncated, warp
from wisesr.data.normalization import NORMALIZATIONS, named_normalization
from wisesr.data.pipeline import Place
from wisesr.data.resizing import resized
from wisesr.data.views import View
from wisesr.data.whole_view import Resizing

_CENTRES = {"1.1.2": 0.5, "later": -0.5}
"""Pixels from half the height and half the width to the point that stays where it is."""


class KerasPipeline(Augmentation):
    """What an `ImageDataGenerator` with the notebooks' settings feeds to `preprocess_input`. Test images: only the resize.

    Args:
        size: pixels of the square's side.
        mean, std: what the backbone's weights expect, used under normalization="backbone".
        resize: "nearest", PIL's, or "bilinear", antialiased, as of `Plain`; aspect ignored.
        centre: of rotation and zoom: "1.1.2", that version's, (height / 2 + 0.5, width / 2 + 0.5) in counted pixels and so one
            beyond the middle; or "later", height / 2 - 0.5, the middle.
        rotation: degrees, U(-rotation, rotation); 0 for none.
        shift: share of height and of width, each U(-shift, shift); 0 for none.
        zoom: lowest and highest factor, drawn for height and width apart; above 1 shrinks. None for none.
        channel_shift: grey levels, U(-channel_shift, channel_shift), one number for all channels; 0 for none.
        horizontal_flip, vertical_flip: probabilities.
        contrast_stretch: whether the image's darkest and brightest value become 0 and 255, truncated to whole levels. If not,
            levels are clipped and truncated where brightness is to be changed, and stay as they are where it is not.
        brightness: lowest and highest factor; None for none.
        normalization: "caffe", "imagenet", "tf" or "backbone" (`wisesr.data.normalization`).

    Raises:
        ValueError: a setting out of its range.
    """

    def __init__(
        self,
        size: int,
        mean: Sequence[float],
        std: Sequence[float],
        *,
        resize: Literal["nearest", "bilinear"],
        centre: Literal["1.1.2", "later"],
        rotation: float,
        shift: float,
        zoom: list[float] | None,
        channel_shift: float,
        horizontal_flip: float,
        vertical_flip: float,
        contrast_stretch: bool,
        brightness: list[float] | None,
        normalization: Literal["caffe", "imagenet", "tf", "backbone"],
    ) -> None:
        self._normalise = named_normalization(normalization, mean, std)
        self._one_pass = OnePass(self._normalise, stretch=contrast_stretch)
        self._expected = mean, std
        super().__init__(*self._normalise.unit, self._normalise.order)
        if size < 2:
            raise ValueError(f"resolution.size must be at least 2, not {size}")
        _check_choice("resize", resize, ("nearest", "bilinear"))
        _check_choice("centre", centre, _CENTRES)
        self._size, self._nearest, self._offset = size, resize == "nearest", _CENTRES[centre]
        self._rotation = _at_least_0("rotation", rotation)
        self._shift = _share("shift", shift)
        self._zoom = _factors("zoom", zoom) if zoom is not None else (1.0, 1.0)
        self._channel_shift = _at_least_0("channel_shift", channel_shift)
        self._flips = _share("horizontal_flip", horizontal_flip), _share("vertical_flip", vertical_flip)
        self._stretch = contrast_stretch
        self._brightness = _factors("brightness", brightness) if brightness is not None else None
        if self._zoom[0] == 0:
            raise ValueError(f"augment.zoom must be above 0, not {zoom}")

    @property
    def resizing(self) -> Resizing:
        """Both sides, aspect ignored."""
        return Resizing("squash", "nearest (Pillow)" if self._nearest else "bilinear, antialiased, of uint8 (torchvision)")

    def __call__(self, image: Image.Image, *, training: bool) -> Tensor:
        """An RGB image as a float32 tensor, (3, size, size)."""
        if self._replaces("resized"):
            pixels = self.resized(image)
            return self._normalise(self.applied(pixels, self.draw()) if training else pixels)
        return self._finished(self.resized_pixels(image), _empty, training=training)

    def write(self, image: Image.Image, place: Place, *, training: bool) -> None:
        """As of every augmentation; without a copy where that is possible."""
        if self._replaces("__call__", "resized"):
            super().write(image, place, training=training)
        else:
            self._finished(self.resized_pixels(image), place, training=training)

    def view(self, *, training: bool) -> View | None:
        """The resized picture, in training and testing."""
        if self._replaces("__call__", "resized", "resized_pixels", "write"):
            return None
        return View(f"{self._size} px, {self.resizing.way}, {self.resizing.filter}", self.resized_pixels, self._size)

    def write_view(self, pixels: Tensor, place: Place, *, training: bool) -> None:
        """What `resized_pixels` made of an image, written as `write` writes the image itself."""
        self._finished(pixels, place, training=training)

    def resized_pixels(self, image: Image.Image) -> Tensor:
        """An RGB image as uint8, (3, size, size), with the channels last in memory."""
        if self._nearest:
            image = image.resize((self._size, self._size), Image.Resampling.NEAREST)
        tensor = torch.from_numpy(np.array(image)).permute(2, 0, 1)
        return tensor if self._nearest else resized(tensor, self._size, self._size)

    def resized(self, image: Image.Image) -> Tensor:
        """An RGB image as a float32 tensor, (3, size, size), 0 to 255."""
        return self.resized_pixels(image).contiguous().float()

    def _replaces(self, *names: str) -> bool:
        """Whether a class built on this one has such a method of its own, which may do anything."""
        return any(getattr(type(self), name) is not getattr(KerasPipeline, name) for name in names)

    def _finished(self, pixels: Tensor, place: Place, *, training: bool) -> Tensor:
        """From uint8, (3, height, width), to the normalised tensor in its place."""
        out = place(pixels.shape, torch.float32)
        if not training:
            self._normalise.write(pixels, out)
            return out
        draw = self.draw()
        matrix = affine(draw, pixels.shape[1], pixels.shape[2], self._offset)
        if self._replaces("applied") or not self._one_pass.write(pixels, matrix, draw, out):
            out.copy_(self._normalise(self.applied(pixels.contiguous().float(), draw)))
        return out

    def draw(self) -> Draw:
        """Parameters of one image, from torch's default generator.

        The same numbers are drawn whatever is switched on, so that switching one step leaves the others as they were.
        """
        turn, up, left, high, wide, level, mirror, upset, light = torch.rand(9, dtype=torch.float64).tolist()
        return Draw(
            rotation=_between(-self._rotation, self._rotation, turn),
            shift_rows=_between(-self._shift, self._shift, up) * self._size,
            shift_columns=_between(-self._shift, self._shift, left) * self._size,
            zoom_rows=_between(*self._zoom, high),
            zoom_columns=_between(*self._zoom, wide),
            channel_shift=_between(-self._channel_shift, self._channel_shift, level),
            flip_horizontal=mirror < self._flips[0],
            flip_vertical=upset < self._flips[1],
            brightness=_between(*self._brightness, light) if self._brightness else None,
        )

    def applied(self, pixels: Tensor, draw: Draw) -> Tensor:
        """A resized image, (3, height, width), 0 to 255, with everything done to it but the normalisation: step by step.

        `OnePass` makes the same values.
        """
        pixels = warp(pixels, affine(draw, pixels.shape[1], pixels.shape[2], self._offset))
        if draw.channel_shift:
            pixels = channel_shifted(pixels, draw.channel_shift)
        if self._stretch:
            pixels = stretched(pixels)
        if draw.brightness is not None:
            pixels = brightened(pixels if self._stretch else truncated(pixels), draw.brightness)
        return pixels

    def _advice_for(self, inputs: Inputs) -> str:
        for name in NORMALIZATIONS:
            other = named_normalization(name, *self._expected)
            if inputs_of(*other.unit, other.order) == inputs:
                return f"set augment.normalization={name}"
        return super()._advice_for(inputs)


def _empty(shape: torch.Size, dtype: torch.dtype) -> Tensor:
    return torch.empty(shape, dtype=dtype)


def _between(low: float, high: float, share: float) -> float:
    return low + (high - low) * share


def _check_choice(name: str, value: str, choices: Collection[str]) -> None:
    if value not in choices:
        raise ValueError(f"augment.{name} must be one of {', '.join(choices)}, not {value!r}")


def _at_least_0(name: str, value: float) -> float:
    if not 0 <= value < math.inf:
        raise ValueError(f"augment.{name} must be at least 0, not {value}")
    return value


def _share(name: str, value: float) -> float:
    if not 0 <= value <= 1:
        raise ValueError(f"augment.{name} must be from 0 to 1, not {value}")
    return value


def _factors(name: str, value: list[float]) -> tuple[float, float]:
    if len(value) != 2 or not 0 <= value[0] <= value[1] < math.inf:
        raise ValueError(f"augment.{name} must be null or two numbers, the lower one first and at least 0, not {value}")
    return value[0], value[1]
