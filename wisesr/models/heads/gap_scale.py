"""Global average pooling with a scale and an offset for each channel: what a kernel over positions learns, but for positions.

The control for `depthwise` and `wise`, whose kernels also let a channel count for more or less: where they beat `gap` and not
this head, it is not the place that helps. Not from the paper.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from wisesr.models.heads.arithmetic import Arithmetic, check_arithmetic
from wisesr.models.heads.base import Head, check_shape
from wisesr.models.heads.gap import global_average
from wisesr.types import FeatureShape


class ScaledAverage(nn.Module):
    """y_c = s_c mean_ij x_cij + b_c, s from ones and b from zeros: it starts as global average pooling."""

    def __init__(self, channels: int, arithmetic: Arithmetic = 1) -> None:
        super().__init__()
        check_arithmetic(arithmetic)
        self.arithmetic: Arithmetic = arithmetic
        self.scale = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, features: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, channels)."""
        return global_average(features, self.arithmetic) * self.scale + self.bias


class ScaledAverageHead(Head):
    """Mean of each channel, scaled and shifted, then a linear classifier. Arguments and errors: `Head`, `GlobalAverage`."""

    aggregation: ScaledAverage

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
        super().__init__(shape, num_classes, aggregation=ScaledAverage(shape.channels, arithmetic), dropout=dropout, init=init)

    def evidence(self, features: Tensor) -> Tensor:
        """W_kc s_c x_cij / (height * width), summed over channels: (batch, classes, height, width)."""
        positions = self.feature_shape.height * self.feature_shape.width
        weight = self.classifier.weight * self.aggregation.scale
        return nn.functional.conv2d(features / positions, weight[:, :, None, None])

    def offset(self) -> Tensor:
        """The classifier's bias plus the aggregation's through the classifier, (classes,)."""
        return self.classifier(self.aggregation.bias[None])[0]  # type: ignore[no-any-return]
