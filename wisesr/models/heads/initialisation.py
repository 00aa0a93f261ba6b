"""How kernels and their offsets start: as in the paper's notebooks, or as PyTorch's own layers."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

INIT_STD = 0.01
"""Kernels start from N(0, 0.01) and offsets from 0, in every arm of the paper's notebooks."""


def init_kernel(weight: Tensor) -> None:
    """Draw a kernel in place from N(0, 0.01)."""
    nn.init.normal_(weight, std=INIT_STD)


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
