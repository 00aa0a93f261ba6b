"""Heads against independent truths: brute-force loops, limits, autograd, the paper's counts."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.support.small import Pictured, logits, maps, randomised, small_head
from wisesr import constrain, create_head
from wisesr.config.options import options
from wisesr.errors import UserError
from wisesr.models.heads.depthwise import DepthwiseKernelHead, depthwise
from wisesr.models.heads.pre_average import automatic_pool
from wisesr.types import FeatureShape

HEADS = options("head")
shapes = st.tuples(st.integers(1, 5), st.integers(1, 11), st.integers(1, 11))


def has_evidence(name: str) -> bool:
    head = small_head(name, (2, 3, 3), 2)
    try:
        head.evidence(torch.zeros(1, 2, 3, 3))
    except NotImplementedError:
        return False
    return True


LINEAR = [name for name in HEADS if has_evidence(name)]
# Settings beside the YAML's that compute something else.
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("wise", {"non_negative": "softplus"}),
    ("depthwise", {"non_negative": "softplus"}),
    ("simpool", {"num_heads": 2, "gamma": 1.7}),
    ("simpool_gamma", {"num_heads": 2}),
    ("wise", {"pre_pool_mode": "ceil"}),
    ("flatten", {"pre_pool_mode": "ceil"}),
    ("wise_shuffled", {"pre_pool_mode": "ceil"}),
    ("attention", {"head_dim": 4}),
    ("gem", {"learnable": False}),
    ("lse", {"learnable": False}),
]
CASES: list[tuple[str, dict[str, Any]]] = [(name, {}) for name in HEADS] + VARIANTS


@given(shape=shapes)
@settings(max_examples=20)
def test_depthwise_is_a_loop_over_positions(shape: tuple[int, int, int]) -> None:
    x, k, b = maps(shape, 2), torch.randn(shape, dtype=torch.float64), torch.randn(shape[0], dtype=torch.float64)
    channels, height, width = shape
    expected = torch.zeros(2, channels, dtype=torch.float64)
    for n in range(2):
        for c in range(channels):
            total = b[c].item()
            for i in range(height):
                for j in range(width):
                    total += (k[c, i, j] * x[n, c, i, j]).item()
            expected[n, c] = total
    torch.testing.assert_close(depthwise(x, k, b), expected)


def test_depthwise_is_the_convolution() -> None:
    x, k, b = maps((6, 7, 7)), torch.randn(6, 7, 7, dtype=torch.float64), torch.randn(6, dtype=torch.float64)
    convolution = torch.nn.functional.conv2d(x, k[:, None], b, groups=6)[:, :, 0, 0]
    torch.testing.assert_close(depthwise(x, k, b), convolution)


@given(shape=shapes)
@settings(max_examples=20)
def test_uniform_weights_are_global_average_pooling(shape: tuple[int, int, int]) -> None:
    gap, head = create_head("gap", shape, 4).double(), create_head("depthwise", shape, 4).double()
    head.classifier.load_state_dict(gap.classifier.state_dict())
    torch.nn.init.constant_(head.get_parameter("aggregation.kernel"), 1 / (shape[1] * shape[2]))
    x = maps(shape)
    torch.testing.assert_close(head(x), gap(x))


@pytest.mark.parametrize(("extent", "pool"), [(3, 1), (4, 1), (5, 2), (7, 2), (10, 2), (14, 3), (16, 3)])
def test_automatic_pre_average_is_the_papers(extent: int, pool: int) -> None:
    assert automatic_pool(FeatureShape(8, extent, extent)) == pool


@given(shape=shapes, pool=st.integers(1, 4))
@settings(max_examples=30)
def test_pre_average_then_kernel_is_one_kernel_on_the_full_map(shape: tuple[int, int, int], pool: int) -> None:
    if pool > min(shape[1:]):
        with pytest.raises(UserError, match="pre_pool must be from 1 to"):
            create_head("wise", shape, 3, pre_pool=pool)
        return
    wise = randomised(create_head("wise", shape, 3, pre_pool=pool))
    full = create_head("depthwise", shape, 3).double().eval()
    assert isinstance(wise, DepthwiseKernelHead)
    full.load_state_dict(wise.state_dict() | {"aggregation.kernel": wise.full_kernel()})
    x = maps(shape)
    torch.testing.assert_close(wise(x), full(x))


def test_valid_averaging_drops_the_last_row_and_column() -> None:
    head = randomised(create_head("wise", (2, 7, 7), 3))
    x = maps((2, 7, 7))
    changed = x.clone()
    changed[:, :, 6, :] += 5
    changed[:, :, :, 6] -= 5
    torch.testing.assert_close(head(x), head(changed))


@pytest.mark.parametrize("name", HEADS)
def test_evidence_is_there_exactly_where_a_head_is_linear(name: str) -> None:
    """An affine f has f(x + y) + f(0) = f(x) + f(y)."""
    torch.manual_seed(0)
    head = randomised(small_head(name, (4, 5, 6), 3))
    x, y = maps((4, 5, 6)), maps((4, 5, 6))
    sums = logits(head, x + y) + logits(head, 0 * x), logits(head, x) + logits(head, y)
    assert torch.allclose(*sums) == (name in LINEAR)
    if name not in LINEAR:
        for call in (lambda: head.evidence(x), head.offset):
            with pytest.raises(NotImplementedError, match="Head is not linear in the feature map"):
                call()


@pytest.mark.parametrize(("name", "settings"), [(name, settings) for name, settings in CASES if name in LINEAR])
@pytest.mark.parametrize("shape", [(4, 7, 7), (3, 16, 16), (5, 3, 4), (2, 1, 1)])
def test_evidence_and_offset_sum_to_the_logits(name: str, settings: dict[str, Any], shape: tuple[int, int, int]) -> None:
    head = randomised(create_head(name, shape, 5, **settings))
    x = maps(shape)
    evidence = head.evidence(x)
    assert evidence.shape == (3, 5, *shape[1:])
    torch.testing.assert_close(evidence.sum(dim=(2, 3)) + head.offset(), head(x))


@pytest.mark.parametrize(("name", "settings"), [(name, settings) for name, settings in CASES if name in LINEAR])
def test_evidence_is_the_gradient_times_the_map(name: str, settings: dict[str, Any]) -> None:
    """For a function affine in x, the share of a position is x * df/dx: an independent way to the same numbers."""
    head = randomised(create_head(name, (4, 7, 7), 3, **settings))
    x = maps((4, 7, 7), 1).requires_grad_()
    for label in range(3):
        (gradient,) = torch.autograd.grad(head(x)[0, label], x)
        torch.testing.assert_close(head.evidence(x)[0, label], (gradient * x).sum(dim=1)[0])


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_gradients_are_those_of_finite_differences_and_reach_every_parameter(name: str, settings: dict[str, Any]) -> None:
    torch.manual_seed(0)  # where no ReLU and no maximum is about to change its mind
    head = randomised(small_head(name, (4, 5, 6), 3, **settings))
    pictured = Pictured(head)
    trained = {name: value for name, value in pictured.named_parameters() if value.requires_grad}
    names, values = tuple(trained), tuple(trained.values())
    x = maps((4, 5, 6), 2).requires_grad_()

    def run(x: Tensor, *parameters: Tensor) -> Tensor:
        return torch.func.functional_call(pictured, dict(zip(names, parameters, strict=True)), (x,))

    assert torch.autograd.gradcheck(run, (x, *values))
    pictured(x).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in values)


# What starts otherwise than the paper's arms, as the heads' docstrings say: numbers, and standard deviations on 512 channels.
CONSTANTS = {
    ("gwap", "aggregation.kernel"): 1.0,
    ("gem", "aggregation.number"): 3.0,
    ("lse", "aggregation.number"): 10.0,
    ("simpool", "aggregation.norm.weight"): 1.0,
    ("simpool_gamma", "aggregation.norm.weight"): 1.0,
    ("gap_scale", "aggregation.scale"): 1.0,
}
SPREADS = {
    **{(name, f"aggregation.{leaf}.weight"): (3 * 512) ** -0.5 for name in ("simpool", "simpool_gamma") for leaf in "qk"},
    # A tenth of 1 / positions, on the map as it is and in windows of 2x2.
    ("depthwise_average", "aggregation.kernel"): 0.1 / 49,
    ("wise_average", "aggregation.kernel"): 0.1 / 9,
    ("attention", "aggregation.qkv.weight"): 512**-0.5,
    ("attention", "aggregation.pos_embed"): 512**-0.5,
}


@pytest.mark.parametrize("name", HEADS)
def test_start_of_the_paper(name: str) -> None:
    """Kernels from N(0, 0.01), offsets 0, in every arm; aggregation before classifier."""
    torch.manual_seed(0)
    head = create_head(name, (512, 7, 7), 70)
    kinds = {key: value.detach() for key, value in head.named_parameters()}
    assert list(kinds)[-2:] == ["classifier.weight", "classifier.bias"]
    for key, value in kinds.items():
        if key.endswith("bias"):
            assert not value.any()
        elif (name, key) in CONSTANTS:
            assert (value == CONSTANTS[name, key]).all()
        elif (name, key) == ("wise_frozen", "aggregation.kernel"):
            assert (value >= 0).all()
            assert value[value > 0].square().mean().sqrt().item() == pytest.approx(0.01, rel=0.05), "half of N(0, 0.01)"
            assert (value > 0).double().mean().item() == pytest.approx(0.5, abs=4 * 0.5 / value.numel() ** 0.5)
        else:
            std = SPREADS.get((name, key), 0.01)
            mean = 10 * std if "_average" in name and key == "aggregation.kernel" else 0
            assert (value.mean() - mean).abs() < std * 4 / value.numel() ** 0.5
            assert value.std().item() == pytest.approx(std, rel=max(0.01, 4 / (2 * value.numel()) ** 0.5))


@pytest.mark.parametrize(
    ("name", "shape", "classes", "expected"),
    [
        ("gap", (2048, 7, 7), 70, 143_430),
        ("gap_dropout", (2048, 7, 7), 70, 143_430),
        ("depthwise", (2048, 7, 7), 70, 245_830),
        ("depthwise_nonneg", (2048, 7, 7), 70, 245_830),
        ("wise", (2048, 7, 7), 70, 163_910),
        ("wise_dropout", (2048, 7, 7), 70, 163_910),
        ("gap", (1664, 7, 7), 6, 9_990),
        ("depthwise", (1664, 7, 7), 6, 93_190),
        ("wise", (1664, 7, 7), 6, 26_630),
        ("gap", (2048, 7, 7), 67, 137_283),
        ("depthwise", (2048, 7, 7), 67, 239_683),
        ("wise", (2048, 7, 7), 67, 157_763),
        ("gap", (2048, 16, 16), 67, 137_283),
        ("flatten", (2048, 16, 16), 67, 3_430_467),
        ("wise", (2048, 16, 16), 67, 190_531),
        # Beyond the paper: what the heads' docstrings say, counted by hand.
        ("gwap", (2048, 7, 7), 70, 143_430 + 7 * 7),
        ("gwap_attention", (2048, 7, 7), 70, 143_430 + 2048 + 1),
        ("max", (2048, 7, 7), 70, 143_430),
        ("avgmax", (2048, 7, 7), 70, 143_430),
        ("gem", (2048, 7, 7), 70, 143_430 + 1),
        ("lse", (2048, 7, 7), 70, 143_430 + 1),
        ("simpool", (2048, 7, 7), 70, 143_430 + 2 * 2048**2 + 2 * 2048),
        ("attention", (2048, 7, 7), 70, 143_430 + 3 * (2048**2 + 2048) + 50 * 2048),
        ("fc", (2048, 7, 7), 70, 92_569_670),
        ("gap_scale", (2048, 7, 7), 70, 143_430 + 2 * 2048),
        ("gap_valid", (2048, 7, 7), 70, 143_430),
        ("wise_average", (2048, 7, 7), 70, 163_910),
        ("depthwise_average", (2048, 7, 7), 70, 245_830),
        ("wise_frozen", (2048, 7, 7), 70, 163_910),
        ("wise_unconstrained", (2048, 7, 7), 70, 163_910),
        ("wise_shuffled", (2048, 7, 7), 70, 163_910),
        ("wise_shuffled_images", (2048, 7, 7), 70, 163_910),
        ("simpool_gamma", (2048, 7, 7), 70, 143_430 + 2 * 2048**2 + 2 * 2048),
    ],
)
def test_parameter_counts(name: str, shape: tuple[int, int, int], classes: int, expected: int) -> None:
    with torch.device("meta"):
        assert sum(p.numel() for p in create_head(name, shape, classes).parameters()) == expected


@pytest.mark.parametrize("name", ["wise", "wise_dropout", "depthwise_nonneg", "wise_shuffled"])
def test_projection_holds_the_kernel_and_leaves_the_bias(name: str) -> None:
    torch.manual_seed(0)
    head = create_head(name, (4, 7, 7), 3)
    kernel, bias = head.get_parameter("aggregation.kernel"), head.get_parameter("aggregation.bias")
    assert (kernel < 0).any(), "not at initialisation"
    optimizer = torch.optim.SGD(head.parameters(), lr=1.0)
    constrain(optimizer, head)
    for _ in range(3):
        optimizer.zero_grad()
        loss = head(torch.randn(8, 4, 7, 7)).square().mean() + (bias + 1).square().sum() + (kernel + 1).square().sum()
        loss.backward()
        optimizer.step()
        assert (kernel >= 0).all()
    assert (bias < 0).any()


def test_unconstrained_kernel_is_left_alone() -> None:
    head = create_head("depthwise", (4, 7, 7), 3)
    optimizer = torch.optim.SGD(head.parameters(), lr=0.0)
    constrain(optimizer, head)
    before = head.get_parameter("aggregation.kernel").clone()
    optimizer.step()
    assert torch.equal(before, head.get_parameter("aggregation.kernel"))
    assert (before < 0).any()


def test_handle_lifts_the_constraint() -> None:
    head = create_head("wise", (4, 7, 7), 3)
    optimizer = torch.optim.SGD(head.parameters(), lr=0.0)
    constrain(optimizer, head).remove()
    optimizer.step()
    assert (head.get_parameter("aggregation.kernel") < 0).any()


def test_optimizer_state_is_untouched_by_the_projection() -> None:
    torch.manual_seed(0)
    heads = [create_head("wise", (2, 3, 3), 3), create_head("wise", (2, 3, 3), 3, non_negative="none")]
    heads[1].load_state_dict(heads[0].state_dict())
    optimizers = [torch.optim.SGD(head.parameters(), lr=0.1, momentum=0.9) for head in heads]
    x = torch.randn(8, 2, 3, 3)
    for head, optimizer in zip(heads, optimizers, strict=True):
        constrain(optimizer, head)
        head(x).square().sum().backward()
        optimizer.step()
    velocities = [
        o.state[h.get_parameter("aggregation.kernel")]["momentum_buffer"] for h, o in zip(heads, optimizers, strict=True)
    ]
    assert torch.equal(*velocities)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: create_head("wize", (4, 7, 7), 3), "Did you mean wise"),
        (lambda: create_head("wise", (4, 7, 7), 3, prepool=2), "Did you mean pre_pool"),
        (lambda: create_head("gap", (4, 7, 7), 3, pre_pool=2), "no setting of head is called 'pre_pool'"),
        (lambda: create_head("wise", (4, 7, 7), 3, pre_pool=2.0), "pre_pool must be a whole number or null, not 2.0"),
        (lambda: create_head("wise", (4, 7, 7), 3, dropout=1.0), "dropout must be at least 0 and below 1, not 1.0"),
        (lambda: create_head("wise", (4, 7, 7), 1), "num_classes must be at least 2"),
        (lambda: create_head("wise", (0, 7, 7), 3), "feature_shape must be"),
        (lambda: create_head("wise", (4, 7, 7), 3, non_negative="yes"), "one of none, projection, softplus"),
        (lambda: create_head("flatten", (4, 2, 2), 3, pre_pool=3), "pre_pool must be from 1 to 2"),
        (lambda: create_head("gap_valid", (4, 2, 2), 3, pre_pool=3), "pre_pool must be from 1 to 2"),
        (
            lambda: create_head("wise", (4, 7, 7), 3, pre_pool_mode="same"),
            "pre_pool_mode must be one of valid, ceil, not .same",
        ),
        (lambda: create_head("gap_valid", (4, 7, 7), 3, pre_pool_mode="ceil"), "no setting of head is called 'pre_pool_mode'"),
        (lambda: create_head("gap", (4, 7, 7), 3, init="average"), "init must be one of normal, torch, not .average"),
        (lambda: create_head("wise_shuffled", (4, 7, 7), 3, shuffle="twice"), "shuffle must be one of once, image, not .twice"),
    ],
)
def test_errors_name_the_argument_and_the_choices(call: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()  # type: ignore[operator]


def test_a_map_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"maps of \(4, 7, 7\), not \(4, 8, 7\)"):
        create_head("gap", (4, 7, 7), 3)(torch.zeros(1, 4, 8, 7))
