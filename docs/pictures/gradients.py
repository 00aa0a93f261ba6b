"""How large a gradient each head passes into the map at its start, beside gap's: a column of the table in docs/heads.md.

Where it is small, the backbone is trained at a smaller rate than another head's at the same learning rate. Maps are like those
behind ResNet50's last ReLU, labels are random, and so is the start: the mean of three draws.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor, nn

import wisesr
from wisesr.models.heads.base import Head

SHAPE, CLASSES = (2048, 7, 7), 70
"""ResNet50 at 224 px, Sub-ImageNet-70: what the paper's first table has."""
_BATCH, _DRAWS = 16, 3


def relative_gradient(name: str) -> float:
    """The norm of the gradient of cross-entropy into the map, in training mode, of gap's."""
    return norm(name) / norm("gap")


@cache
def norm(name: str) -> float:
    """The mean over the draws."""
    torch.manual_seed(0)
    maps, labels = torch.relu(torch.randn(_BATCH, *SHAPE) * 0.8), torch.randint(0, CLASSES, (_BATCH,))
    found = []
    for seed in range(_DRAWS):
        torch.manual_seed(seed)
        head = wisesr.create_head(name, SHAPE, CLASSES)
        leaf = maps.clone().requires_grad_()
        nn.functional.cross_entropy(of_maps(head, leaf), labels).backward()  # type: ignore[no-untyped-call]
        assert leaf.grad is not None
        found.append(leaf.grad.norm().item())
    return sum(found) / len(found)


def of_maps(head: Head, maps: Tensor) -> Tensor:
    """Logits of maps without images; a head that looks at images gets the first channels of the maps for them."""
    return head.of_images(maps, maps[:, :3].detach())
