"""Heads with one description are one computation: trained, they agree to the last bit."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.support.small import Pictured, small_settings
from wisesr import constrain, create_head
from wisesr.config.options import options
from wisesr.models.heads.base import Head
from wisesr.models.heads.description import describe_head
from wisesr.models.heads.gap import GlobalAverage

Case = tuple[str, dict[str, Any]]

VARIANTS: list[Case] = [
    *[("wise", {"pre_pool": pool}) for pool in (1, 2)],
    *[("flatten", {"pre_pool": pool}) for pool in (1, 2)],
    *[("fc", {"pre_pool": pool}) for pool in (1, 2)],
    ("fc", {"dropout": 0.0}),
    *[(name, {"non_negative": way}) for name in ("wise", "depthwise") for way in ("none", "projection", "softplus")],
    *[(name, {"dropout": 0.0}) for name in ("gap_dropout", "wise_dropout")],
    *[(name, {"dropout": 0.5}) for name in ("gap", "max", "flatten", "depthwise_nonneg", "depthwise")],
    *[("gem", {"p": p, "learnable": learnable}) for p in (1.0, 2.0) for learnable in (False, True)],
    *[("lse", {"r": r, "learnable": learnable}) for r in (1.0, 10.0) for learnable in (False, True)],
    *[("simpool", settings) for settings in ({"num_heads": 2}, {"gamma": 1.7})],
    ("attention", {"head_dim": 4}),
]
"""Settings beside those of conf/head, of every kind that a head has."""
CASES: list[Case] = [(name, {}) for name in options("head")] + VARIANTS
EXTENTS = [(1, 1), (1, 2), (2, 2), (3, 4), (7, 7)]


def made(case: Case, extent: tuple[int, int], device: str = "cpu") -> Head | None:
    """A head of 4 channels and 3 classes; None where its window is larger than the map."""
    name, settings = case
    if settings.get("pre_pool", 1) > min(extent):
        return None
    with torch.device(device):
        return create_head(name, (4, *extent), 3, **small_settings(name, 4) | settings)


def trained(case: Case, extent: tuple[int, int], start: str) -> tuple[Tensor, ...]:
    """Weights after two steps behind a convolution, and the logits then: all drawn from one seed."""
    torch.manual_seed(3)
    body = nn.Conv2d(3, 4, 3, padding=1)
    head = made((case[0], {**case[1], "init": start}), extent)
    assert head is not None
    model = nn.Sequential(body, nn.ReLU(), Pictured(head))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.1)
    constrain(optimizer, model)
    for step in range(2):
        torch.manual_seed(step)
        images, labels = torch.randn(6, 3, *extent), torch.arange(6) % 3
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
    return (*[parameter.detach() for parameter in model.parameters()], model.eval()(images).detach())


@pytest.mark.parametrize("start", ["normal", "torch"])
@pytest.mark.parametrize("extent", EXTENTS)
def test_one_description_is_one_computation(extent: tuple[int, int], start: str) -> None:
    """Of all heads and their variants, every two that are described alike agree after two steps."""
    groups: dict[str | None, list[Case]] = {}
    for case in CASES:
        name, settings = case
        if (head := made((name, {**settings, "init": start}), extent, "meta")) is not None:
            groups.setdefault(describe_head(head), []).append(case)
    assert None not in groups
    assert len(groups) > 10
    for first, *others in groups.values():
        for other in others:
            for one, two in zip(trained(first, extent, start), trained(other, extent, start), strict=True):
                assert torch.equal(one, two), (first, other)


def alike(extent: tuple[int, int]) -> set[frozenset[str]]:
    """Names of conf/head that are described alike."""
    groups: dict[str | None, set[str]] = {}
    for name in options("head"):
        head = made((name, {}), extent, "meta")
        assert head is not None
        groups.setdefault(describe_head(head), set()).add(name)
    return {frozenset(names) for names in groups.values() if len(names) > 1}


UNAVERAGED = {frozenset({"wise", "depthwise_nonneg"}), frozenset({"wise_unconstrained", "depthwise"})}


@pytest.mark.parametrize("extent", [(2, 2), (3, 3), (4, 4), (4, 9)])
def test_wise_without_an_average_is_depthwise_nonneg(extent: tuple[int, int]) -> None:
    """The paper's head by its own definition, with windows of 1; the same without its constraint; and all is kept."""
    assert alike(extent) == UNAVERAGED | {frozenset({"gap", "gap_valid"})}


@pytest.mark.parametrize("extent", [(5, 5), (7, 7), (16, 16)])
def test_where_it_averages_all_are_their_own(extent: tuple[int, int]) -> None:
    assert alike(extent) == set()


def test_one_position_leaves_nothing_to_pool() -> None:
    """The average, the maximum and the list of one number are that number."""
    assert alike((1, 1)) == UNAVERAGED | {frozenset({"gap", "gap_valid", "max", "flatten"})}


def test_a_window_by_its_number_and_by_itself() -> None:
    by_extent, given, other = (made(("wise", settings), (7, 7)) for settings in ({}, {"pre_pool": 2}, {"pre_pool": 3}))
    assert by_extent is not None and given is not None and other is not None
    assert describe_head(by_extent) == describe_head(given) != describe_head(other)


class Scaled(nn.Module):
    """Somebody's aggregation, whose start is in no attribute."""

    def __init__(self, start: float) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(start))

    def forward(self, features: Tensor) -> Tensor:
        return features.mean(dim=(2, 3)) * self.scale


class Doubled(Head):
    """Somebody's head, with a forward pass of its own around known parts."""

    def __init__(self) -> None:
        super().__init__((4, 2, 2), 3, aggregation=GlobalAverage(), dropout=0.0)

    def forward(self, features: Tensor) -> Tensor:
        return 2 * super().forward(features)


def test_code_that_is_not_known_is_never_taken_for_another() -> None:
    head = create_head("gap", (4, 2, 2), 3)
    head.aggregation = Scaled(0.5)
    assert describe_head(head) is None
    assert describe_head(Doubled()) is None
