"""Heads small enough for brute force, with every term alive."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from wisesr import create_head
from wisesr.models.heads.base import Head

Shape = tuple[int, int, int]


def small_settings(name: str, channels: int) -> dict[str, Any]:
    """What a head needs in place of its YAML's settings, which are made for real feature maps."""
    if name == "attention":
        return {"head_dim": 2 if channels % 2 == 0 else 1}
    return {"hidden": 6} if name == "fc" else {}


def small_head(name: str, shape: Shape, classes: int, **settings: Any) -> Head:
    return create_head(name, shape, classes, **small_settings(name, shape[0]) | settings)


def randomised(head: Head) -> Head:
    """The head in double precision, every parameter drawn wide, so that no term hides behind a zero.

    Numbers that must be above 0 (GeM's p, LSE's r) have no dimension: they are drawn from 1 to 4.
    """
    head = head.double().eval()
    for parameter in head.parameters():
        if parameter.ndim == 0:
            torch.nn.init.uniform_(parameter, 1, 4)
        else:
            torch.nn.init.normal_(parameter)
    return head


def maps(shape: Shape, batch: int = 3) -> Tensor:
    return torch.randn(batch, *shape, dtype=torch.float64)


class Pictured(nn.Module):
    """A head on maps alone, the first channels of each being its picture: some heads draw something for each picture."""

    def __init__(self, head: Head) -> None:
        super().__init__()
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        return self.head.of_images(x, x[:, :3].detach())


def logits(head: Head, x: Tensor) -> Tensor:
    answer: Tensor = Pictured(head)(x)
    return answer


def aggregated(head: Head, x: Tensor) -> Tensor:
    """What the head's classifier gets."""
    features: Tensor = head.aggregation(head.pre_average(x))
    return features
