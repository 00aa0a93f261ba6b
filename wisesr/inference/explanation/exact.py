"""The exact part of an explanation: what each position of the map adds to a logit, for heads that are linear in it.

Computed in float64 on the map as the run has it, so that nothing but the map's own precision is lost: the sum and the logit,
which are computed in two different ways, agree to about 1e-15.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from wisesr.errors import UserError
from wisesr.models.heads.base import Head

LARGEST_RESIDUAL = 1e-5
"""Share of the largest number in a sum by which it may miss the logit."""


class Exact(NamedTuple):
    """Of one picture and some classes, float64, on the CPU."""

    logits: Tensor
    """(classes,)"""
    maps: Tensor
    """(classes, height, width)"""
    offsets: Tensor
    """(classes,)"""


def exact(head: Head, features: Tensor, classes: Sequence[int]) -> Exact | None:
    """Logits of some classes, and their evidence; None where the head is not linear in the map, or in another one each image.

    Args:
        head: of any precision, in eval mode.
        features: one picture's map, (1, channels, height, width).
        classes: indices of logits.

    Raises:
        UserError: the evidence does not sum to the logit: the head's `evidence` or `offset` is wrong.
    """
    with torch.inference_mode():
        try:
            head.offset()
            few, doubled = _exact_head(head, classes), features.double()
            maps = few.evidence(doubled)[0].cpu()
        except NotImplementedError:
            return None
        logits, offsets = few(doubled)[0].cpu(), few.offset().cpu()
    largest = torch.stack([logits.abs(), offsets.abs(), maps.flatten(1).abs().amax(1)]).amax(0)
    missed = (maps.sum(dim=(1, 2)) + offsets - logits).abs()
    if not bool((missed <= LARGEST_RESIDUAL * largest).all()):
        raise UserError(
            f"the evidence of {type(head).__name__} must sum, with its offset, to the logit, and misses it by "
            f"{float((missed / largest).max()):.2g} of it: its evidence() or offset() does not belong to its forward()"
        )
    return Exact(logits, maps, offsets)


def _exact_head(head: Head, classes: Sequence[int]) -> Head:
    """A copy in float64 with the logits of some classes only: a flatten head's evidence for a thousand takes gigabytes."""
    whole = head.classifier
    few = nn.Linear(whole.in_features, len(classes), bias=whole.bias is not None, device=whole.weight.device)
    chosen = torch.tensor(list(classes), device=whole.weight.device)
    few.weight = nn.Parameter(whole.weight.detach()[chosen], requires_grad=False)
    if whole.bias is not None:
        few.bias = nn.Parameter(whole.bias.detach()[chosen], requires_grad=False)
    return copy.deepcopy(head, {id(whole): few}).double()
