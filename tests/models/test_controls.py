"""Heads that leave one thing out, each against the head that it is a control for, and against loops."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.support.small import Shape, aggregated, maps, randomised
from wisesr import constrain, create_head
from wisesr.models.heads.base import Head

shapes = st.tuples(st.integers(1, 4), st.integers(1, 12), st.integers(1, 12))
few = settings(max_examples=20)


def means(x: Tensor, rows: int, columns: int) -> list[list[float]]:
    """Of each image's channels, over the first rows and columns, one by one."""
    return [
        [sum(plane[i][j] for i in range(rows) for j in range(columns)) / (rows * columns) for plane in image]
        for image in x.tolist()
    ]


@given(shape=shapes)
@few
def test_gap_scale_is_a_loop(shape: Shape) -> None:
    head, x = randomised(create_head("gap_scale", shape, 3)), maps(shape)
    scale, bias = (head.get_parameter(f"aggregation.{name}").tolist() for name in ("scale", "bias"))
    expected = [[s * m + b for s, m, b in zip(scale, row, bias, strict=True)] for row in means(x, *shape[1:])]
    torch.testing.assert_close(aggregated(head, x), torch.tensor(expected, dtype=torch.float64))


@given(shape=shapes)
@few
def test_gap_valid_is_a_loop_over_what_whole_windows_hold(shape: Shape) -> None:
    head, x = randomised(create_head("gap_valid", shape, 3)), maps(shape)
    pool = 1 if min(shape[1:]) <= 4 else 2 if min(shape[1:]) <= 10 else 3
    rows, columns = (extent // pool * pool for extent in shape[1:])
    torch.testing.assert_close(aggregated(head, x), torch.tensor(means(x, rows, columns), dtype=torch.float64))


@given(shape=shapes)
@few
def test_gap_scale_starts_as_gap(shape: Shape) -> None:
    torch.manual_seed(0)
    gap = create_head("gap", shape, 3)
    torch.manual_seed(0)
    scaled, x = create_head("gap_scale", shape, 3), maps(shape).float()
    assert torch.equal(gap(x), scaled(x)), "from the same seed, to the bit"


def test_gap_valid_does_not_see_the_edge_and_keeps_the_rest() -> None:
    head, x = randomised(create_head("gap_valid", (3, 7, 7), 4)), maps((3, 7, 7))
    changed = x.clone()
    changed[:, :, 6], changed[:, :, :, 6] = 5, -5
    torch.testing.assert_close(head(x), head(changed))
    evidence = head.evidence(x)
    assert not evidence[:, :, 6].any() and not evidence[:, :, :, 6].any() and evidence[:, :, :6, :6].abs().min() > 0
    torch.testing.assert_close(head(x), randomly_like(head, "gap", (3, 6, 6))(x[:, :, :6, :6]))


def randomly_like(head: Head, name: str, shape: Shape) -> Head:
    other = create_head(name, shape, 4).double().eval()
    other.classifier.load_state_dict(head.classifier.state_dict())
    return other


def steps(head: Head, count: int = 5) -> None:
    """AdamW's, with weight decay and the constraint."""
    optimizer = torch.optim.AdamW(head.parameters(), lr=0.1, weight_decay=0.5)
    constrain(optimizer, head)
    for _ in range(count):
        optimizer.zero_grad()
        nn.functional.cross_entropy(head(torch.randn(8, *head.feature_shape)), torch.arange(8) % 3).backward()
        optimizer.step()


@pytest.mark.parametrize("init", ["normal", "torch", "average"])
def test_a_frozen_kernel_is_wises_clamped_and_stays(init: str) -> None:
    torch.manual_seed(0)
    wise = create_head("wise", (6, 7, 7), 3, init=init)
    torch.manual_seed(0)
    frozen = create_head("wise_frozen", (6, 7, 7), 3, init=init)
    before = {name: value.clone() for name, value in frozen.state_dict().items()}
    assert torch.equal(before["aggregation.kernel"], wise.state_dict()["aggregation.kernel"].clamp(min=0))
    assert not frozen.get_parameter("aggregation.kernel").requires_grad
    steps(frozen)
    changed = {name for name, value in frozen.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"aggregation.bias", "classifier.weight", "classifier.bias"}
    assert frozen.get_parameter("aggregation.kernel").min() >= 0


def test_a_frozen_kernel_without_constraint_is_as_it_was_drawn() -> None:
    torch.manual_seed(0)
    free = create_head("depthwise", (6, 5, 5), 3)
    torch.manual_seed(0)
    frozen = create_head("depthwise", (6, 5, 5), 3, learnable=False)
    steps(frozen)
    assert torch.equal(frozen.get_parameter("aggregation.kernel"), free.get_parameter("aggregation.kernel"))
    assert frozen.get_parameter("aggregation.kernel").min() < 0


def test_wise_unconstrained_is_wise_until_a_weight_falls_below_zero() -> None:
    torch.manual_seed(0)
    wise = create_head("wise", (6, 7, 7), 3)
    torch.manual_seed(0)
    free = create_head("wise_unconstrained", (6, 7, 7), 3)
    x = torch.randn(4, 6, 7, 7)
    assert torch.equal(wise(x), free(x)), "the constraint holds after steps only"
    steps(free)
    assert free.get_parameter("aggregation.kernel").min() < 0
