"""SimPool: the average asks, the positions answer. One attention layer, no projection of values.

Psomas et al. 2023, https://arxiv.org/abs/2309.06891, as timm computes it:
https://github.com/huggingface/pytorch-image-models/blob/main/timm/layers/other_pool.py. On ResNet50's 2048x7x7 map and 70
classes the head has 8,536,134 parameters (GAP: 143,430).
"""

from __future__ import annotations

from typing import Literal

import torch
from timm.layers import SimPool2d
from torch import Tensor

from wisesr.models.heads.base import Head, check_shape
from wisesr.models.heads.parametric_pooling import at_least_float32
from wisesr.types import FeatureShape

EPS = 1e-6
"""Added to what is shifted, as in the authors' code and timm's: a root has no gradient at 0."""


class ImageShiftedSimPool(SimPool2d):
    """timm's layer with another shift: each image's numbers begin just above 0, channels keep their distances.

    Computed in float32 at least, as a square of 1e-6 is nothing in float16; so not by torch's fused attention.

    Args:
        channels: of the map.
        num_heads: of the attention; divides the channels.
        gamma: exponent of the mean.
    """

    def __init__(self, channels: int, num_heads: int, gamma: float) -> None:
        super().__init__(channels, num_heads=num_heads, gamma=gamma)
        self.exponent = gamma

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, channels)."""
        positions, pieces = x.flatten(2).transpose(1, 2), (self.num_heads, self.head_dim)
        normal = self.norm(positions)
        question, keys = self.q(positions.mean(1)).unflatten(1, pieces), self.k(normal).unflatten(2, pieces)
        weights = (torch.einsum("bhd,bnhd->bnh", question, keys) * self.scale).softmax(1)
        values = at_least_float32(normal)
        powers = (values - values.amin(dim=(1, 2), keepdim=True) + EPS).pow(self.exponent).unflatten(2, pieces)
        mean = (weights[..., None] * powers).sum(1).flatten(1)
        answer: Tensor = mean.pow(1 / self.exponent).to(x.dtype)
        return answer


class SimPoolHead(Head):
    """SimPool, then a linear classifier.

    With n over the height * width positions, x_n (channels,) and t_n = LayerNorm(x_n), over channels, with a learned scale
    and offset:

        q = W_q mean_n x_n,  k_n = W_k t_n,  a_n = softmax_n(q . k_n / sqrt(channels)),  y = sum_n a_n t_n

    With `num_heads`, q, k_n and t_n are cut into as many pieces of equal length (the root's `channels` is then theirs), each
    piece with its own a, and y is their chain. With `gamma`, t is first shifted to begin just above 0:

        y = (sum_n a_n (t_n - min t + 1e-6)^gamma)^(1/gamma)

    `gamma_shift` says which minimum: "channel" for each channel's own, min_n t_nc, which is timm's; "image" for one of the
    whole map, min_nc t_nc. The authors' code (https://github.com/billpsomas/simpool, file sp.py) takes one of the whole batch,
    so that a picture's answer depends on its neighbours; "image" is that for a batch of one picture. Their gamma is 2.0 for
    convolutional networks and 1.25 for transformers. The learned offset on y that they offer beside it, used for transformers
    trained without labels, is not built here. Their LayerNorm adds 1e-6 to the variance, timm's 1e-5.

    timm's initialisation of its layers is kept: PyTorch's uniform one for W_q and W_k, the identity for the LayerNorm. Not
    linear in the map: it has no evidence per position.

    Args:
        feature_shape, num_classes, init, dropout: as of `Head`.
        num_heads: of the attention; divides the channels.
        gamma: exponent above 0 of the mean with weights a, or None for the plain weighted mean.
        gamma_shift: with gamma, the minimum that is taken off: "channel" or "image".

    Raises:
        ValueError: a value out of its range or choices; channels that do not divide; a shift without gamma.
    """

    def __init__(
        self,
        feature_shape: FeatureShape | tuple[int, int, int],
        num_classes: int,
        *,
        num_heads: int = 1,
        gamma: float | None = None,
        gamma_shift: Literal["channel", "image"] = "channel",
        init: Literal["normal", "torch"] = "normal",
        dropout: float = 0.0,
    ) -> None:
        shape = check_shape(feature_shape)
        if num_heads < 1 or shape.channels % num_heads:
            raise ValueError(f"head.num_heads must divide the map's {shape.channels} channels, which {num_heads} does not")
        super().__init__(
            shape,
            num_classes,
            aggregation=sim_pool(shape.channels, num_heads, gamma, gamma_shift),
            dropout=dropout,
            init=init,
        )


def sim_pool(channels: int, num_heads: int, gamma: float | None, shift: str) -> SimPool2d:
    """The layer of `SimPoolHead`.

    Raises:
        ValueError: as there.
    """
    if gamma is not None and gamma <= 0:
        raise ValueError(f"head.gamma must be above 0, or null, not {gamma}")
    if shift == "channel":
        return SimPool2d(channels, num_heads=num_heads, gamma=gamma)
    if shift != "image":
        raise ValueError(f"head.gamma_shift must be one of channel, image, not {shift!r}")
    if gamma is None:
        raise ValueError("head.gamma_shift must be channel where head.gamma is null: without a power nothing is shifted")
    return ImageShiftedSimPool(channels, num_heads, gamma)
