"""Heads on maps of another extent than they were trained on."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from tests.support.small import randomised, small_head
from wisesr.config.options import options
from wisesr.models.heads.resizing import resized
from wisesr.types import FeatureShape

OLD, NEW = FeatureShape(4, 7, 7), FeatureShape(4, 16, 12)


@pytest.mark.parametrize(
    ("old", "new"), [((3, 3), (8, 8)), ((7, 7), (16, 12)), ((16, 12), (7, 5)), ((1, 1), (4, 6)), ((5, 2), (1, 1))]
)
def test_a_resized_kernel_computes_what_a_resized_map_would_give(old: tuple[int, int], new: tuple[int, int]) -> None:
    kernel, features = torch.rand(6, *old, dtype=torch.float64), torch.randn(6, *new, dtype=torch.float64)
    bigger = resized(kernel, *new)
    small = F.interpolate(features[None], size=old, mode="bilinear", antialias=True)[0]
    torch.testing.assert_close((bigger * features).sum((1, 2)), (kernel * small).sum((1, 2)))
    torch.testing.assert_close(bigger.sum((1, 2)), kernel.sum((1, 2)))
    assert bigger.min() >= 0


def test_a_kernel_of_the_same_extent_is_itself() -> None:
    kernel = torch.randn(3, 5, 4)
    assert torch.equal(resized(kernel, 5, 4), kernel)


PERMUTED = "ShuffledWiseHead permutes maps of 7x7 positions, and cannot be used on 16x12"
REFUSING = {
    **dict.fromkeys(("flatten", "fc"), "learns .* for maps of 7x7 positions, and cannot be used on 16x12"),
    **dict.fromkeys(("wise_shuffled", "wise_shuffled_images"), PERMUTED),
}
"""Heads that say no, and how."""


@pytest.mark.parametrize("name", [name for name in options("head") if name not in REFUSING])
def test_a_constant_map_gives_the_same_logits_on_another_extent(name: str) -> None:
    """On the same feature everywhere, whatever the extent of the map; positions of `attention` differ, so it is left out."""
    pool = {"pre_pool": 2} if name.startswith("wise") else {}
    old, new = randomised(small_head(name, OLD, 3, **pool)), small_head(name, NEW, 3, **pool).double().eval()
    new.load_state_dict(new.resized_state(old.state_dict(), OLD))
    feature = torch.rand(2, 4, 1, 1, dtype=torch.float64)
    before, after = (head(feature.expand(2, 4, *shape[1:])) for head, shape in ((old, OLD), (new, NEW)))
    if name != "attention":
        torch.testing.assert_close(before, after)
    assert torch.isfinite(after).all()


def test_the_kernel_in_use_keeps_its_sum_under_softplus() -> None:
    old, new = (small_head("wise", shape, 3, pre_pool=2, non_negative="softplus") for shape in (OLD, NEW))
    new.load_state_dict(new.resized_state(old.state_dict(), OLD))
    sums = [head.aggregation.effective_kernel().sum((1, 2)) for head in (old, new)]  # type: ignore[operator, union-attr]
    torch.testing.assert_close(*sums)


@pytest.mark.parametrize(("name", "words"), REFUSING.items())
def test_heads_that_belong_to_the_positions_of_one_extent_refuse(name: str, words: str) -> None:
    old, new = (small_head(name, shape, 3, pre_pool=2) for shape in (OLD, NEW))
    with pytest.raises(ValueError, match=words):
        new.resized_state(old.state_dict(), OLD)


@pytest.mark.parametrize("name", options("head"))
def test_on_the_trained_extent_nothing_changes(name: str) -> None:
    old, new = randomised(small_head(name, OLD, 3)), small_head(name, OLD, 3).double().eval()
    new.load_state_dict(new.resized_state(old.state_dict(), OLD))
    assert all(torch.equal(value, new.state_dict()[key]) for key, value in old.state_dict().items())
