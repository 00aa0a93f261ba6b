"""Pre-average and flatten: a weight for each class, channel and position, the upper end of what a linear head can learn.

The 512 px arm of the paper's notebooks (arXiv 2104.12294) with 3x3 averaging: 3,430,467 parameters on Xception's map and
67 classes, where GAP has 137,283.
"""

from __future__ import annotations

import math
from typing import Literal

from torch import Tensor, nn

from wisesr.models.heads.base import Head, check_shape
from wisesr.models.heads.pre_average import pre_average
from wisesr.types import FeatureShape


class FlattenHead(Head):
    """Pre-averaging, all positions of all channels side by side, linear classifier.

    Args:
        feature_shape, num_classes, init, dropout: as of `Head`.
        pre_pool: side of the averaging window, or None to take it from the map's extent.
        pre_pool_mode: what becomes of rows and columns beyond the last whole window; see `PrePoolMode`.

    Raises:
        ValueError: a value out of its range; a window larger than the map.
    """

    def __init__(
        self,
        feature_shape: FeatureShape | tuple[int, int, int],
        num_classes: int,
        *,
        pre_pool: int | None = None,
        pre_pool_mode: Literal["valid", "ceil"] = "valid",
        init: Literal["normal", "torch"] = "normal",
        dropout: float = 0.0,
    ) -> None:
        averaging = pre_average(check_shape(feature_shape), pre_pool, pre_pool_mode)
        super().__init__(
            averaging.shape,
            num_classes,
            pre_average=averaging.module(),
            aggregation=nn.Flatten(),
            features=math.prod(averaging.left),
            dropout=dropout,
            init=init,
        )
        self.averaging = averaging

    def evidence(self, features: Tensor) -> Tensor:
        """W_kcij x_cij, summed over channels: (batch, classes, height, width)."""
        weight = self.averaging.spread(self.classifier.weight.unflatten(1, self.averaging.left))
        return (features[:, None] * weight[None]).sum(dim=2)

    def offset(self) -> Tensor:
        """The classifier's bias, (classes,)."""
        return self.classifier.bias
