"""Pooling with one parameter, learnable or fixed, that says where between the average and the maximum it lies."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from wisesr.models.heads.constrained import Constrained

SMALLEST = 0.01
"""Where a learned number is held: GeM and log-sum-exp divide by theirs, and below 0 the smallest feature would rule."""


class ParametricPool(Constrained):
    """A pooling function with its parameter, one positive number for all channels.

    Args:
        pool: features (batch, channels, height, width), number -> (batch, channels).
        name: of the head's setting, for messages.
        start: of the number, at least 0.01.
        learnable: whether it is trained. If so, `constrain` holds it at 0.01 or more.

    Raises:
        ValueError: the number is too small.
    """

    def __init__(self, pool: Callable[[Tensor, Tensor], Tensor], name: str, start: float, learnable: bool) -> None:
        super().__init__()
        if start < SMALLEST:
            raise ValueError(f"head.{name} must be above 0, at least {SMALLEST}, not {start}")
        self.pool, self.start = pool, float(start)
        value = torch.tensor(float(start))
        self.number = nn.Parameter(value) if learnable else nn.Buffer(value)

    def forward(self, features: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, channels)."""
        return self.pool(features, self.number)

    @torch.no_grad()
    def project(self) -> None:
        """Keep a learned number above 0."""
        self.number.clamp_(min=SMALLEST)


def at_least_float32(features: Tensor) -> Tensor:
    """Half precision raised to float32, for powers and exponentials; float32 and float64 as they are."""
    return features.to(torch.promote_types(features.dtype, torch.float32))
