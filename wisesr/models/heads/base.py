"""The contract of all heads: a feature map in, logits out, in four stages that a reader can name."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from wisesr.types import FeatureShape

INIT_STD = 0.01
"""Kernels start from N(0, 0.01) and offsets from 0, in every arm of the paper's notebooks."""


def init_kernel(weight: Tensor) -> None:
    """Draw a kernel in place from N(0, 0.01)."""
    nn.init.normal_(weight, std=INIT_STD)


@torch.no_grad()
def start_as_torch(kernel: Tensor, bias: Tensor, fan_in: int) -> None:
    """Draw a kernel and its offset in place from U(-b, b), b = 1 / sqrt(fan_in), as nn.Linear and nn.Conv2d start.

    Their kaiming_uniform with a = sqrt(5) comes to that:
    https://github.com/pytorch/pytorch/blob/v2.6.0/torch/nn/modules/conv.py

    Args:
        kernel: of any shape.
        bias: likewise.
        fan_in: numbers that one output is a sum over; for a depthwise kernel height * width.
    """
    bound = 1 / math.sqrt(fan_in)
    nn.init.uniform_(kernel, -bound, bound)
    nn.init.uniform_(bias, -bound, bound)


class Head(nn.Module):
    """pre-average -> spatial aggregation -> dropout -> linear: (batch, channels, height, width) -> (batch, classes).

    Subclasses compute an aggregation and hand it over; forward is the same for all.

    Args:
        feature_shape: channels, height and width of one image's feature map; any 3-tuple.
        num_classes: logits.
        aggregation: (batch, channels, height', width') -> (batch, features).
        dropout: share of the features that is dropped in training, in [0, 1).
        pre_average: (batch, channels, height, width) -> the same with a smaller map; None for the map as it is.
        features: what the aggregation leaves for the linear classifier; None for one a channel.

    Raises:
        ValueError: a shape, a count or the dropout is out of its range.
    """

    def __init__(
        self,
        feature_shape: FeatureShape | tuple[int, int, int],
        num_classes: int,
        *,
        aggregation: nn.Module,
        dropout: float,
        pre_average: nn.Module | None = None,
        features: int | None = None,
    ) -> None:
        super().__init__()
        if num_classes < 2:
            raise ValueError(f"num_classes must be at least 2, not {num_classes}")
        check_dropout(dropout)
        self.feature_shape = check_shape(feature_shape)
        self.pre_average = pre_average or nn.Identity()
        self.aggregation = aggregation
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(self.feature_shape.channels if features is None else features, num_classes)
        init_kernel(self.classifier.weight)
        nn.init.zeros_(self.classifier.bias)

    def start_as_torch(self) -> None:
        """Draw anew, as PyTorch's layers start, what is one or could be: `recipe.head_init=torch`.

        An aggregation without a counterpart among them (no weights, weights that start as an average, timm's attention)
        keeps its start; one with a counterpart has a `start_as_torch` of its own.
        """
        self.classifier.reset_parameters()
        start: Callable[[], None] | None = getattr(self.aggregation, "start_as_torch", None)
        if start is not None:
            start()

    def forward(self, features: Tensor) -> Tensor:
        """Logits, (batch, classes), of feature maps, (batch, channels, height, width).

        Raises:
            ValueError: the maps are not of the shape that the head was made for.
        """
        if tuple(features.shape[1:]) != tuple(self.feature_shape):
            raise ValueError(f"the head was made for maps of {tuple(self.feature_shape)}, not {tuple(features.shape[1:])}")
        logits: Tensor = self.classifier(self.dropout(self.aggregation(self.pre_average(features))))
        return logits

    def evidence(self, features: Tensor) -> Tensor:
        """What each position of the map adds to each logit: (batch, classes, height, width).

        Its sum over the map plus `offset()` equals the logits (in eval mode), for every head that is linear in the map.

        Raises:
            NotImplementedError: the head is not linear.
        """
        raise NotImplementedError(f"{type(self).__name__} is not linear in the feature map: it has no evidence per position")

    def offset(self) -> Tensor:
        """What no position brings to the logits, (classes,): the classifier's bias, and the aggregation's through it."""
        raise NotImplementedError(f"{type(self).__name__} is not linear in the feature map: it has no offset")


def check_shape(feature_shape: FeatureShape | tuple[int, int, int]) -> FeatureShape:
    """A 3-tuple of positive numbers as `FeatureShape`.

    Raises:
        ValueError: it is not one.
    """
    values = tuple(feature_shape)
    if len(values) != 3 or min(values) < 1:
        raise ValueError(f"feature_shape must be (channels, height, width), all at least 1, not {values}")
    return FeatureShape(*values)


def check_dropout(dropout: float) -> None:
    """Refuse a share that is out of its range.

    Raises:
        ValueError: it is not in [0, 1).
    """
    if not 0 <= dropout < 1:
        raise ValueError(f"head.dropout must be at least 0 and below 1, not {dropout}")


def at_least_float32(features: Tensor) -> Tensor:
    """Half precision raised to float32, for powers and exponentials; float32 and float64 as they are."""
    return features.to(torch.promote_types(features.dtype, torch.float32))


def spread(kernel: Tensor, pool: int, shape: FeatureShape) -> Tensor:
    """A kernel on the pre-averaged map as the one kernel on the full map that computes the same.

    Each weight is divided evenly among the pool x pool positions that were averaged; the last rows and columns, which
    'valid' averaging drops, get zero.

    Args:
        kernel: (..., height // pool, width // pool).
        pool: side of the averaging window.
        shape: of the full map.

    Returns:
        (..., height, width)
    """
    full = kernel.new_zeros((*kernel.shape[:-2], shape.height, shape.width))
    blocks = kernel.repeat_interleave(pool, -2).repeat_interleave(pool, -1) / pool**2
    full[..., : blocks.shape[-2], : blocks.shape[-1]] = blocks
    return full


class Constrained(nn.Module):
    """A module whose weights must stay in some set; `wisesr.constrain` calls `project` after every optimizer step."""

    def project(self) -> None:
        """Bring the weights back, in place."""
        raise NotImplementedError


@torch.no_grad()
def project_non_negative(kernel: Tensor) -> None:
    """Clamp a kernel at 0 in place, as Keras' `NonNeg` does after each update.

    https://github.com/keras-team/keras/blob/v2.6.0/keras/constraints.py
    """
    kernel.clamp_(min=0)
