"""Global average pooling of the positions that pre-averaging without padding keeps.

`wise` averages 2x2 windows of a 7x7 map and never sees its last row and column, 27 % of the map. The control for that: where
`wise` and this head differ from `gap` alike, what differs is what they look at. Not from the paper.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from wisesr.models.heads.base import Head, check_shape
from wisesr.models.heads.gap import GlobalAverage
from wisesr.models.heads.pre_average import pre_average
from wisesr.types import FeatureShape


class KeptAverageHead(Head):
    """Averaging in windows, mean of what they leave, linear classifier: the mean over all positions of whole windows.

    Args:
        feature_shape, num_classes, dropout: as of `Head`.
        pre_pool: side of the averaging window, or None to take it from the map's extent, as `wise` does.
        init: as of `Head`.
        arithmetic: as of `GlobalAverage`.

    Raises:
        ValueError: a value out of its range; a window larger than the map.
    """

    def __init__(
        self,
        feature_shape: FeatureShape | tuple[int, int, int],
        num_classes: int,
        *,
        pre_pool: int | None = None,
        init: Literal["normal", "torch"] = "normal",
        dropout: float = 0.0,
        arithmetic: Literal[1, 2] = 1,
    ) -> None:
        averaging = pre_average(check_shape(feature_shape), pre_pool)
        super().__init__(
            averaging.shape,
            num_classes,
            pre_average=averaging.module(),
            aggregation=GlobalAverage(arithmetic),
            dropout=dropout,
            init=init,
        )
        self.averaging = averaging

    def evidence(self, features: Tensor) -> Tensor:
        """W_kc x_cij / (positions kept), 0 where they are dropped, summed over channels: (batch, classes, height, width)."""
        left = self.averaging.left
        kernel = self.averaging.spread(features.new_full(left[1:], 1 / (left.height * left.width)))
        return nn.functional.conv2d(features * kernel, self.classifier.weight[:, :, None, None])

    def offset(self) -> Tensor:
        """The classifier's bias, (classes,)."""
        return self.classifier.bias
