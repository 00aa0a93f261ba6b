"""Sums in the layout of the map: the numbers of matrix products, gradients in the layout, and the old way where it is seen."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from tests.support.small import Pictured, small_head
from wisesr import create_head
from wisesr.config.options import load_option, options
from wisesr.models.heads.depthwise import DepthwiseHead
from wisesr.models.heads.gap import GlobalAverage
from wisesr.models.heads.weighted_sum import plain_weighted_sum, weighted_sum

LAYOUTS = [torch.contiguous_format, torch.channels_last]
HEADS = [name for name in options("head") if "arithmetic" in load_option("head", name)]
SHAPES = [(3, 5, 4, 6), (3, 48, 20, 19), (1, 4, 1, 1), (5, 2, 7, 7)]  # the second has images that are a block each


def tensors(shape: tuple[int, ...], layout: torch.memory_format, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    maps = torch.randn(shape, dtype=dtype).contiguous(memory_format=layout)
    return maps.requires_grad_(), torch.randn(shape[1:], dtype=dtype).requires_grad_()


def test_the_family_has_the_setting_and_new_cells_the_new_way() -> None:
    assert {"gap", "gap_valid", "gap_scale", "gwap", "depthwise", "wise", "wise_shuffled", "wise_frozen"} <= set(HEADS)
    assert {load_option("head", name)["arithmetic"] for name in HEADS} == {2}
    with pytest.raises(ValueError, match=r"head.arithmetic must be one of 1, 2, not 3"):
        create_head("wise", (4, 7, 7), 3, arithmetic=3)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", SHAPES)
def test_values_and_gradients_are_those_of_the_matrix_product(shape: tuple[int, ...], layout: torch.memory_format) -> None:
    maps, kernel = tensors(shape, layout)
    upstream = torch.randn(shape[:2], dtype=torch.float64)
    summed, plain = weighted_sum(maps, kernel), plain_weighted_sum(maps, kernel)
    torch.testing.assert_close(summed, plain)
    mine, wanted = (torch.autograd.grad(way, (maps, kernel), upstream) for way in (summed, plain))
    torch.testing.assert_close(mine, wanted)
    assert mine[0].stride() == maps.stride()
    assert mine[1].is_contiguous()


# torch's own forward mode calls it: https://docs.pytorch.org/docs/stable/generated/torch.jit.script.html
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:FutureWarning")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_derivatives_of_every_kind(layout: torch.memory_format) -> None:
    maps, kernel = tensors((2, 3, 2, 3), layout)
    assert torch.autograd.gradcheck(weighted_sum, (maps, kernel), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(weighted_sum, (maps, kernel))
    assert torch.autograd.gradcheck(lambda k: weighted_sum(maps.detach(), k), (kernel,)), "a frozen backbone"
    assert torch.autograd.gradcheck(lambda x: weighted_sum(x, kernel.detach()), (maps,)), "a frozen kernel"
    several = torch.randn(4, 2, 3, 2, 3, dtype=torch.float64)
    each = torch.stack([plain_weighted_sum(one, kernel) for one in several])
    torch.testing.assert_close(torch.vmap(weighted_sum, (0, None))(several, kernel), each)


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_heads_in_both_arithmetics(name: str, layout: torch.memory_format) -> None:
    """One millionth of the largest number, in float32, as is the classifier's gradient through all of it."""
    found = []
    for arithmetic in (1, 2):
        torch.manual_seed(0)
        head = small_head(name, (32, 7, 7), 5, arithmetic=arithmetic).eval()
        model, maps = Pictured(head), torch.randn(6, 32, 7, 7).contiguous(memory_format=layout).requires_grad_()
        logits = model(maps)
        logits.square().sum().backward()
        found.append([logits, maps.grad, *(one.grad for one in head.parameters() if one.requires_grad)])
    for old, new in zip(*found, strict=True):
        assert old is not None and new is not None
        torch.testing.assert_close(new, old, rtol=0, atol=1e-6 * float(old.detach().abs().max()))


def test_the_average_keeps_its_bits_and_writes_no_gradient() -> None:
    heads = [create_head("gap", (8, 7, 7), 3, arithmetic=arithmetic) for arithmetic in (1, 2)]
    heads[1].load_state_dict(heads[0].state_dict())
    leaf = torch.randn(4, 8, 7, 7).contiguous(memory_format=torch.channels_last).requires_grad_()
    assert torch.equal(*(head(leaf) for head in heads))
    assert torch.equal(*(torch.autograd.grad(head(torch.relu(leaf)).square().sum(), leaf)[0] for head in heads))
    (gradient,) = torch.autograd.grad(heads[1](leaf).square().sum(), leaf)
    assert gradient.stride()[2:] == (0, 0)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_finished_cells_keep_their_last_bits(layout: torch.memory_format) -> None:
    """Arithmetic 1, also where the setting is absent, is what heads computed before there was another, written out here."""
    maps = torch.randn(4, 8, 7, 7).contiguous(memory_format=layout)

    def old(name: str) -> Tensor:
        weights = dict(made[name].named_parameters())
        if name == "gap":
            return maps.mean(dim=(2, 3))
        if name == "gwap":
            return torch.einsum("bchw,hw->bc", maps, weights["aggregation.kernel"]) / 49
        seen = torch.nn.functional.avg_pool2d(maps, 2) if name == "wise" else maps
        return torch.einsum("bchw,chw->bc", seen, weights["aggregation.kernel"]) + weights["aggregation.bias"]

    made = {name: create_head(name, (8, 7, 7), 3, arithmetic=1) for name in ("gap", "gwap", "wise", "depthwise")}
    assert all(torch.equal(head(maps), head.classifier(old(name))) for name, head in made.items())
    assert DepthwiseHead((8, 7, 7), 3).aggregation.arithmetic == GlobalAverage().arithmetic == 1


@pytest.mark.parametrize("name", ["wise", "depthwise", "gwap"])
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_operations_are_counted_as_ever(name: str, device: str) -> None:
    counts = []
    for arithmetic in (1, 2):
        with torch.device(device), FlopCounterMode(display=False) as counter:
            create_head(name, (8, 7, 7), 3, arithmetic=arithmetic)(torch.zeros(1, 8, 7, 7))
        counts.append(counter.get_total_flops())
    assert counts[0] == counts[1] > 2 * 8 * 3


@pytest.mark.parametrize("name", ["gap", "wise", "depthwise"])
def test_export_autocast_and_copies(name: str) -> None:
    head = create_head(name, (8, 7, 7), 3).eval()
    maps = torch.randn(2, 8, 7, 7)
    exported: Any = torch.export.export(head, (maps,)).module()
    torch.testing.assert_close(exported(maps), head(maps))
    assert torch.equal(copy.deepcopy(head)(maps), head(maps))
    old = create_head(name, (8, 7, 7), 3, arithmetic=1).eval()
    old.load_state_dict(head.state_dict())
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(head(maps), old(maps))
    with torch.inference_mode():
        torch.testing.assert_close(head(maps), old(maps))
    assert head(maps[:0]).shape == (0, 3)
