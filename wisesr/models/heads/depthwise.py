"""A depthwise convolution as large as the feature map, in place of its average.

Wise-SrNet, Rahimzadeh et al. 2021, https://arxiv.org/abs/2104.12294: with one weight for each channel and position, a
channel's feature depends on where it fires; uniform weights 1 / (height * width) are global average pooling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from wisesr.models.heads.arithmetic import Arithmetic, adds_in_layout, check_arithmetic
from wisesr.models.heads.base import Head, check_shape
from wisesr.models.heads.constrained import Constrained
from wisesr.models.heads.initialisation import check_start, init_kernel, start_as_average, start_as_torch, start_softplus
from wisesr.models.heads.pre_average import PrePoolMode, averaged_to, pre_average
from wisesr.models.heads.resizing import resized_average
from wisesr.models.heads.weighted_sum import plain_weighted_sum, weighted_sum
from wisesr.types import FeatureShape

NonNegative = Literal["none", "projection", "softplus"]
"""How a parameter becomes a kernel; see `DepthwiseAggregation`. Signatures of heads spell it out: they are read as source."""


def depthwise(features: Tensor, kernel: Tensor, bias: Tensor, arithmetic: Arithmetic = 1) -> Tensor:
    """y_c = b_c + sum_ij k_cij x_cij: the one output of a 'valid' depthwise convolution as large as its input.

    (batch, channels, height, width), (channels, height, width), (channels,) -> (batch, channels)
    """
    summed = weighted_sum if adds_in_layout(arithmetic, features, kernel) else plain_weighted_sum
    return summed(features, kernel) + bias


class DepthwiseAggregation(Constrained):
    """`depthwise` with its weights.

    `non_negative` says how the parameter `kernel` becomes the kernel in use:

    - "none": it is the kernel.
    - "projection": the same, and `project` clamps it at 0, which `constrain` calls after every step. The paper's.
    - "softplus": the kernel is log(1 + exp(theta)) > 0, theta being the parameter.

    Softplus starts at global average pooling, theta = log(exp(share) - 1) + noise, and so elsewhere than "projection". With
    theta from N(0, 0.01) alone all weights would start near 0.69, far from an average. With a kernel near 0 they would stay
    there, because d kernel / d theta = 1 - exp(-kernel). For the same reason the kernel's own spread is about the noise's
    times the share, and it moves more slowly at the same learning rate. Weight decay draws it to 0.69, not 0.

    Args:
        shape: of the map that it lies on.
        non_negative: see above.
        init: see `Start`; of softplus, "average" draws theta's noise from N(0, 0.1), anything else from N(0, 0.01), as no layer
            of PyTorch's is like it.
        learnable: whether the kernel is trained; the offset always is. One that is not stays as it was drawn; under
            "projection" it is clamped at once, as no step will do it.
        shares: (height, width), what each position counts for in an average; None for 1 / (height * width).
        arithmetic: see `wisesr.models.heads.arithmetic`.

    Raises:
        ValueError: another word for `non_negative` or `init`; another arithmetic.
    """

    starts: ClassVar[tuple[str, ...]] = ("normal", "torch", "average")

    def __init__(
        self,
        shape: FeatureShape,
        non_negative: NonNegative,
        init: str = "normal",
        *,
        learnable: bool = True,
        shares: Sequence[Sequence[float]] | None = None,
        arithmetic: Arithmetic = 1,
    ) -> None:
        super().__init__()
        check_start(init, self.starts)
        check_arithmetic(arithmetic)
        if non_negative not in ("none", "projection", "softplus"):
            raise ValueError(f"head.non_negative must be one of none, projection, softplus, not {non_negative!r}")
        self.non_negative, self.arithmetic = non_negative, arithmetic
        self.kernel = nn.Parameter(torch.empty(*shape), requires_grad=learnable)
        self.bias = nn.Parameter(torch.zeros(shape.channels))
        self._start(init, shares or [[1 / (shape.height * shape.width)] * shape.width] * shape.height)
        if not learnable:
            self.project()

    def _start(self, init: str, shares: Sequence[Sequence[float]]) -> None:
        if self.non_negative == "softplus":
            start_softplus(self.kernel, shares, init)
        elif init == "average":
            start_as_average(self.kernel, shares)
        elif init == "torch":
            start_as_torch(self.kernel, self.bias, fan_in=self.kernel[0].numel())
        else:
            init_kernel(self.kernel)

    def effective_kernel(self) -> Tensor:
        """The kernel in use, (channels, height, width)."""
        return nn.functional.softplus(self.kernel) if self.non_negative == "softplus" else self.kernel

    def forward(self, features: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, channels)."""
        return depthwise(features, self.effective_kernel(), self.bias, self.arithmetic)

    @torch.no_grad()
    def project(self) -> None:
        """Under "projection", clamp the kernel, not the bias, at 0, as Keras' `NonNeg` does after each update.

        https://github.com/keras-team/keras/blob/v2.6.0/keras/constraints.py
        """
        if self.non_negative == "projection":
            self.kernel.clamp_(min=0)


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
