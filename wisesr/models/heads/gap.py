"""Global average pooling, the baseline: Network in Network, Lin et al. 2013, https://arxiv.org/abs/1312.4400."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from wisesr.models.heads.base import Head
from wisesr.types import FeatureShape


def global_average(features: Tensor) -> Tensor:
    """y_c = mean_ij x_cij: (batch, channels, height, width) -> (batch, channels)."""
    return features.mean(dim=(2, 3))


class GlobalAverage(nn.Module):
    """`global_average` as a module without weights."""

    def forward(self, features: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, channels)."""
        return global_average(features)


class GlobalAverageHead(Head):
    """Mean of each channel, then a linear classifier. Arguments and errors: `Head`."""

    def __init__(
        self,
        feature_shape: FeatureShape | tuple[int, int, int],
        num_classes: int,
        *,
        init: Literal["normal", "torch"] = "normal",
        dropout: float = 0.0,
    ) -> None:
        super().__init__(
            feature_shape,
            num_classes,
            aggregation=GlobalAverage(),
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
