"""What is said of places holds for what torch computes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from wisesr.training.map_places import Places, Sizes, largest_distance


@pytest.fixture(params=[1, 2, 3])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("activation", [nn.SiLU(), nn.Sigmoid(), nn.GELU(), nn.Tanh(), nn.Hardswish(), nn.ReLU6()])
@pytest.mark.parametrize("values", [4, 10, 16, 32, 999, 4096, 5000])
@pytest.mark.parametrize("batch", [5, 16, 30, 32])
def test_where_nothing_is_left_no_place_matters(activation: nn.Module, values: int, batch: int, threads: int) -> None:
    torch.manual_seed(0)
    images = torch.randn(batch, values)
    with Sizes() as sizes:
        forth = activation(images)
    if sizes.left_over(batch, threads):
        return
    for shift in range(1, batch):
        assert torch.equal(activation(images.roll(shift, 0)).roll(-shift, 0), forth)


def test_what_is_left() -> None:
    images = torch.randn(30, 10)  # 300 values, 9 times 32 and 12
    with Sizes() as sizes:
        torch.sigmoid(images)
    assert sizes.left_over(30, 1)
    with Sizes() as sizes:
        torch.relu(images) + images.view(300).view(30, 10)
    assert not sizes.left_over(30, 1), "the same bits anywhere"
    with Sizes() as sizes:
        torch.sigmoid(torch.randn(32, 2048))
    assert [sizes.left_over(32, threads) for threads in (1, 2, 3)] == [False] * 3, "65,536 values are two threads' at most"
    with Sizes() as sizes:
        torch.sigmoid(torch.randn(32, 4096))
    assert [sizes.left_over(32, threads) for threads in (1, 2, 3, 4)] == [False, False, True, False]


def test_distances() -> None:
    one = torch.tensor([1.0, 2.0])
    assert largest_distance(one, one.clone()) == 0
    assert largest_distance(one, one + 0.5) == 0.5
    assert largest_distance(one, one / 0) > 1e300
    assert [Places(0.0, False).differs, Places(0.1, False).differs] == [0, 0.1]
    assert 0 < Places(0.0, True).differs < 1e-6
