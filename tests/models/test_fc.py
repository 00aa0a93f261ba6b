"""VGG's classifier against flatten, against torchvision's VGG, and its dropout."""

from __future__ import annotations

import math

import pytest
import torch
import torchvision
from torch import Tensor, nn

from tests.support.small import maps
from wisesr import create_head


def test_fc_with_identities_is_flatten() -> None:
    x, head = maps((3, 2, 4)).abs(), create_head("fc", (3, 2, 4), 5, hidden=24).double().eval()
    for layer in head.aggregation.children():
        if isinstance(layer, nn.Linear):
            nn.init.eye_(layer.weight)
    flat = create_head("flatten", (3, 2, 4), 5).double()
    flat.classifier.load_state_dict(head.classifier.state_dict())
    torch.testing.assert_close(head(x), flat(x))


def test_fc_drops_once_after_each_hidden_layer() -> None:
    """On ones, through identities: each dropout of 1/2 leaves a feature at 0 or doubles it, so two leave 0 or 4."""
    torch.manual_seed(0)
    head = create_head("fc", (4096, 1, 1), 3, hidden=4096, dropout=0.5).train()
    for layer in head.aggregation.children():
        if isinstance(layer, nn.Linear):
            nn.init.eye_(layer.weight)
    seen: list[Tensor] = []
    head.classifier.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    head(torch.ones(1, 4096, 1, 1))
    assert seen[0].unique().tolist() == [0, 4]
    assert (seen[0] > 0).double().mean().item() == pytest.approx(0.25, abs=4 * (0.25 * 0.75 / 4096) ** 0.5)


def test_fc_is_vggs_to_the_number() -> None:
    with torch.device("meta"):
        ours = create_head("fc", (512, 7, 7), 1000, pre_pool=1)
        theirs = torchvision.models.vgg16().classifier
    counts = [[tuple(p.shape) for p in module.parameters()] for module in (ours, theirs)]
    assert counts[0] == counts[1]
    assert sum(math.prod(shape) for shape in counts[0]) == 123_642_856
