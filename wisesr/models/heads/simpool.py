"""SimPool: the average asks, the positions answer. One attention layer, no projection of values.

Psomas et al. 2023, https://arxiv.org/abs/2309.06891, as timm computes it:
https://github.com/huggingface/pytorch-image-models/blob/main/timm/layers/other_pool.py. On ResNet50's 2048x7x7 map and 70
classes the head has 8,536,134 parameters (GAP: 143,430).
"""

from __future__ import annotations

from typing import Literal

from timm.layers import SimPool2d

from wisesr.models.heads.base import Head, check_shape
from wisesr.types import FeatureShape


class SimPoolHead(Head):
    """SimPool, then a linear classifier.

    With n over the height * width positions, x_n (channels,) and t_n = LayerNorm(x_n), over channels, with a learned scale
    and offset:

        q = W_q mean_n x_n,  k_n = W_k t_n,  a_n = softmax_n(q . k_n / sqrt(channels)),  y = sum_n a_n t_n

    With `num_heads`, q, k_n and t_n are cut into as many pieces of equal length (the root's `channels` is then theirs), each
    piece with its own a, and y is their chain. With `gamma`, every channel's t_n is first shifted to begin just above 0:

        y = (sum_n a_n (t_n - min_n t_n + 1e-6)^gamma)^(1/gamma)

    The authors' code (https://github.com/billpsomas/simpool) instead shifts by one minimum for the whole batch and adds a
    learned offset. timm's initialisation of its layers is kept: PyTorch's uniform one for W_q and W_k, the identity for the
    LayerNorm. Not linear in the map: it has no evidence per position.

    Args:
        feature_shape, num_classes, init, dropout: as of `Head`.
        num_heads: of the attention; divides the channels.
        gamma: exponent above 0 of the mean with weights a, or None for the plain weighted mean.

    Raises:
        ValueError: a value out of its range; channels that do not divide.
    """

    def __init__(
        self,
        feature_shape: FeatureShape | tuple[int, int, int],
        num_classes: int,
        *,
        num_heads: int = 1,
        gamma: float | None = None,
        init: Literal["normal", "torch"] = "normal",
        dropout: float = 0.0,
    ) -> None:
        shape = check_shape(feature_shape)
        if num_heads < 1 or shape.channels % num_heads:
            raise ValueError(f"head.num_heads must divide the map's {shape.channels} channels, which {num_heads} does not")
        if gamma is not None and gamma <= 0:
            raise ValueError(f"head.gamma must be above 0, or null, not {gamma}")
        super().__init__(
            shape,
            num_classes,
            aggregation=SimPool2d(shape.channels, num_heads=num_heads, gamma=gamma),
            dropout=dropout,
            init=init,
        )
