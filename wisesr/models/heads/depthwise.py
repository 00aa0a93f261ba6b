"""A depthwise convolution as large as the feature map, in place of its average.

Wise-SrNet, Rahimzadeh et al. 2021, https://arxiv.org/abs/2104.12294: with one weight for each channel and position, a
channel's feature depends on where it fires; uniform weights 1 / (height * width) are global average pooling.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from wisesr.models.heads.arithmetic import Arithmetic, adds_in_layout
from wisesr.models.heads.base import Head, check_shape
from wisesr.models.heads.depthwise_aggregation import DepthwiseAggregation, NonNegative, depthwise
from wisesr.models.heads.pre_average import PrePoolMode, averaged_to, pre_average
from wisesr.models.heads.resizing import resized_average
from wisesr.types import FeatureShape

__all__ = ["DepthwiseAggregation", "DepthwiseHead", "DepthwiseKernelHead", "depthwise"]


class DepthwiseKernelHead(Head):
    """Pre-averaging, depthwise aggregation, linear classifier; `DepthwiseHead` and `WiseHead` say over which window.

    Args:
        feature_shape, num_classes, dropout: as of `Head`.
        pre_pool: side of the averaging window, 1 for the map as it is; None to take it from the map's extent.
        pre_pool_mode: what becomes of rows and columns beyond the last whole window; see `PrePoolMode`.
        non_negative: "projection" for the paper's kernel >= 0, "none", or "softplus"; see `DepthwiseAggregation`.
        init: how kernel and classifier start: "normal" as in the paper, "torch", or "average"; see `Start`.
        learnable: whether the kernel is trained.
        arithmetic: see `wisesr.models.heads.arithmetic`.

    Raises:
        ValueError: a value out of its range or choices; a window larger than the map.
    """

    starts = DepthwiseAggregation.starts
    aggregation: DepthwiseAggregation

    def __init__(
        self,
        feature_shape: FeatureShape | tuple[int, int, int],
        num_classes: int,
        *,
        pre_pool: int | None,
        non_negative: NonNegative,
        dropout: float,
        pre_pool_mode: PrePoolMode = "valid",
        init: str = "normal",
        learnable: bool = True,
        arithmetic: Arithmetic = 1,
    ) -> None:
        averaging = pre_average(check_shape(feature_shape), pre_pool, pre_pool_mode)
        super().__init__(
            averaging.shape,
            num_classes,
            pre_average=averaging.module(),
            aggregation=DepthwiseAggregation(
                averaging.left, non_negative, init, learnable=learnable, shares=averaging.shares, arithmetic=arithmetic
            ),
            dropout=dropout,
            init=init,
        )
        self.averaging = averaging

    def pooled(self, features: Tensor) -> Tensor:
        """As of `Head`. In arithmetic 2, rows of a map that lie one after another are averaged and weighed at once.

        torch averages windows of such maps five times more slowly than those of channels_last maps: one kernel spread over all
        positions is faster. A dropped position then counts 0 times, and one that is not a number is seen.
        """
        part, averaging = self.aggregation, self.averaging
        if averaging.pool == 1 or not features.is_contiguous() or not adds_in_layout(part.arithmetic, features, part.kernel):
            return super().pooled(features)
        return depthwise(features, averaging.spread_by_product(part.effective_kernel()), part.bias, part.arithmetic)

    def resized_state(self, state: Mapping[str, Tensor], trained: FeatureShape) -> dict[str, Tensor]:
        """The kernel in use, resized so that its sum is kept; under softplus through its parameter."""
        parameter = state["aggregation.kernel"]
        before = averaged_to(trained, self.averaging.pool, parameter)
        softplus = self.aggregation.non_negative == "softplus" and before != self.averaging
        used = resized_average(nn.functional.softplus(parameter.double()) if softplus else parameter, before, self.averaging)
        new = (used + torch.log(-torch.expm1(-used))).to(parameter.dtype) if softplus else used  # log(exp(k) - 1)
        return super().resized_state({**state, "aggregation.kernel": new}, trained)

    def full_kernel(self) -> Tensor:
        """The one kernel on the full map, (channels, height, width), that pre-averaging and aggregation amount to."""
        return self.averaging.spread(self.aggregation.effective_kernel())

    def evidence(self, features: Tensor) -> Tensor:
        """W_kc k_cij x_cij, summed over channels: (batch, classes, height, width)."""
        return nn.functional.conv2d(features * self.full_kernel(), self.classifier.weight[:, :, None, None])

    def offset(self) -> Tensor:
        """The classifier's bias plus the kernel's through the classifier, (classes,)."""
        return self.classifier(self.aggregation.bias[None])[0]  # type: ignore[no-any-return]


class DepthwiseHead(DepthwiseKernelHead):
    """Depthwise aggregation over the whole map, then a linear classifier. Arguments and errors: `DepthwiseKernelHead`."""

    def __init__(
        self,
        feature_shape: FeatureShape | tuple[int, int, int],
        num_classes: int,
        *,
        non_negative: Literal["none", "projection", "softplus"] = "none",
        init: Literal["normal", "torch", "average"] = "normal",
        learnable: bool = True,
        dropout: float = 0.0,
        arithmetic: Literal[1, 2] = 1,
    ) -> None:
        super().__init__(
            feature_shape,
            num_classes,
            pre_pool=1,
            non_negative=non_negative,
            init=init,
            learnable=learnable,
            dropout=dropout,
            arithmetic=arithmetic,
        )
