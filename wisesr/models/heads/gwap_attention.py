"""Global weighted average pooling whose weights come from the features themselves.

Qiu 2018, https://arxiv.org/abs/1809.08264, the class-agnostic module. Only its abstract could be read here; the formula is
that of a public implementation, `GlobalWeightedAvgPool2d` of https://github.com/BloodAxe/pytorch-toolbelt. `gwap` is another
reading of the name.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from wisesr.models.heads.base import Head, check_shape
from wisesr.models.heads.initialisation import check_start, init_kernel, start_as_torch
from wisesr.types import FeatureShape


def attentive_average(features: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """y_c = sum_ij (m_ij / sum m) x_cij with m_ij = exp(sigmoid(w . x_ij + b)).

    The sigmoid bounds m: no position can weigh more than e = 2.72 times as much as another.

    (batch, channels, height, width), w of (channels,), b of (1,) -> (batch, channels)
    """
    scores = torch.einsum("bchw,c->bhw", features, kernel) + bias
    weights = torch.softmax(scores.sigmoid().flatten(1), dim=1)  # exp(s) / sum exp(s)
    return torch.einsum("bcn,bn->bc", features.flatten(2), weights)


class AttentiveAverage(nn.Module):
    """`attentive_average` with its weights: w from N(0, 0.01), b from 0, so that it starts close to the plain average.

    With init "torch", as the nn.Conv2d from all channels to one that w and b amount to.
    """

    def __init__(self, shape: FeatureShape, init: str = "normal") -> None:
        super().__init__()
        check_start(init, ("normal", "torch"))
        self.kernel = nn.Parameter(torch.empty(shape.channels))
        self.bias = nn.Parameter(torch.zeros(1))
        if init == "torch":
            start_as_torch(self.kernel, self.bias, fan_in=self.kernel.numel())
        else:
            init_kernel(self.kernel)

    def forward(self, features: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, channels)."""
        return attentive_average(features, self.kernel, self.bias)


class AttentiveAverageHead(Head):
    """Mean of each channel with weights that depend on the map, then a linear classifier. Arguments and errors: `Head`.

    Not linear in the map: it has no evidence per position.
    """

    def __init__(
        self,
        feature_shape: FeatureShape | tuple[int, int, int],
        num_classes: int,
        *,
        init: Literal["normal", "torch"] = "normal",
        dropout: float = 0.0,
    ) -> None:
        shape = check_shape(feature_shape)
        super().__init__(
            shape,
            num_classes,
            aggregation=AttentiveAverage(shape, init),
            dropout=dropout,
            init=init,
        )
