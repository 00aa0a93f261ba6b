"""The heads that the paper's compete with, against loops, limits and timm."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from timm.layers import LsePlus2d
from torch import Tensor, nn

from tests.support.small import Shape, aggregated, logits, maps, randomised, small_head
from wisesr import create_head
from wisesr.config.options import options
from wisesr.errors import UserError
from wisesr.models.heads.gap import global_average
from wisesr.models.heads.gem import generalised_mean
from wisesr.models.heads.lse import log_mean_exp

shapes = st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6))
even_shapes = st.tuples(st.sampled_from([2, 4, 6]), st.integers(1, 4), st.integers(1, 4))
few = settings(max_examples=20)


def number(value: float | list[Any]) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def by_channel(x: Tensor, function: Callable[[list[float]], float]) -> Tensor:
    """A function of each channel's values, position by position in plain Python."""
    return torch.tensor([[function(plane.flatten().tolist()) for plane in image] for image in x], dtype=torch.float64)


def softmax(scores: list[float]) -> list[float]:
    powers = [math.exp(score) for score in scores]
    return [power / sum(powers) for power in powers]


def dot(one: Tensor, other: Tensor) -> float:
    return sum(a * b for a, b in zip(one.tolist(), other.tolist(), strict=True))


def positions(image: Tensor) -> list[Tensor]:
    """The channels of each position, row by row."""
    return [image[:, i, j] for i in range(image.shape[1]) for j in range(image.shape[2])]


# Each against its formula.


@given(shape=shapes)
@few
def test_gwap_is_a_loop(shape: Shape) -> None:
    head, x = randomised(create_head("gwap", shape, 3)), maps(shape)
    weights = head.get_parameter("aggregation.kernel").flatten().tolist()
    expected = by_channel(x, lambda values: sum(w * v for w, v in zip(weights, values, strict=True)) / len(values))
    torch.testing.assert_close(aggregated(head, x), expected)


@given(shape=shapes)
@few
def test_gwap_attention_is_a_loop(shape: Shape) -> None:
    head, x = randomised(create_head("gwap_attention", shape, 3)), maps(shape)
    kernel, bias = head.get_parameter("aggregation.kernel").detach(), head.get_parameter("aggregation.bias").item()
    rows = []
    for image in x:
        at = positions(image)
        m = [math.exp(1 / (1 + math.exp(-(dot(kernel, vector) + bias)))) for vector in at]
        rows.append(torch.stack([weight / sum(m) * vector for weight, vector in zip(m, at, strict=True)]).sum(dim=0))
    torch.testing.assert_close(aggregated(head, x), torch.stack(rows))


@given(shape=shapes)
@few
def test_max_and_avgmax_are_loops(shape: Shape) -> None:
    x = maps(shape)
    largest, mean = by_channel(x, max), by_channel(x, lambda values: sum(values) / len(values))
    torch.testing.assert_close(aggregated(create_head("max", shape, 3), x), largest)
    torch.testing.assert_close(aggregated(create_head("avgmax", shape, 3), x), (largest + mean) / 2)


@given(shape=shapes, p=st.floats(0.1, 20))
@few
def test_gem_is_a_loop(shape: Shape, p: float) -> None:
    head, x = create_head("gem", shape, 3, p=p, learnable=False).double(), maps(shape)
    p = head.get_buffer("aggregation.number").item()  # drawn in double, kept in single precision
    expected = by_channel(x, lambda values: (sum(max(v, 1e-6) ** p for v in values) / len(values)) ** (1 / p))
    torch.testing.assert_close(aggregated(head, x), expected)


@given(shape=shapes, r=st.floats(0.1, 20))
@few
def test_lse_is_a_loop_and_timms(shape: Shape, r: float) -> None:
    head, x = create_head("lse", shape, 3, r=r, learnable=False).double(), maps(shape)
    r = head.get_buffer("aggregation.number").item()
    expected = by_channel(x, lambda values: math.log(sum(math.exp(r * v) for v in values) / len(values)) / r)
    torch.testing.assert_close(aggregated(head, x), expected)
    torch.testing.assert_close(aggregated(head, x), LsePlus2d(r=r, r_learnable=False).double()(x))


