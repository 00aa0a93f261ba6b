"""How a head starts: as in the paper's notebooks, as PyTorch's own layers, or as an average."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

Start = Literal["normal", "torch", "average"]
"""`head.init`. Signatures of heads spell out which of them they take: they are read as source.

- "normal": kernels from N(0, 0.01), offsets from 0, in every arm of the paper's notebooks.
- "torch": what is a layer of PyTorch's, or could be one, starts as that does; an aggregation without a counterpart among them
  (no weights, weights that start as an average, timm's attention) keeps its start.
- "average": a kernel over positions starts as their average, each weight varied by a tenth; the classifier as in "normal".
  Without the variation it is global average pooling of the positions that pre-averaging keeps.
"""

INIT_STD = 0.01
"""Standard deviation of "normal"."""
AVERAGE_SPREAD = 0.1
"""Standard deviation of "average", as a share of the weight that every position has in an average."""


def check_start(init: str, starts: tuple[str, ...]) -> None:
    """Refuse a start that a head does not have.

    Raises:
        ValueError: it is none of `starts`.
    """
    if init not in starts:
        raise ValueError(f"head.init must be one of {', '.join(starts)}, not {init!r}")


def init_kernel(weight: Tensor) -> None:
    """Draw a kernel in place from N(0, 0.01)."""
    nn.init.normal_(weight, std=INIT_STD)


def start_linear(layer: nn.Linear, init: str) -> None:
    """Give a linear layer its start, in place; it comes with that of "torch", as PyTorch has made it."""
    if init != "torch":
        init_kernel(layer.weight)
        nn.init.zeros_(layer.bias)


@torch.no_grad()
def start_as_average(kernel: Tensor, shares: Sequence[Sequence[float]]) -> None:
    """Draw a kernel (channels, height, width) in place: share (1 + 0.1 N(0, 1)), the shares (height, width) of an average."""
    nn.init.normal_(kernel, mean=1.0, std=AVERAGE_SPREAD)
    kernel.mul_(kernel.new_tensor(shares))


@torch.no_grad()
def start_softplus(theta: Tensor, shares: Sequence[Sequence[float]], init: str) -> None:
    """Draw theta (channels, height, width) in place: log(exp(share) - 1) + noise, so that softplus(theta) is near the shares.

    The noise is from N(0, 0.1) for init "average", from N(0, 0.01) for any other.
    """
    nn.init.normal_(theta, std=AVERAGE_SPREAD if init == "average" else INIT_STD)
    theta.add_(theta.new_tensor([[math.log(math.expm1(share)) for share in row] for row in shares]))


@torch.no_grad()
def start_as_torch(kernel: Tensor, bias: Tensor, fan_in: int) -> None:
    """Draw a kernel and its offset in place from U(-b, b), b = 1 / sqrt(fan_in), as nn.Linear and nn.Conv2d start.

    fan_in is how many numbers one output is a sum over; for a depthwise kernel height * width.
    Their kaiming_uniform with a = sqrt(5) comes to that:
    https://github.com/pytorch/pytorch/blob/v2.6.0/torch/nn/modules/conv.py
    """
    bound = 1 / math.sqrt(fan_in)
    nn.init.uniform_(kernel, -bound, bound)
    nn.init.uniform_(bias, -bound, bound)
