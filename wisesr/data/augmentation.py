"""Images to tensors: resized, augmented in training, normalised.

Random draws come from torch's default generator, which the dataset seeds anew for every sample.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms import v2

from wisesr.data.normalization import NAMED
from wisesr.data.pipeline import Pipeline, Place
from wisesr.data.random_steps import PackedCrop, RandomCrop, RandomFlip
from wisesr.data.resizing import FILTER
from wisesr.data.views import View
from wisesr.data.whole_view import Resizing, ShortSide, Squash, whole_view
from wisesr.errors import UserError

REDUCED = 1.15
"""Short side of a reduced copy, as a multiple of the square's: a crop of three quarters of the area is not enlarged."""

Inputs = dict[str, Any]
"""What images are normalised with, as plain data for records and checkpoints.

`mean` and `std`, a number a channel, of RGB images in [0, 1]; and `order`, "BGR", only where the tensors' channels are swapped.
"""


def inputs_of(mean: Sequence[float], std: Sequence[float], order: Literal["RGB", "BGR"] = "RGB") -> Inputs:
    """As plain data: per channel of RGB images in [0, 1], and the order of the tensors' channels."""
    return {"mean": list(mean), "std": list(std)} | ({"order": order} if order == "BGR" else {})


def _describe(inputs: Inputs) -> str:
    mean, std = (", ".join(f"{number:.4g}" for number in inputs[key]) for key in ("mean", "std"))
    return f"mean {mean} and std {std}" + (f" ({inputs['order']})" if "order" in inputs else "")


class Augmentation(ABC):
    """An image as the tensor that a backbone sees. Built with (size, mean, std) and its own settings by keyword.

    Args:
        mean, std, order: as of `inputs_of`.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], order: Literal["RGB", "BGR"] = "RGB") -> None:
        self._inputs = inputs_of(mean, std, order)

    @property
    def inputs(self) -> Inputs:
        """What images are normalised with."""
        return dict(self._inputs)

    @property
    def resizing(self) -> Resizing | None:
        """How pictures become squares in testing, for whoever feeds an exported model; None where nobody says."""
        return None

    @abstractmethod
    def __call__(self, image: Image.Image, *, training: bool) -> Tensor:
        """An RGB image as a float32 tensor, (3, size, size)."""

    def write(self, image: Image.Image, place: Place, *, training: bool) -> None:
        """An RGB image as by a call, written where it is wanted: into its row of a batch."""
        tensor = self(image, training=training)
        place(tensor.shape, tensor.dtype).copy_(tensor)

    def write_pixels(self, image: Image.Image, place: Place, *, training: bool) -> None:
        """What `finish` makes the tensors of a batch of: here those tensors themselves."""
        self.write(image, place, training=training)

    def finish(self, images: Tensor, *, training: bool) -> Tensor:
        """A batch of what `write_pixels` wrote as what `write` would have written, to the bit."""
        return images

    @property
    def is_fixed(self) -> bool:
        """Whether a training image is the same in every epoch; False where nobody says."""
        return False

    def view(self, *, training: bool) -> View | None:
        """What precedes all that is drawn, so that it can be kept; None where nothing does, or nobody says."""
        return None

    def write_view(self, pixels: Tensor, place: Place, *, training: bool) -> None:
        """What `write` would have written, to the bit, of a picture of which `view` has made these pixels."""
        raise NotImplementedError(f"{type(self).__name__} has no view")

    def write_view_pixels(self, pixels: Tensor, place: Place, *, training: bool) -> None:
        """What `write_pixels` would have written, as `write_view`."""
        self.write_view(pixels, place, training=training)

    def reduce(self) -> None:
        """Train on smaller copies of the pictures (`dataset.cache=reduced`), which is another computation.

        Raises:
            UserError: it has no such way.
        """
        raise UserError("dataset.cache=reduced is for augment=standard, whose crops are cut from smaller copies then")

    def picture(self, tensor: Tensor) -> Image.Image:
        """A tensor, (3, height, width), as a picture to look at: the normalisation undone, what is out of range clipped."""
        swapped = self._inputs.get("order") == "BGR"
        pixels = tensor.detach().cpu().double().permute(1, 2, 0).numpy()[..., :: -1 if swapped else 1]
        pixels = pixels * np.array(self._inputs["std"]) + np.array(self._inputs["mean"])
        return Image.fromarray((pixels * 255).round().clip(0, 255).astype(np.uint8))

    def check_trained(self, trained: Inputs | None, source: object) -> None:
        """Hold what images are normalised with against what a cell trained the weights with.

        Args:
            trained: `inputs` of that cell. None for weights from elsewhere, which are never refused: what those expect is a
                default that the paper's protocol departs from.
            source: of the weights, for messages.

        Raises:
            UserError: the two differ.
        """
        if trained is not None and trained != self._inputs:
            raise UserError(
                f"backbone.weights: {source} was trained on images normalised with {_describe(trained)}, and here they would "
                f"be normalised with {_describe(self._inputs)}: {self._advice_for(trained)}"
            )

    def _advice_for(self, inputs: Inputs) -> str:
        """What to set so that images are normalised with these inputs."""
        modes = [name for name, mode in NAMED.items() if inputs_of(*mode.unit, mode.order) == inputs]
        paper = f"augment=paper augment.normalization={modes[0]} does as was done there" if modes else ""
        tag = "" if "order" in inputs else "name backbone.model as it was named there, its tag included"
        return "; or else ".join(filter(None, (tag, paper)))


class Plain(Augmentation):
    """The whole image, made a square: bilinear, antialiased. The same in training and testing.

    Args:
        size: pixels of the square's side.
        mean, std: per channel, of images in [0, 1]: (x - mean) / std.
        resize: "squash": both sides, aspect ignored; "crop": the short side, of the long one the middle is kept; "pad": the
            long side, centred on black.

    Raises:
        ValueError: no such resize.
    """

    def __init__(
        self, size: int, mean: Sequence[float], std: Sequence[float], *, resize: Literal["squash", "crop", "pad"] = "squash"
    ) -> None:
        super().__init__(mean, std)
        self._resizing = Resizing(resize, FILTER)
        self._finish: list[nn.Module] = [v2.Normalize(list(mean), list(std))]
        self.test = self._pipeline([whole_view(size, resize)])
        self.train = self.test

    @property
    def resizing(self) -> Resizing:
        """As its setting `resize` says."""
        return self._resizing

    def _pipeline(self, steps: Sequence[nn.Module]) -> Callable[[Image.Image], Tensor]:
        """`steps` take (3, height, width) of uint8; those of torchvision's v2 do."""
        return Pipeline(steps, self._finish)

    def __call__(self, image: Image.Image, *, training: bool) -> Tensor:
        """An RGB image as a float tensor, (3, size, size)."""
        return (self.train if training else self.test)(image).as_subclass(Tensor)

    def write(self, image: Image.Image, place: Place, *, training: bool) -> None:
        """As of every augmentation; without a copy where that is possible."""
        pipeline = self._own(training=training)
        pipeline(image, place) if pipeline else super().write(image, place, training=training)

    def write_pixels(self, image: Image.Image, place: Place, *, training: bool) -> None:
        """As uint8 where that is possible: a quarter of the bytes."""
        pipeline = self._own(training=training)
        if pipeline and pipeline.makes_pixels:
            _put(pipeline.pixels(image), place)
        else:
            self.write(image, place, training=training)

    def finish(self, images: Tensor, *, training: bool) -> Tensor:
        """Normalised, if they are uint8."""
        pipeline = self._own(training=training)
        return pipeline.finish(images) if pipeline and pipeline.makes_pixels and images.dtype == torch.uint8 else images

    @property
    def is_fixed(self) -> bool:
        """Whether all steps of training are of whole pictures, and draw nothing."""
        pipeline = self._own(training=True)
        return pipeline is not None and pipeline.is_fixed

    def view(self, *, training: bool) -> View | None:
        """Where its first step takes the whole picture, what that makes of it."""
        pipeline = self._own(training=training)
        return pipeline.view if pipeline else None

    def write_view(self, pixels: Tensor, place: Place, *, training: bool) -> None:
        """As of every augmentation that has a view; without a copy where that is possible."""
        if (pipeline := self._own(training=training)) is None:
            raise NotImplementedError(f"{type(self).__name__} has no view")
        pipeline.of_view(pixels, place)

    def write_view_pixels(self, pixels: Tensor, place: Place, *, training: bool) -> None:
        """As uint8 where that is possible."""
        pipeline = self._own(training=training)
        if pipeline and pipeline.makes_pixels:
            _put(pipeline.pixels_of_view(pixels), place)
        else:
            self.write_view(pixels, place, training=training)

    def _own(self, *, training: bool) -> Pipeline | None:
        """The pipeline, unless a class built on this one has a call or a pipeline of its own."""
        pipeline = self.train if training else self.test
        return pipeline if isinstance(pipeline, Pipeline) and type(self).__call__ is Plain.__call__ else None


