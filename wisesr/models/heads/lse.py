"""Log-sum-exp pooling: a smooth maximum, between the average (r towards 0) and the maximum (r without bound).

Pinheiro and Collobert 2015, https://arxiv.org/abs/1411.6228, pool so; there class scores, here the features that the
classifier gets. timm's `LsePlus2d` computes the same with adaptive_max_pool2d, which deterministic mode refuses on CUDA
(https://docs.pytorch.org/docs/stable/generated/torch.use_deterministic_algorithms.html), so the three lines stand here.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from wisesr.models.heads.base import Constrained, Head, at_least_float32, check_shape
from wisesr.types import FeatureShape

SMALLEST_R = 0.01
"""Where a learned r is held. At 0 the formula divides by 0; this close to it, it is all but the average."""


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


class LogMeanExp(Constrained):
    """`log_mean_exp` with its sharpness, one for all channels.

    Args:
        r: where it starts, at least 0.01.
        learnable: whether it is trained. If so, `constrain` holds it at 0.01 or more.

    Raises:
        ValueError: r is too small.
    """

    def __init__(self, r: float, learnable: bool) -> None:
        super().__init__()
        if r < SMALLEST_R:
            raise ValueError(f"head.r must be above 0, at least {SMALLEST_R}, not {r}")
        value = torch.tensor(float(r))
        self.r = nn.Parameter(value) if learnable else nn.Buffer(value)

    def forward(self, features: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, channels)."""
        return log_mean_exp(features, self.r)

    @torch.no_grad()
    def project(self) -> None:
        """Keep a learned sharpness above 0."""
        self.r.clamp_(min=SMALLEST_R)


class LogSumExpHead(Head):
    """Log-sum-exp of each channel, then a linear classifier.

    Not linear in the map: it has no evidence per position.

    Args:
        feature_shape: channels, height and width of the map; any 3-tuple.
        num_classes: logits.
        r: sharpness, or where it starts.
        learnable: whether the sharpness is trained.
        dropout: before the classifier, in [0, 1).

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
        dropout: float = 0.0,
    ) -> None:
        shape = check_shape(feature_shape)
        super().__init__(
            shape,
            num_classes,
            pre_average=nn.Identity(),
            aggregation=LogMeanExp(r, learnable),
            features=shape.channels,
            dropout=dropout,
        )