@pytest.mark.parametrize(("gamma", "shift"), [(None, "channel"), (1.7, "channel"), (2.0, "image"), (1.25, "image")])
@pytest.mark.parametrize("num_heads", [1, 2])
@given(shape=even_shapes)
@few
def test_simpool_is_a_loop(num_heads: int, gamma: float | None, shift: str, shape: Shape) -> None:
    settings = {"num_heads": num_heads, "gamma": gamma, "gamma_shift": shift}
    head, x = randomised(create_head("simpool", shape, 3, **settings)), maps(shape)
    layers = {key: value.detach() for key, value in head.aggregation.named_parameters()}
    rows = []
    for image in x:
        tokens = []
        for vector in positions(image):
            mean = sum(vector.tolist()) / len(vector)
            spread = math.sqrt(sum((v - mean) ** 2 for v in vector.tolist()) / len(vector) + 1e-5)
            tokens.append((vector - mean) / spread * layers["norm.weight"] + layers["norm.bias"])
        query = layers["q.weight"] @ (sum(positions(image)) / len(tokens))
        keys = [layers["k.weight"] @ token for token in tokens]
        size, pieces = len(query) // num_heads, []
        for cut in (slice(k * size, (k + 1) * size) for k in range(num_heads)):
            weights = softmax([dot(query[cut], key[cut]) / math.sqrt(size) for key in keys])
            if gamma is None:
                pieces.append(sum(w * token[cut] for w, token in zip(weights, tokens, strict=True)))
                continue
            lowest = torch.stack([token[cut] for token in tokens]).amin(dim=0)
            if shift == "image":
                lowest = number(min(min(token.tolist()) for token in tokens))
            shifted = [(token[cut] - lowest + 1e-6) ** gamma for token in tokens]
            pieces.append(sum(w * token for w, token in zip(weights, shifted, strict=True)) ** (1 / gamma))
        rows.append(torch.cat(pieces))
    torch.testing.assert_close(aggregated(head, x), torch.stack(rows))


@pytest.mark.parametrize("head_dim", [1, 2])
@given(shape=even_shapes)
@few
def test_attention_is_a_loop(head_dim: int, shape: Shape) -> None:
    head, x = randomised(create_head("attention", shape, 3, head_dim=head_dim)), maps(shape)
    layers = {key: value.detach() for key, value in head.aggregation.named_parameters()}
    (wq, wk, wv), (bq, bk, bv) = layers["qkv.weight"].chunk(3), layers["qkv.bias"].chunk(3)
    rows = []
    for image in x:
        at = positions(image)
        tokens = [token + p for token, p in zip([sum(at) / len(at), *at], layers["pos_embed"], strict=True)]
        query, keys, values = wq @ tokens[0] + bq, [wk @ t + bk for t in tokens], [wv @ t + bv for t in tokens]
        pieces = []
        for cut in (slice(k, k + head_dim) for k in range(0, shape[0], head_dim)):
            weights = softmax([dot(query[cut], key[cut]) / math.sqrt(head_dim) for key in keys])
            pieces.append(sum(w * value[cut] for w, value in zip(weights, values, strict=True)))
        rows.append(torch.cat(pieces))
    torch.testing.assert_close(aggregated(head, x), torch.stack(rows))


@given(shape=shapes)
@few
def test_fc_is_two_layers_on_the_averaged_map(shape: Shape) -> None:
    head, x = randomised(create_head("fc", shape, 3, hidden=4)), maps(shape)
    w1, b1, w2, b2 = (parameter.detach() for parameter in head.aggregation.parameters())
    pool = 2 if min(shape[1:]) > 4 else 1
    rows, columns = (range(0, extent - extent % pool, pool) for extent in shape[1:])
    expected = []
    for image in x:
        averaged = torch.stack([plane[i : i + pool, j : j + pool].mean() for plane in image for i in rows for j in columns])
        first = number([max(dot(row, averaged) + b, 0.0) for row, b in zip(w1, b1.tolist(), strict=True)])
        expected.append([max(dot(row, first) + b, 0.0) for row, b in zip(w2, b2.tolist(), strict=True)])
    torch.testing.assert_close(aggregated(head, x), number(expected))


