"""The weights of a depthwise convolution as large as the map, how they start, and how they are held at zero or above."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from wisesr.models.heads.arithmetic import Arithmetic, adds_in_layout, check_arithmetic
from wisesr.models.heads.constrained import Constrained
from wisesr.models.heads.initialisation import check_start, init_kernel, start_as_average, start_as_torch, start_softplus
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
