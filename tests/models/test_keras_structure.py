"""Strides and padding of keras.applications in timm's models, against Keras' features (fixtures/make_keras_structure.py)."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from torch import Tensor, nn

from tests.fixtures.make_keras_structure import SIZES, batch_norm, image, kernel, positions
from wisesr.config.options import load_option, options
from wisesr.models.keras_conventions import batch_norm_as_keras
from wisesr.models.keras_structure import STRUCTURES, has_keras_structure, structure_as_keras, uncount_padding

KERAS = np.load(Path(__file__).parent.parent / "fixtures" / "keras_structure.npz")
SAME = {
    "resnet50": "ResNet50",
    "resnetv2_50": "ResNet50V2",
    "densenet121": "DenseNet121",
    "inception_v3": "InceptionV3",
    "inception_resnet_v2": "InceptionResNetV2",
    "legacy_xception": "Xception",
    "nasnetalarge": "NASNetLarge",
    "mobilenetv2_100": "MobileNetV2",
    "efficientnet_b0": "EfficientNetB0",
}


def as_keras_orders(name: str, model: nn.Module) -> list[nn.Module]:
    """Convolutions and BatchNorms as Keras' code creates them: as timm's, but for the ways beside a block, which come first."""
    named = [(key, layer) for key, layer in model.named_modules() if isinstance(layer, (nn.Conv2d, nn.BatchNorm2d))]
    places: dict[str, int] = {}
    for key, _ in named:
        places.setdefault(owner(name, key), len(places))
    beside = ("path_1", "path_2", "final_path_bn", "downsample")
    named.sort(key=lambda item: (places[owner(name, item[0])], not any(part in item[0] for part in beside)))
    return [layer for _, layer in named]


def owner(name: str, key: str) -> str:
    """The block that a layer is in, where a block has a way beside it."""
    depth = {"resnet50": 2, "nasnetalarge": 1}.get(name)
    return key if depth is None or not key.startswith(("layer", "cell", "reduction")) else ".".join(key.split(".")[:depth])


@torch.no_grad()
def lively(name: str) -> nn.Module:
    """A model with the weights of the fixture, in eval mode."""
    with torch.device("meta"):
        model = timm.create_model(name, num_classes=0, global_pool="")
    model.to_empty(device="cpu")
    batch_norm_as_keras(model)
    kernels = norms = 0
    for layer in as_keras_orders(name, model):
        if isinstance(layer, nn.Conv2d):
            layer.weight.copy_(torch.from_numpy(kernel(kernels, tuple(layer.weight.shape))))
            kernels += 1
            if layer.bias is not None:
                layer.bias.zero_()
        elif isinstance(layer, nn.BatchNorm2d):
            scale, *others = torch.from_numpy(batch_norm(norms, layer.num_features))
            layer.weight.copy_(scale if layer.weight.requires_grad else torch.ones_like(scale))
            for tensor, values in zip((layer.bias, layer.running_mean, layer.running_var), others, strict=True):
                assert tensor is not None
                tensor.copy_(values)
            norms += 1
    return model.eval()


@torch.no_grad()
def distance(name: str, model: Any, size: int) -> float:
    """Largest difference from Keras' features, as a share of their largest."""
    application = SAME[name]
    found = model.forward_features(torch.from_numpy(image(size)).permute(2, 0, 1)[None])[0].permute(1, 2, 0)
    *shape, largest = KERAS[f"{application}_{size}_map"]
    assert found.shape == tuple(shape)
    return float(np.abs(found.numpy().ravel()[positions(found.numel())] - KERAS[f"{application}_{size}"]).max() / largest)


SLOW = {"inception_resnet_v2", "nasnetalarge"}


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in SAME])
def test_features_are_keras(name: str) -> None:
    """On even and odd maps, to rounding. What timm does by itself differs by more than 1 % of the largest, where it differs."""
    model = lively(name)
    if name in STRUCTURES:
        assert distance(name, model, SIZES[0]) > 0.01
    structure_as_keras(model)
    structure_as_keras(model)  # as of a checkpoint that tells it, and then of the recipe
    assert has_keras_structure(model) == (name in STRUCTURES)
    assert max(distance(name, model, size) for size in SIZES) < 1e-5


def test_another_shortcut_position_or_padding_would_show() -> None:
    """The measure of the test above, on a model that is right but for one pooling of four."""
    model: Any = lively("legacy_xception")
    wrong = copy.deepcopy(model.block12.rep[-1])
    structure_as_keras(model)
    model.block12.rep[-1] = wrong
    assert distance("legacy_xception", model, 96) > 1e-3


TALL = {"inception_v3", "mobilenetv2", "efficientnet_b0"}
LARGE = TALL | {"resnet101", "resnet152", "resnetv2_101", "resnetv2_152", "densenet169", "densenet201", "nasnet_large"}
BACKBONES = [name for name in options("backbone") if name not in ("timm", "torchvision")]


@cache
def on_meta(name: str) -> Any:
    with torch.device("meta"):
        return timm.create_model(load_option("backbone", name)["model"], num_classes=0, global_pool="").eval()


def shapes(model: nn.Module) -> dict[str, torch.Size]:
    return {key: value.shape for key, value in model.state_dict().items()}


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in LARGE)) for name in BACKBONES])
def test_names_and_shapes_stay(name: str) -> None:
    """Of parameters, in their order, so that weights fit, and of the feature map at every resolution."""
    model, changed = on_meta(name), copy.deepcopy(on_meta(name))
    structure_as_keras(changed)
    assert list(shapes(changed).items()) == list(shapes(model).items())
    if not has_keras_structure(changed):
        assert repr(changed) == repr(model)
        return
    for size in (64, 112, 224, 512):
        if size > 64 or name != "inception_v3":  # which refuses less than 75
            maps = [its.forward_features(torch.empty(1, 3, size, size, device="meta")).shape for its in (model, changed)]
            assert maps[0] == maps[1], size


def test_models_that_keras_lacks_stay() -> None:
    for name in ("test_resnet", "resnet18", "resnext50_32x4d", "tf_efficientnet_b0"):
        with torch.device("meta"):
            model = timm.create_model(name)
        before = repr(model)
        structure_as_keras(model)
        assert repr(model) == before
        assert not has_keras_structure(model)
    structure_as_keras(nn.Conv2d(3, 4, 3, stride=2))


@pytest.mark.parametrize("stride", [8, 16])
def test_dilated_resnets(stride: int) -> None:
    for name in ("resnet50", "resnetv2_50"):
        with torch.device("meta"):
            model: Any = timm.create_model(name, num_classes=0, global_pool="", output_stride=stride)
            structure_as_keras(model)
            assert model.forward_features(torch.empty(1, 3, 64, 64)).shape[-2:] == (64 // stride, 64 // stride)


def mean_inside(x: Tensor, row: int, column: int) -> Tensor:
    return x[..., max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2].mean((-2, -1))


@pytest.mark.parametrize("side", [1, 2, 5])
def test_means_at_the_border(side: int) -> None:
    x = torch.randn(2, 3, side, side, dtype=torch.float64)
    layer = nn.Identity()
    layer.register_forward_pre_hook(uncount_padding)
    found = layer(nn.functional.avg_pool2d(x, 3, 1, 1))
    for row in range(side):
        for column in range(side):
            torch.testing.assert_close(found[..., row, column], mean_inside(x, row, column))