# Their limits.


def test_start_as_global_average_pooling() -> None:
    x = maps((6, 5, 7))
    torch.testing.assert_close(aggregated(create_head("gwap", (6, 5, 7), 3).double(), x), global_average(x))
    still = create_head("gwap_attention", (6, 5, 7), 3).double()
    nn.init.zeros_(still.get_parameter("aggregation.kernel"))
    nn.init.normal_(still.get_parameter("aggregation.bias"))
    torch.testing.assert_close(aggregated(still, x), global_average(x))


@given(shape=shapes)
@few
def test_gem_from_the_average_to_the_maximum(shape: Shape) -> None:
    x = maps(shape).abs() + 1e-3
    torch.testing.assert_close(generalised_mean(x, number(1.0)), global_average(x))
    # n^(-1/p) max <= y <= max for n positions
    torch.testing.assert_close(generalised_mean(x, number(1e4)), x.amax(dim=(2, 3)), rtol=math.log(36) / 1e4, atol=0)


@given(shape=shapes)
@few
def test_lse_from_the_average_to_the_maximum(shape: Shape) -> None:
    x = maps(shape)
    # mean <= y <= mean + r (max - min)^2 / 8 (Hoeffding's lemma), max - log(n) / r <= y <= max
    torch.testing.assert_close(log_mean_exp(x, number(1e-4)), global_average(x), atol=1e-4 * 10**2 / 8, rtol=0)
    torch.testing.assert_close(log_mean_exp(x, number(1e4)), x.amax(dim=(2, 3)), atol=math.log(36) / 1e4 + 1e-9, rtol=0)


@pytest.mark.parametrize("pool", [generalised_mean, log_mean_exp])
@given(shape=shapes, sharpness=st.tuples(st.floats(0.1, 50), st.floats(0.1, 50)))
@few
def test_sharper_is_never_less(pool: Callable[[Tensor, Tensor], Tensor], shape: Shape, sharpness: tuple[float, float]) -> None:
    x = maps(shape)
    low, high = (pool(x, number(value)) for value in sorted(sharpness))
    assert (low <= high + 1e-9).all()


def test_what_is_negative_is_nothing_to_gem() -> None:
    x = maps((3, 4, 5))
    torch.testing.assert_close(generalised_mean(x, number(3.0)), generalised_mean(x.clamp(min=0), number(3.0)))
    negative = x.abs().neg().requires_grad_()
    features = generalised_mean(negative, number(3.0))
    features.sum().backward()
    torch.testing.assert_close(features, torch.full_like(features, 1e-6))
    assert negative.grad is not None and not negative.grad.any()


def test_attention_that_asks_nothing_is_the_average() -> None:
    x, head = maps((4, 3, 5)), create_head("attention", (4, 3, 5), 3, head_dim=2).double()
    with torch.no_grad():
        head.get_parameter("aggregation.qkv.weight").copy_(torch.cat([torch.zeros(4, 4), torch.randn(4, 4), torch.eye(4)]))
        head.get_parameter("aggregation.pos_embed").zero_()
    torch.testing.assert_close(aggregated(head, x), global_average(x))


def test_simpool_that_asks_nothing_is_the_average_of_the_normalised() -> None:
    x, head = maps((4, 3, 5)), create_head("simpool", (4, 3, 5), 3).double()
    nn.init.zeros_(head.get_parameter("aggregation.q.weight"))
    normalised = nn.functional.layer_norm(x.permute(0, 2, 3, 1), (4,)).permute(0, 3, 1, 2)
    torch.testing.assert_close(aggregated(head, x), global_average(normalised))


