"""Log-sum-exp pooling: a smooth maximum, between the average (r towards 0) and the maximum (r without bound).

Pinheiro and Collobert 2015, https://arxiv.org/abs/1411.6228, pool so; there class scores, here the features that the
classifier gets. timm's `LsePlus2d` computes the same with adaptive_max_pool2d, which deterministic mode refuses on CUDA
(https://docs.pytorch.org/docs/stable/generated/torch.use_deterministic_algorithms.html), so the three lines stand here.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from wisesr.models.heads.base import Head
from wisesr.models.heads.parametric_pooling import ParametricPool, at_least_float32
from wisesr.types import FeatureShape


def log_mean_exp(features: Tensor, r: Tensor) -> Tensor:
    """y_c = (1/r) log(mean_ij exp(r x_cij)).

    Args:
        features: (batch, channels, height, width).
        r: a number above 0, of no dimension.

    Returns:
        (batch, channels), in the type of the features; computed in float32 at least, and without overflow.
    """
    positions = at_least_float32(features).flatten(2)
    r = r.to(positions.dtype)
    return ((torch.logsumexp(r * positions, dim=2) - math.log(positions.shape[2])) / r).to(features.dtype)


class LogSumExpHead(Head):
    """Log-sum-exp of each channel, then a linear classifier.

    Not linear in the map: it has no evidence per position.

    Args:
        feature_shape, num_classes, init, dropout: as of `Head`.
        r: sharpness, or where it starts.
        learnable: whether the sharpness is trained; it is then held at 0.01 or more.

    Raises:
        ValueError: a value out of its range.
    """

    def __init__(
        self,
        feature_shape: FeatureShape | tuple[int, int, int],
        num_classes: int,
        *,
        r: float = 10.0,
        learnable: bool = True,
        init: Literal["normal", "torch"] = "normal",
        dropout: float = 0.0,
    ) -> None:
        super().__init__(
            feature_shape,
            num_classes,
            aggregation=ParametricPool(log_mean_exp, "r", r, learnable),
            dropout=dropout,
            init=init,
        )
