"""Keras' conventions on timm's models, against what Keras' own layers say and draw (fixtures/make_keras_conventions.py)."""

from __future__ import annotations

import json
import math
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from torch import Tensor, nn

from wisesr.config.options import load_option, options
from wisesr.models import keras_conventions
from wisesr.models.keras_conventions import (
    GLOROT_UNIFORM,
    HE_NORMAL,
    Scaling,
    batch_norm_as_keras,
    draw,
    keras_fans,
    start_as_keras,
)

KERAS: dict[str, Any] = json.loads((Path(__file__).parent.parent / "fixtures" / "keras_conventions.json").read_text())
EFFICIENT = "VarianceScaling 2.0 fan_out truncated_normal"
SCALINGS = {
    "GlorotUniform": GLOROT_UNIFORM,
    "HeNormal": HE_NORMAL,
    EFFICIENT: Scaling(2, "fan_out", "truncated_normal"),
}

# Each backbone of conf with the application that it is, or whose family it is of where Keras has none: then no counts.
SAME = {
    "resnet50": "ResNet50",
    "resnet101": "ResNet101",
    "resnet152": "ResNet152",
    "resnetv2_50": "ResNet50V2",
    "resnetv2_101": "ResNet101V2",
    "resnetv2_152": "ResNet152V2",
    "densenet121": "DenseNet121",
    "densenet169": "DenseNet169",
    "densenet201": "DenseNet201",
    "inception_v3": "InceptionV3",
    "inception_resnet_v2": "InceptionResNetV2",
    "xception": "Xception",
    "nasnet_large": "NASNetLarge",
    "mobilenetv2": "MobileNetV2",
    "efficientnet_b0": "EfficientNetB0",
    "convnext_tiny": "ConvNeXtTiny",
}
KIN = {"resnet18": "ResNet50", "resnet34": "ResNet50", "inception_v4": "InceptionV3", "efficientnet_lite0": "EfficientNetB0"}
WITHOUT = {"vit_small", "swin_tiny"}
LARGE = {"resnet101", "resnet152", "resnetv2_101", "resnetv2_152", "densenet169", "densenet201"}
"""Siblings of a family that is tested already."""


@cache
def on_meta(name: str) -> Any:
    with torch.device("meta"):
        return timm.create_model(name, num_classes=0, global_pool="")


def norms(model: nn.Module) -> list[Any]:
    return [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]


def test_every_backbone_of_conf_is_expected_here() -> None:
    assert {*SAME, *KIN, *WITHOUT, "timm", "torchvision"} == set(options("backbone"))