def test_simpool_with_gamma_1_is_the_weighted_mean_moved_by_the_minimum() -> None:
    x = maps((4, 3, 5))
    plain = create_head("simpool", (4, 3, 5), 3).double()
    normalised = nn.functional.layer_norm(x.permute(0, 2, 3, 1), (4,)).permute(0, 3, 1, 2)
    for shift, lowest in (("channel", normalised.amin((2, 3))), ("image", normalised.amin((1, 2, 3))[:, None])):
        moved = create_head("simpool", (4, 3, 5), 3, gamma=1.0, gamma_shift=shift).double()
        moved.load_state_dict(plain.state_dict())
        torch.testing.assert_close(aggregated(moved, x), aggregated(plain, x) - lowest + 1e-6)


def test_simpool_with_gamma_has_one_answer_for_a_picture_and_a_gradient_in_half_precision() -> None:
    """The authors' one minimum for a whole batch would make an answer depend on who else is in it."""
    head, x = create_head("simpool_gamma", (6, 4, 4), 3), torch.rand(5, 6, 4, 4)
    torch.testing.assert_close(head(x)[1:2], head(x[1:2]))
    one = torch.rand(2, 6, 1, 1, requires_grad=True)
    with torch.autocast("cpu", torch.float16):
        create_head("simpool_gamma", (6, 1, 1), 3)(one).sum().backward()
    assert one.grad is not None and one.grad.isfinite().all()


# What they refuse, and what they must not.


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("gem", {"p": 0}, "head.p must be above 0, at least 0.01, not 0"),
        ("gem", {"p": -3.0}, "head.p must be above 0, at least 0.01, not -3.0"),
        ("lse", {"r": 0.0}, "head.r must be above 0, at least 0.01, not 0.0"),
        ("simpool", {"num_heads": 5}, "head.num_heads must divide the map's 6 channels, which 5 does not"),
        ("simpool", {"num_heads": 0}, "head.num_heads must divide the map's 6 channels, which 0 does not"),
        ("simpool", {"gamma": 0.0}, "head.gamma must be above 0, or null, not 0.0"),
        ("simpool_gamma", {"gamma": -1.0}, "head.gamma must be above 0, or null, not -1.0"),
        ("simpool_gamma", {"gamma": None}, "head.gamma_shift must be channel where head.gamma is null"),
        ("simpool", {"gamma": 2.0, "gamma_shift": "batch"}, "head.gamma_shift must be one of channel, image, not 'batch'"),
        ("attention", {}, "head.head_dim must divide the map's 6 channels, which 64 does not"),
        ("attention", {"head_dim": 0}, "head.head_dim must divide the map's 6 channels, which 0 does not"),
        ("fc", {"hidden": 0}, "head.hidden must be at least 1, not 0"),
        ("fc", {"dropout": -0.1}, "head.dropout must be at least 0 and below 1, not -0.1"),
        ("fc", {"dropout": 1.0}, "head.dropout must be at least 0 and below 1, not 1.0"),
        ("fc", {"pre_pool": 6}, "head.pre_pool must be from 1 to 5"),
        ("wise", {"non_negative": "relu"}, "one of none, projection, softplus, not 'relu'"),
        ("gwap", {"learnable": True}, "no setting of head is called 'learnable'"),
    ],
)
def test_errors_name_the_setting_and_its_rule(name: str, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError) as raised:
        create_head(name, (6, 5, 5), 3, **settings)
    assert words in str(raised.value)


@pytest.mark.parametrize("name", options("head"))
def test_one_position_is_enough(name: str) -> None:
    """Images so small that one cell is left: nothing to weigh, and nothing to divide by."""
    head = small_head(name, (6, 1, 1), 3)
    x = torch.rand(2, 6, 1, 1, requires_grad=True)
    logits(head, x).square().sum().backward()
    assert x.grad is not None and x.grad.isfinite().all()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in head.parameters() if p.requires_grad)


@pytest.mark.parametrize("channels", [768, 1280, 1536, 4032])
def test_settings_of_conf_fit_other_backbones(channels: int) -> None:
    """ViT and Swin, EfficientNet, InceptionResNetV2, NASNetLarge; those of conf/ are in test_backbones.py."""
    with torch.device("meta"):
        for name in options("head"):
            assert logits(create_head(name, (channels, 7, 7), 5), torch.empty(2, channels, 7, 7)).shape == (2, 5)
