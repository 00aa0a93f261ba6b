"""The steps from a picture to a normalised tensor: what `v2.Compose` makes of them, to the bit, in a fraction of its overhead.

`v2.Compose` looks through every step's input for whatever a sample may hold (boxes, masks, texts), and makes a new tensor at
every step: at 32 px that takes several times as long as the arithmetic. Here a picture is all there is, a crop is cut out of it
before it becomes a tensor, and what is normalised is a whole batch of pixels at once, or one picture in its row of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision import tv_tensors
from torchvision.transforms import v2

from wisesr.data.batch_memory import empty_batch
from wisesr.data.random_steps import PackedCrop, RandomCrop, RandomFlip
from wisesr.data.resizing import ON_BYTES
from wisesr.data.views import View
from wisesr.data.whole_view import CentreCrop, Pad, ShortSide, Squash

Place = Callable[[torch.Size, torch.dtype], Tensor]
"""Gives an empty tensor of a shape and type, to be written into."""


_FIXED = (Squash, CentreCrop, Pad, ShortSide)
"""Steps that draw nothing, of a whole picture: what they make where they stand first can be kept."""
_AS_KEPT = (Squash, ShortSide)
"""Those that leave pixels in memory as they are kept: other steps than ours may add them up in the order in which they lie."""
_OF_TENSORS = (*_FIXED, RandomCrop, PackedCrop, RandomFlip)
"""Steps that take a plain tensor. Others are given what `v2.ToImage` makes, as they may ask for its type."""
_AT_ONCE = 2**18
"""Values that are normalised at once: 1 MiB of floats, which stay in a core's cache from one operation to the next."""


class Pipeline:
    """A picture through steps, then as floats from 0 to 1, then through what finishes it.

    Args:
        steps: of uint8, (3, height, width) -> (3, height, width); a `RandomCrop` that stands first is given the picture.
        finish: of float32; `v2.Normalize` alone is what is quick.
    """

    def __init__(self, steps: Sequence[nn.Module], finish: Sequence[nn.Module]) -> None:
        self._steps, self._finish = list(steps), list(finish)
        self._moments: tuple[Tensor, Tensor] | None = None
        only: Any = finish[0] if len(finish) == 1 else None
        if type(only) is v2.Normalize and all(only.std):  # v2 refuses to divide by 0
            mean, std = torch.tensor([only.mean, only.std], dtype=torch.float32)
            self._moments = mean.view(-1, 1, 1), std.view(-1, 1, 1)
        self.makes_pixels = self._moments is not None and all(type(step) in _OF_TENSORS for step in steps)
        """Whether a picture through `pixels`, and a batch of such through `finish`, is a picture through a call."""
        self.is_fixed = self._moments is not None and all(type(step) in _FIXED for step in steps)
        """Whether nothing is drawn."""
        self.view: View | None = None
        """What comes before all that is drawn, where the first step makes it."""
        first: Any = self._steps[0] if self._steps else None
        if type(first) in _FIXED and (self.makes_pixels or (type(first) in _AS_KEPT and ON_BYTES)):
            self.view = View(
                first.text, lambda image: self._through([first], image), first.side, not isinstance(first, ShortSide)
            )

    def __call__(self, image: Image.Image, place: Place | None = None) -> Tensor:
        """An RGB image as a float32 tensor, (3, height, width), in a place of its own or in the one that is given."""
        return self._finished(self.pixels(image), place)

    def of_view(self, pixels: Tensor, place: Place | None = None) -> Tensor:
        """As a call, of a picture of which the view has made these pixels."""
        return self._finished(self.pixels_of_view(pixels), place)

    def _finished(self, pixels: Tensor, place: Place | None) -> Tensor:
        if self._moments is None or pixels.dtype != torch.uint8 or len(pixels) != len(self._moments[0]):
            return self._slowly(pixels, place)
        mean, std = self._moments
        floats = place(pixels.shape, torch.float32).copy_(pixels) if place else pixels.to(torch.float32)
        return floats.mul_(1 / 255).sub_(mean).div_(std)

    def finish(self, pixels: Tensor) -> Tensor:
        """A batch of what `pixels` made, (batch, 3, height, width) of uint8, as float32: as by calls, to the bit."""
        assert self._moments is not None
        mean, std = self._moments
        floats = empty_batch(pixels.shape, torch.float32)
        count = max(1, _AT_ONCE // pixels[0].numel())
        for some, written in zip(pixels.split(count), floats.split(count), strict=True):
            written.copy_(some).mul_(1 / 255).sub_(mean).div_(std)
        return floats

    def pixels(self, image: Image.Image | Tensor) -> Tensor:
        """A picture after the steps, not finished: (3, height, width), of uint8 where `makes_pixels`."""
        return self._through(self._steps, image)

    def pixels_of_view(self, pixels: Tensor) -> Tensor:
        """As `pixels`, of a picture of which the view has made these."""
        return self._through(self._steps[1:], pixels)

    def _through(self, steps: Sequence[nn.Module], image: Image.Image | Tensor) -> Tensor:
        for step in steps:
            if isinstance(image, Image.Image) and not isinstance(step, RandomCrop):
                image = _tensor_of(image)
            if type(step) in _OF_TENSORS:
                image = step.forward(image)  # a call looks for a module's hooks first, a microsecond each
            else:
                image = step(tv_tensors.Image(image) if isinstance(image, Tensor) else image)
        return (_tensor_of(image) if isinstance(image, Image.Image) else image).as_subclass(Tensor)

    def _slowly(self, pixels: Tensor, place: Place | None) -> Tensor:
        """As v2 does it, of whatever type and with whatever finish."""
        tensor = v2.functional.to_dtype(tv_tensors.Image(pixels), torch.float32, scale=True)
        for step in self._finish:
            tensor = step(tensor)
        tensor = tensor.as_subclass(Tensor)
        return place(tensor.shape, tensor.dtype).copy_(tensor) if place else tensor


def _tensor_of(image: Image.Image) -> Tensor:
    """(channels, height, width), as `v2.ToImage` has it: a view of rows of pixels."""
    if image.mode == "RGB":
        pixels = np.frombuffer(bytearray(image.tobytes()), np.uint8)  # a bytearray: torch wants what may be written to
        return torch.from_numpy(pixels.reshape(image.height, image.width, 3).transpose(2, 0, 1))
    tensor: Tensor = v2.functional.pil_to_tensor(image)
    return tensor