@pytest.mark.parametrize(
    ("name", "application"),
    [pytest.param(*pair, marks=[pytest.mark.slow] * (pair[0] in LARGE)) for pair in (SAME | KIN).items()],
)
def test_batch_norm_and_kernels_of_a_family(name: str, application: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected, model = KERAS["applications"][application], on_meta(load_option("backbone", name)["model"])
    drawn: Counter[Scaling] = Counter()
    monkeypatch.setattr(keras_conventions, "draw", lambda weight, scaling, fans: drawn.update([scaling]))
    parameters = sum(parameter.numel() for parameter in model.parameters())
    start_as_keras(model)
    batch_norm_as_keras(model)
    found = Counter((round(1 - layer.momentum, 9), layer.eps, layer.weight.requires_grad) for layer in norms(model))
    if name in KIN:
        assert set(found) == {tuple(kind) for *kind, _ in expected["batch_norm"]}
        assert set(drawn) == {SCALINGS[how] for _, how, *_ in expected["convolutions"]}
        return
    assert found == {tuple(kind): count for *kind, count in expected["batch_norm"]}
    kernels: Counter[Scaling] = Counter()
    for _, how, _, count in expected["convolutions"]:
        kernels[SCALINGS[how]] += count
    kernels[GLOROT_UNIFORM] += sum(isinstance(layer, nn.Linear) for layer in model.modules())
    assert drawn == +kernels
    assert parameters == sum(parameter.numel() for parameter in model.parameters()), "a scale that is not trained still counts"
    trainable = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    assert trainable + offsets_in_keras_alone(application, model) == expected["trainable"]


def offsets_in_keras_alone(application: str, model: nn.Module) -> int:
    """Keras' ResNets have offsets on convolutions before BatchNorm too, where they do nothing: v1 on all, v2 on some."""
    if not application.startswith("ResNet"):
        return 0
    layers = {key: layer for key, layer in model.named_modules() if isinstance(layer, nn.Conv2d)}
    some = ("stem.conv", "conv3", "downsample.conv") if application.endswith("V2") else ("",)
    return sum(layer.out_channels for key, layer in layers.items() if key.endswith(some))


@pytest.mark.parametrize("name", ["mobilenetv3_large_100", "tf_efficientnetv2_s"])
def test_families_outside_conf(name: str) -> None:
    application = {"mobilenetv3_large_100": "MobileNetV3Large", "tf_efficientnetv2_s": "EfficientNetV2S"}[name]
    model = on_meta(name)
    batch_norm_as_keras(model)
    ((momentum, epsilon, scale, _),) = KERAS["applications"][application]["batch_norm"]
    assert {(round(1 - n.momentum, 9), n.eps, n.weight.requires_grad) for n in norms(model)} == {(momentum, epsilon, scale)}


def test_models_without_batch_norm_and_of_nobodys_family() -> None:
    for name in ("test_vit", "test_convnext"):
        model = timm.create_model(name)
        before = {key: value.clone() for key, value in model.state_dict().items()}
        batch_norm_as_keras(model)
        assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    other = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.BatchNorm2d(4, affine=False))
    batch_norm_as_keras(other)
    start_as_keras(other)
    assert [(round(1 - layer.momentum, 9), layer.eps) for layer in norms(other)] == [(0.99, 1e-3)] * 2


# Random kernels.


def like(name: str, shape: tuple[int, ...]) -> tuple[Tensor, tuple[int, int]]:
    """A kernel of PyTorch's for one of Keras', and its fans."""
    if len(shape) == 2:
        return torch.empty(shape[1], shape[0]), (shape[0], shape[1])
    depthwise = "depthwise" in name
    groups = shape[2] if depthwise else 4 if "groups" in name else 1
    inputs = shape[2] if depthwise else shape[2] * groups
    layer = nn.Conv2d(inputs, shape[2] if depthwise else shape[3], shape[:2], groups=groups)  # type: ignore[arg-type]
    return layer.weight.data, keras_fans(layer)


@pytest.mark.parametrize("name", KERAS["samples"])
def test_kernels_are_distributed_as_keras_draws_them(name: str) -> None:
    """41 quantiles of 74,000 numbers: two samples differ by some 0.5 % of a standard deviation, by 1 % at the ends."""
    sample = KERAS["samples"][name]
    weight, fans = like(name, tuple(sample["shape"]))
    assert weight.numel() == math.prod(sample["shape"])
    scaling = HE_NORMAL if name == "he_normal" else SCALINGS[EFFICIENT] if "efficientnet" in name else GLOROT_UNIFORM
    torch.manual_seed(0)
    draw(weight, scaling, fans)
    ours = np.quantile(weight.numpy(), np.linspace(0, 1, 41))
    np.testing.assert_allclose(ours, sample["quantiles"], atol=0.04 * float(weight.std()), rtol=0)


def uniform(x: Tensor) -> Tensor:
    """Its cumulative distribution, on [-1, 1]."""
    return (x + 1) / 2


def cut_normal(x: Tensor) -> Tensor:
    """That of a standard normal distribution cut off at -2 and 2."""
    normal = torch.distributions.Normal(0.0, 1.0)
    low, high = normal.cdf(torch.tensor([-2.0, 2.0]))
    return (normal.cdf(x) - low) / (high - low)


