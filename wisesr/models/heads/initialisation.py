"""How a head starts: as in the paper's notebooks, as PyTorch's own layers, or as an average."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

Start = Literal["normal", "torch", "average"]
"""`head.init`. Signatures of heads spell out which of them they take: they are read as source.

- "normal": kernels from N(0, 0.01), offsets from 0, in every arm of the paper's notebooks.
- "torch": what is a layer of PyTorch's, or could be one, starts as that does; an aggregation without a counterpart among them
  (no weights, weights that start as an average, timm's attention) keeps its start.
- "average": a kernel over positions starts as their average, each weight varied by a tenth; the classifier as in "normal".
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
def start_as_average(kernel: Tensor) -> None:
    """Draw a kernel (channels, height, width) in place: (1 + 0.1 N(0, 1)) / (height * width)."""
    nn.init.normal_(kernel, mean=1.0, std=AVERAGE_SPREAD)
    kernel.div_(kernel[0].numel())


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
