"""Global average pooling, the baseline: Network in Network, Lin et al. 2013, https://arxiv.org/abs/1312.4400."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from wisesr.models.heads.arithmetic import Arithmetic, adds_in_layout, check_arithmetic
from wisesr.models.heads.base import Head
from wisesr.types import FeatureShape


def global_average(features: Tensor, arithmetic: Arithmetic = 1) -> Tensor:
    """y_c = mean_ij x_cij: (batch, channels, height, width) -> (batch, channels).

    The same bits in either arithmetic. The gradient of 2 is one number a channel, expanded and not written out: the layer
    before reads it in its own layout. That of `mean` is written in one that a channels_last map does not have.
    """
    if adds_in_layout(arithmetic, features):
        return features.sum(dim=(2, 3)) / (features.shape[2] * features.shape[3])
    return features.mean(dim=(2, 3))


class GlobalAverage(nn.Module):
    """`global_average` as a module without weights.

    Args:
        arithmetic: see `wisesr.models.heads.arithmetic`.

    Raises:
        ValueError: neither 1 nor 2.
    """

    def __init__(self, arithmetic: Arithmetic = 1) -> None:
        super().__init__()
        check_arithmetic(arithmetic)
        self.arithmetic: Arithmetic = arithmetic

    def forward(self, features: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, channels)."""
        return global_average(features, self.arithmetic)


class GlobalAverageHead(Head):
    """Mean of each channel, then a linear classifier. Arguments and errors: `Head`, and `arithmetic` as of `GlobalAverage`."""

    def __init__(
        self,
        feature_shape: FeatureShape | tuple[int, int, int],
        num_classes: int,
        *,
        init: Literal["normal", "torch"] = "normal",
        dropout: float = 0.0,
        arithmetic: Literal[1, 2] = 1,
    ) -> None:
        super().__init__(
            feature_shape,
            num_classes,
            aggregation=GlobalAverage(arithmetic),
            dropout=dropout,
            init=init,
        )

    def evidence(self, features: Tensor) -> Tensor:
        """W_kc x_cij / (height * width), summed over channels: (batch, classes, height, width); the class activation map."""
        positions = self.feature_shape.height * self.feature_shape.width
        return nn.functional.conv2d(features / positions, self.classifier.weight[:, :, None, None])

    def offset(self) -> Tensor:
        """The classifier's bias, (classes,)."""
        return self.classifier.bias