def distance(x: Tensor, distribution: Any) -> float:
    """Kolmogorov and Smirnov's, times sqrt(n): above 1.95 once in a thousand samples of the distribution."""
    x = x.sort().values
    ranks = torch.arange(len(x) + 1) / len(x)
    gap = torch.maximum((ranks[1:] - distribution(x)).abs(), (ranks[:-1] - distribution(x)).abs())
    return float(gap.max()) * math.sqrt(len(x))


def keras_kind(key: str, layer: nn.Conv2d) -> tuple[str, int, int]:
    """Kind of a kernel of timm's, with its fans as counted by hand from Keras' layout."""
    height, width = layer.kernel_size
    if layer.groups > 1:
        assert layer.groups == layer.in_channels == layer.out_channels
        return "depthwise", height * width * layer.in_channels, height * width
    kind = "pointwise" if key.endswith(("pointwise", "pointwise_conv2d")) else "plain"
    return kind, height * width * layer.in_channels, height * width * layer.out_channels


MODELS = ["legacy_xception", "densenet121", "resnet50", pytest.param("nasnetalarge", marks=pytest.mark.slow)]


@pytest.mark.parametrize("name", MODELS)
def test_kernels_of_real_models(name: str) -> None:
    """Bound, variance, kurtosis and whole distribution of each kind of kernel, each scaled by its own fans first."""
    model = timm.create_model(name, num_classes=0, global_pool="")
    torch.manual_seed(1)
    start_as_keras(model)
    kinds: dict[str, list[Tensor]] = {}
    for key, layer in model.named_modules():
        if isinstance(layer, nn.Conv2d):
            kind, fan_in, fan_out = keras_kind(key, layer)
            cut = name == "nasnetalarge" and kind == "plain"
            unit = math.sqrt(2 / fan_in) / 0.879626 if cut else math.sqrt(6 / (fan_in + fan_out))
            kinds.setdefault(kind, []).append(layer.weight.data.flatten() / unit)
    assert set(kinds) == ({"depthwise", "pointwise", "plain"} if name in ("legacy_xception", "nasnetalarge") else {"plain"})
    for kind, weights in kinds.items():
        cut = name == "nasnetalarge" and kind == "plain"
        x = torch.cat(weights)
        x = x[torch.randint(len(x), (200_000,))].double()
        bound, variance, kurtosis = (2, 0.879626**2, 2.3659) if cut else (1, 1 / 3, 1.8)
        assert 0.99 * bound < float(x.abs().max()) <= bound * (1 + 1e-6)
        assert float(x.var()) == pytest.approx(variance, rel=0.015)
        assert float((x**4).mean() / (x**2).mean() ** 2) == pytest.approx(kurtosis, rel=0.01)
        assert distance(x, cut_normal if cut else uniform) < 1.95
    for layer in norms(model):
        assert (layer.weight == 1).all() and (layer.bias == 0).all()


def test_timm_starts_scales_at_zero_and_keras_does_not() -> None:
    model = timm.create_model("test_resnet")
    assert any((layer.weight == 0).all() for layer in norms(model))
    start_as_keras(model)
    assert all((layer.weight == 1).all() for layer in norms(model))


def test_what_keras_has_no_word_on_stays() -> None:
    torch.manual_seed(0)
    model = timm.create_model("test_vit", num_classes=0)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    start_as_keras(model)
    layers = dict(model.named_modules())
    for key, value in model.state_dict().items():
        owner, _, leaf = key.rpartition(".")
        if not isinstance(layers[owner], (nn.Linear, nn.Conv2d)):
            assert torch.equal(value, before[key]), key
        elif leaf == "bias":
            assert (value == 0).all(), key
        else:
            assert not torch.equal(value, before[key]), key
    qkv = layers["blocks.0.attn.qkv"]
    assert 0.99 < float(qkv.weight.data.abs().max()) / math.sqrt(6 / (qkv.in_features + qkv.out_features)) <= 1
