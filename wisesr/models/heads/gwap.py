"""Global weighted average pooling: one weight for each position, shared by all channels.

The Wise-SrNet paper (https://arxiv.org/abs/2104.12294) draws such a head in its Fig. 1; its exact form is not known here.
This is the simplest reading of it. `gwap_attention` is another; the third, one weight for each channel and position, is
`depthwise` but for the bias.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from wisesr.models.heads.arithmetic import Arithmetic, adds_in_layout, check_arithmetic
from wisesr.models.heads.base import Head, check_shape
from wisesr.models.heads.resizing import resized
from wisesr.models.heads.weighted_sum import weighted_sum
from wisesr.types import FeatureShape


def weighted_average(features: Tensor, kernel: Tensor, arithmetic: Arithmetic = 1) -> Tensor:
    """y_c = mean_ij k_ij x_cij: (batch, channels, height, width), (height, width) -> (batch, channels)."""
    if adds_in_layout(arithmetic, features, kernel):
        return weighted_sum(features, kernel.expand(features.shape[1:])) / kernel.numel()
    return torch.einsum("bchw,hw->bc", features, kernel) / kernel.numel()


class WeightedAverage(nn.Module):
    """`weighted_average` with its map, which starts at ones: as global average pooling. `arithmetic` as of `GlobalAverage`."""

    def __init__(self, shape: FeatureShape, arithmetic: Arithmetic = 1) -> None:
        super().__init__()
        check_arithmetic(arithmetic)
        self.arithmetic: Arithmetic = arithmetic
        self.kernel = nn.Parameter(torch.ones(shape.height, shape.width))

    def forward(self, features: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, channels)."""
        return weighted_average(features, self.kernel, self.arithmetic)


class WeightedAverageHead(Head):
    """Weighted mean of each channel with one map of weights for all, then a linear classifier. Arguments and errors: `Head`."""

    aggregation: WeightedAverage

    def __init__(
        self,
        feature_shape: FeatureShape | tuple[int, int, int],
        num_classes: int,
        *,
        init: Literal["normal", "torch"] = "normal",
        dropout: float = 0.0,
        arithmetic: Literal[1, 2] = 1,
    ) -> None:
        shape = check_shape(feature_shape)
        super().__init__(
            shape,
            num_classes,
            aggregation=WeightedAverage(shape, arithmetic),
            dropout=dropout,
            init=init,
        )

    def resized_state(self, state: Mapping[str, Tensor], trained: FeatureShape) -> dict[str, Tensor]:
        """The map of weights, resized so that its mean is kept, as it is a mean that they weigh."""
        kernel, shape = state["aggregation.kernel"], self.feature_shape
        new = resized(kernel, shape.height, shape.width) * (shape.height * shape.width / kernel.numel())
        return super().resized_state({**state, "aggregation.kernel": new}, trained)

    def evidence(self, features: Tensor) -> Tensor:
        """W_kc k_ij x_cij / (height * width), summed over channels: (batch, classes, height, width)."""
        kernel = self.aggregation.kernel
        return nn.functional.conv2d(features * kernel / kernel.numel(), self.classifier.weight[:, :, None, None])

    def offset(self) -> Tensor:
        """The classifier's bias, (classes,)."""
        return self.classifier.bias
