"""The wise head on a map whose positions have been permuted: the same kernel, the same numbers, and no place.

The control for everything that `wise` brings but for place. Permuted once, neighbours are no longer averaged together, and
each weight still belongs to one set of positions. Permuted anew for each image, a weight belongs to no position at all. Not
from the paper.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from wisesr.models.heads.depthwise import DepthwiseKernelHead
from wisesr.types import FeatureShape

PRIME = 2**31 - 1
"""Arithmetic modulo it stays below 2^63, and x -> x^5 permutes its residues, as 5 does not divide PRIME - 1."""
_GRID = 8
"""Rows and columns of pixels that tell one image from another."""
_STEPS = 16.0
"""Steps of a pixel's value, of normalised images, that are told apart: coarse, so that last bits make no other image."""
_BETWEEN = 0.3719
"""Puts the values of 8-bit images normalised to [-1, 1] between the steps and not onto them."""


def image_keys(images: Tensor) -> Tensor:
    """A number in [0, 2^31 - 1) for each image, of its pixels alone: whole numbers in any order have one sum.

    (batch, channels, height, width) -> (batch,), int64
    """
    height, width = images.shape[-2:]
    pixels = images[..., :: max(1, height // _GRID), :: max(1, width // _GRID)].flatten(1)
    steps = torch.floor(pixels.float() * _STEPS + _BETWEEN).long() % PRIME
    places = _scatter(torch.arange(1, pixels.shape[1] + 1, device=images.device))
    return (steps * places % PRIME).sum(dim=1) % PRIME


def permutations(keys: Tensor, numbers: Tensor) -> Tensor:
    """A permutation of positions for each image: they are sorted by (key + number)^5 modulo 2^31 - 1.

    (batch,), (positions,) -> (batch, positions), int64 in and out
    """
    return _scatter(keys[:, None] + numbers).argsort(dim=1)


def _scatter(numbers: Tensor) -> Tensor:
    """x^5 modulo 2^31 - 1, of whole numbers from 0 on: neighbours come to lie far apart."""
    x = numbers % PRIME
    square = x * x % PRIME
    return square * square % PRIME * x % PRIME


class ShuffledWiseHead(DepthwiseKernelHead):
    """A permutation of the positions of the map, all channels alike, then `WiseHead`.

    The permutation is drawn from the seed when the head is made ("once"), or for each image from that and the image's own
    pixels ("image"): a function of seed and image, whatever else is in its batch. An augmented image is another image. Weights
    cannot be used on maps of another extent. Kernel and classifier start as those of `wise` with the same seed.

    Args:
        shuffle: "once": one permutation for all images; "image": one for each.
        feature_shape, num_classes, pre_pool, pre_pool_mode, non_negative, init, dropout: as of `DepthwiseKernelHead`.

    Raises:
        ValueError: as of `DepthwiseKernelHead`; another word for `shuffle`.
    """

    numbers: Tensor
    """(height * width,), int64: of "once" the permutation, of "image" what `permutations` adds to an image's key."""

    def __init__(
        self,
        feature_shape: FeatureShape | tuple[int, int, int],
        num_classes: int,
        *,
        shuffle: Literal["once", "image"] = "once",
        pre_pool: int | None = None,
        pre_pool_mode: Literal["valid", "ceil"] = "valid",
        non_negative: Literal["none", "projection", "softplus"] = "projection",
        init: Literal["normal", "torch", "average"] = "normal",
        dropout: float = 0.0,
    ) -> None:
        if shuffle not in ("once", "image"):
            raise ValueError(f"head.shuffle must be one of once, image, not {shuffle!r}")
        super().__init__(
            feature_shape,
            num_classes,
            pre_pool=pre_pool,
            pre_pool_mode=pre_pool_mode,
            non_negative=non_negative,
            init=init,
            dropout=dropout,
        )
        positions = self.feature_shape.height * self.feature_shape.width
        self.shuffle = shuffle
        drawn = torch.randint(PRIME, (positions,))
        self.register_buffer("numbers", drawn.argsort() if shuffle == "once" else drawn)

    def forward(self, features: Tensor) -> Tensor:
        """Logits, (batch, classes), of feature maps, (batch, channels, height, width), permuted once and for all.

        Raises:
            ValueError: the maps are not of the head's shape; the permutation is one for each image, which is not given.
        """
        if self.shuffle == "image":
            raise ValueError("head.shuffle=image permutes by the image: call of_images(features, images)")
        return self._of_permuted(features, self.numbers.expand(len(features), -1))

    def of_images(self, features: Tensor, images: Tensor) -> Tensor:
        """Logits, (batch, classes), of feature maps and their images, (batch, 3, size, size)."""
        if self.shuffle == "once":
            logits: Tensor = self(features)
            return logits
        return self._of_permuted(features, permutations(image_keys(images), self.numbers))

    def _of_permuted(self, features: Tensor, order: Tensor) -> Tensor:
        """Of maps whose position n is that of `order[:, n]`, (batch, positions)."""
        flat = features.flatten(2)
        permuted = flat.gather(2, order[:, None].expand(-1, flat.shape[1], -1)).unflatten(2, features.shape[2:])
        logits: Tensor = super().forward(permuted)
        return logits

    def full_kernel(self) -> Tensor:
        """The one kernel on the map as it was, (channels, height, width).

        Raises:
            NotImplementedError: the permutation is one for each image.
        """
        if self.shuffle == "image":
            raise NotImplementedError(
                f"{type(self).__name__} permutes the positions of each image: it has no evidence per position"
            )
        kernel = super().full_kernel().flatten(1)
        unshuffled: Tensor = torch.empty_like(kernel).index_copy(1, self.numbers, kernel)
        return unshuffled.unflatten(1, self.feature_shape[1:])