def _put(pixels: Tensor, place: Place) -> None:
    """(3 or 1, height, width) where it is wanted, as (3, height, width)."""
    place(torch.Size((3, *pixels.shape[1:])), pixels.dtype).copy_(pixels)


class Standard(Plain):
    """Random resized crop and horizontal flip in training (Szegedy et al. 2014, https://arxiv.org/abs/1409.4842).

    Args:
        size, mean, std: as in `Plain`.
        min_area, max_area: the crop's share of the image.
        flip: probability of mirroring left and right.
        resize: as in `Plain`, of test images. Training crops, of shapes from 3:4 to 4:3, are always squashed.

    Raises:
        ValueError: areas not in 0 < min <= max <= 1, or no probability; no such resize.
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
        resize: Literal["squash", "crop", "pad"] = "squash",
    ) -> None:
        super().__init__(size, mean, std, resize=resize)
        if not 0 < min_area <= max_area <= 1:
            raise ValueError(f"augment must have 0 < min_area <= max_area <= 1, not {min_area} and {max_area}")
        if not 0 <= flip <= 1:
            raise ValueError(f"augment.flip must be a probability, from 0 to 1, not {flip}")
        self._size, self._areas = size, (min_area, max_area)
        self._after = [Squash(size), RandomFlip(flip)]
        self.train = self._whole_pictures = self._pipeline([RandomCrop(min_area, max_area), *self._after])

    def reduce(self) -> None:
        """Cut training crops from copies whose short side is `REDUCED` times the square's.

        Raises:
            UserError: a class built on this one has steps of its own.
        """
        if self.train is not self._whole_pictures or self._own(training=True) is None:
            super().reduce()
        shorter = ShortSide(math.ceil(REDUCED * self._size))
        self.train = self._pipeline([shorter, PackedCrop(*self._areas), *self._after])
