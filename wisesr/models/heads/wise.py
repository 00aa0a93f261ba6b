"""The head of the paper: pre-average, then a non-negative depthwise kernel as large as the pooled map.

Wise-SrNet, Rahimzadeh et al. 2021, https://arxiv.org/abs/2104.12294. On ResNet50's 2048x7x7 map and 70 classes: 2x2
averaging leaves 3x3, so the kernel and its bias have 20,480 parameters and the head 163,910 (GAP: 143,430).
"""

from __future__ import annotations

from typing import Literal

from wisesr.models.heads.depthwise import DepthwiseKernelHead
from wisesr.types import FeatureShape


class WiseHead(DepthwiseKernelHead):
    """Pre-averaging, depthwise aggregation, linear classifier. Arguments and errors: `DepthwiseKernelHead`."""

    def __init__(
        self,
        feature_shape: FeatureShape | tuple[int, int, int],
        num_classes: int,
        *,
        pre_pool: int | None = None,
        pre_pool_mode: Literal["valid", "ceil"] = "valid",
        non_negative: Literal["none", "projection", "softplus"] = "projection",
        init: Literal["normal", "torch", "average"] = "normal",
        learnable: bool = True,
        dropout: float = 0.0,
        arithmetic: Literal[1, 2] = 1,
    ) -> None:
        super().__init__(
            feature_shape,
            num_classes,
            pre_pool=pre_pool,
            pre_pool_mode=pre_pool_mode,
            non_negative=non_negative,
            init=init,
            learnable=learnable,
            dropout=dropout,
            arithmetic=arithmetic,
        )
