"""The wise head on a map whose positions have been permuted: the same kernel, the same numbers, and no place.

The control for what `wise` brings beside place. Permuted once, neighbours are no longer averaged together, and each weight
still belongs to one set of positions; with a window of 1 there is nothing to tear apart, and the head is `wise` with its
weights in another order. Permuted anew for each image, a weight belongs to no position at all. Not from the paper.
"""

from __future__ import annotations

from collections.abc import Mapping
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
"""Puts the values of 8-bit images, normalised to [-1, 1] or as `augment=paper` does, between the steps and not onto them."""


def image_keys(images: Tensor) -> Tensor:
    """A number in [0, 2^31 - 1) for each image, of its pixels alone: whole numbers in any order have one sum.

    Of pixels on a grid, so images that differ elsewhere only have one key.

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
    pixels ("image"): a function of seed and picture, whatever else is in its batch. The picture is what the network gets, so
    an augmented or mixed one is another. Weights cannot be used on maps of another extent. Kernel and classifier start as those
    of `wise` with the same seed.

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
        arithmetic: Literal[1, 2] = 1,
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
            arithmetic=arithmetic,
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
        return self._of_permuted(features, self.numbers.expand(features.shape[0], -1))

    def of_images(self, features: Tensor, images: Tensor) -> Tensor:
        """Logits, (batch, classes), of feature maps and their images, (batch, 3, size, size)."""
        if self.shuffle == "once":
            logits: Tensor = self(features)
            return logits
        return self._of_permuted(features, permutations(image_keys(images), self.numbers))

    def _of_permuted(self, features: Tensor, order: Tensor) -> Tensor:
        """Of maps whose position n is that of `order[:, n]`, (batch, positions)."""
        self.check_maps(features)
        flat = features.flatten(2)
        permuted = flat.gather(2, order[:, None].expand(-1, flat.shape[1], -1)).unflatten(2, features.shape[2:])
        logits: Tensor = super().forward(permuted)
        return logits

    def resized_state(self, state: Mapping[str, Tensor], trained: FeatureShape) -> dict[str, Tensor]:
        """The state as it is: there is no permutation of another map that would be this one.

        Raises:
            ValueError: it is for maps of another extent.
        """
        if trained[1:] != self.feature_shape[1:]:
            raise ValueError(
                f"{type(self).__name__} permutes maps of {trained.height}x{trained.width} positions, and cannot be used on "
                f"{self.feature_shape.height}x{self.feature_shape.width}"
            )
        return dict(state)

    def full_kernel(self) -> Tensor:
        """The one kernel on the map as it was, (channels, height, width).

        Raises:
            NotImplementedError: the permutation is one for each image.
        """
        self._check_one_permutation("kernel on the map as it was")
        kernel = super().full_kernel().flatten(1)
        unshuffled: Tensor = torch.empty_like(kernel).index_copy(1, self.numbers, kernel).unflatten(1, self.feature_shape[1:])
        return unshuffled

    def evidence(self, features: Tensor) -> Tensor:
        """As of `wise`, at the positions of the map as it was.

        Raises:
            NotImplementedError: the permutation is one for each image.
        """
        self._check_one_permutation("evidence per position")
        return super().evidence(features)

    def offset(self) -> Tensor:
        """As of `wise`.

        Raises:
            NotImplementedError: the permutation is one for each image.
        """
        self._check_one_permutation("offset")
        return super().offset()

    def _check_one_permutation(self, lacking: str) -> None:
        if self.shuffle == "image":
            raise NotImplementedError(
                f"{type(self).__name__} is not linear in the feature map with shuffle=image, which permutes the positions of "
                f"each image by its pixels: it has no {lacking}"
            )
