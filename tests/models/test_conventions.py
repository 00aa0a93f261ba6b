"""The recipe's conventions on whole models: what is drawn anew, what stays, from which seed; PyTorch's start of heads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from tests.support.configs import change
from tests.support.small import small_head
from wisesr.build.cell import build_model
from wisesr.config.options import load_option, options
from wisesr.errors import UserError
from wisesr.models.classifier import Classifier
from wisesr.models.keras_structure import STRUCTURES

Config = dict[str, Any]
State = dict[str, Tensor]


def state(config: Config, part: str = "", **recipe: str) -> State:
    """Of the model with these conventions: clones of a part's tensors."""
    config = config | {"recipe": config["recipe"] | recipe}
    tensors = build_model(config, 3).state_dict()
    return {key: value.clone() for key, value in tensors.items() if key.startswith(part)}


def equal(one: State, other: State) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[key]) for key, value in one.items())


def test_pytorchs_conventions_are_the_model_as_it_was_built_before_there_were_any(config: Config) -> None:
    """The first numbers of the generator that `seed` starts, in the order of construction."""
    from wisesr.build.cell import make_classifier
    from wisesr.types import derive_seed

    torch.manual_seed(derive_seed(0, "initialisation"))
    assert equal(dict(make_classifier(config["backbone"], config["head"], 3, 64).state_dict()), state(config))


def test_a_backbone_starts_the_same_beside_every_head_and_a_head_behind_every_backbone(config: Config) -> None:
    gap = change(config, "head", {"name": "gap", **load_option("head", "gap")})
    keras = state(config, "backbone.", init="keras")
    assert equal(keras, state(gap, "backbone.", init="keras"))
    drawn = change(config, "head.init", "torch")
    assert equal(keras, state(drawn, "backbone.", init="keras", batch_norm="keras"))
    assert not equal(keras, state(config, "backbone."))
    assert not equal(keras, state(config | {"seed": 1}, "backbone.", init="keras"))
    head = state(drawn, "head.")
    assert equal(head, state(drawn, "head.", init="keras"))
    assert not equal(head, state(config, "head."))
    assert equal(state(config, "head."), state(config, "head.", init="keras", batch_norm="keras"))


def test_loaded_weights_stay_and_batch_norm_changes_all_the_same(config: Config, tmp_path: Path) -> None:
    """The paper's own 512 px run: Keras' conventions on pretrained weights."""
    torch.manual_seed(5)
    body = build_model(config | {"seed": 9}, 3).backbone.model
    for buffer in (value for key, value in body.named_buffers() if "running" in key):
        buffer.uniform_(0.5, 2)
    save_file({key: value.contiguous() for key, value in body.state_dict().items()}, tmp_path / "w.safetensors")
    config = change(config, "backbone.weights", str(tmp_path / "w.safetensors"))
    config["recipe"] |= {"init": "keras", "batch_norm": "keras"}
    model = build_model(config, 3)
    assert equal(dict(model.backbone.model.state_dict()), dict(body.state_dict()))
    layers = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert {(round(1 - (layer.momentum or 0), 9), layer.eps) for layer in layers} == {(0.99, 1e-3)}
    model.eval(), body.eval()
    x = torch.randn(2, 3, 64, 64)
    assert not torch.equal(model.backbone(x), body.forward_features(x)), "another epsilon, other numbers"


def test_structure_changes_what_a_model_computes_and_none_of_its_weights(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random or loaded; at timm, to the bit what it was before there was such a convention."""
    from wisesr.build.cell import make_classifier
    from wisesr.types import derive_seed

    monkeypatch.setitem(STRUCTURES, "test_efficientnet", STRUCTURES["efficientnet_b0"])
    torch.manual_seed(derive_seed(0, "initialisation"))
    before = make_classifier(config["backbone"], config["head"], 3, 64).eval()
    timms, keras = (build_model(change(config, "recipe.structure", which), 3).eval() for which in ("timm", "keras"))
    assert equal(dict(before.state_dict()), dict(timms.state_dict()))
    assert equal(dict(timms.state_dict()), dict(keras.state_dict()))
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(before(x), timms(x))
        assert not torch.allclose(before(x), keras(x))
        save_file(dict(before.backbone.model.state_dict()), tmp_path / "w.safetensors")
        config["recipe"]["structure"] = "keras"
        loaded = build_model(change(config, "backbone.weights", str(tmp_path / "w.safetensors")), 3).eval()
        assert torch.equal(loaded.backbone(x), keras.backbone(x))


@pytest.mark.parametrize("freeze", ["all", 1])
def test_what_is_frozen_starts_as_keras_too_and_stays_frozen(config: Config, freeze: str | int) -> None:
    frozen = change(config, "backbone.freeze", freeze)
    frozen["recipe"] |= {"init": "keras", "batch_norm": "keras"}
    model = build_model(frozen, 3)
    assert equal(dict(model.state_dict()), state(config, init="keras", batch_norm="keras"))
    timms = build_model(change(config, "backbone.freeze", freeze), 3)
    trained = [{key for key, p in its.named_parameters() if p.requires_grad} for its in (model, timms)]
    assert trained[0] == trained[1] != set()
    layers = [layer for layer in model.backbone.model.modules() if isinstance(layer, nn.BatchNorm2d)]
    model.train()
    assert not layers[0].training, "its statistics stay"


def test_the_scale_that_keras_does_not_learn(config: Config) -> None:
    """Inception: fewer trainable numbers, as many numbers. Every layer still trains its offset and its statistics."""
    config = change(change(config, "backbone.model", "inception_v3"), "resolution.size", 96)
    with torch.device("meta"):
        keras = build_model(change(config, "recipe.batch_norm", "keras"), 3)
    parameters = list(keras.backbone.parameters())
    assert sum(p.numel() for p in parameters) == 21_785_568, "as many as under recipe.batch_norm=timm"
    assert sum(p.numel() for p in parameters if p.requires_grad) == 21_785_568 - 17_216 == 21_768_352, "Keras' trainable ones"
    layers = [layer for layer in keras.modules() if isinstance(layer, nn.BatchNorm2d)]
    keras.train()
    assert all(layer.training and layer.bias.requires_grad and not layer.weight.requires_grad for layer in layers)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("init", "he", "recipe.init must be one of timm, keras, not 'he'"),
        ("batch_norm", "torch", "recipe.batch_norm must be one of timm, keras, not 'torch'"),
        ("structure", "torch", "recipe.structure must be one of timm, keras, not 'torch'"),
    ],
)
def test_another_convention(config: Config, key: str, value: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        state(config, **{key: value})


def test_somebody_elses_parts_have_no_conventions_of_keras() -> None:
    from wisesr.models.conventions import Conventions, check_conventions

    model = Classifier(nn.Conv2d(3, 4, 1), nn.Flatten())  # type: ignore[arg-type]
    check_conventions(model, Conventions("timm", "timm", "timm"))
    with pytest.raises(UserError) as error:
        check_conventions(model, Conventions("keras", "keras", "keras"))
    lines = str(error.value).splitlines()
    assert [line.split()[0] for line in lines] == ["recipe.init", "recipe.batch_norm", "recipe.structure"]
    assert all("Conv2d" in line and "TimmBackbone" in line for line in lines)


# Heads.

SHAPE = (12, 7, 7)


def started(name: str, init: str = "torch", **settings: Any) -> State:
    torch.manual_seed(3)
    return dict(small_head(name, SHAPE, 5, init=init, **settings).state_dict())


@pytest.mark.parametrize(
    "name", ["depthwise", "depthwise_nonneg", "wise", "wise_dropout", "wise_unconstrained", "wise_shuffled"]
)
def test_depthwise_heads_start_as_pytorchs_own_layers(name: str) -> None:
    """To the bit but for the rounding of the bound: the same numbers of the generator, in the same order."""
    found = started(name)
    torch.manual_seed(3)
    side = 3 if name.startswith("wise") else 7
    conv, linear = nn.Conv2d(12, 12, side, groups=12), nn.Linear(12, 5)
    torch.testing.assert_close(found["aggregation.kernel"], conv.weight.data[:, 0])
    torch.testing.assert_close(found["aggregation.bias"], conv.bias.data if conv.bias is not None else None)
    torch.testing.assert_close(found["classifier.weight"], linear.weight.data)
    torch.testing.assert_close(found["classifier.bias"], linear.bias.data)
    assert 0.9 / side < float(found["aggregation.kernel"].abs().max()) <= 1 / side


def test_other_heads_with_a_counterpart() -> None:
    found = started("gwap_attention")
    torch.manual_seed(3)
    conv = nn.Conv2d(12, 1, 1)
    torch.testing.assert_close(found["aggregation.kernel"], conv.weight.data.flatten())
    torch.testing.assert_close(found["aggregation.bias"], conv.bias.data if conv.bias is not None else None)
    found = started("fc", hidden=6)
    torch.manual_seed(3)
    linears = [nn.Linear(12 * 9, 6), nn.Linear(6, 6), nn.Linear(6, 5)]
    weights = [found[key] for key in ("aggregation.1.weight", "aggregation.4.weight", "classifier.weight")]
    for weight, linear in zip(weights, linears, strict=True):
        torch.testing.assert_close(weight, linear.weight.data)


STARTED_BY_THEMSELVES = ["wise_average", "depthwise_average"]
"""Their YAML has an init of its own."""


@pytest.mark.parametrize("name", [*(name for name in options("head") if name not in STARTED_BY_THEMSELVES), "softplus"])
def test_aggregations_without_a_counterpart_keep_their_start(name: str) -> None:
    which, settings = ("wise", {"non_negative": "softplus"}) if name == "softplus" else (name, {})
    before, found = (started(which, init, **settings) for init in ("normal", "torch"))
    changed = {key for key, value in found.items() if not torch.equal(value, before[key])} - {"numbers"}  # drawn last
    drawn = {"classifier.weight", "classifier.bias"}
    if name == "gwap_attention" or (name.startswith(("depthwise", "wise"))):
        drawn |= {"aggregation.kernel", "aggregation.bias"}
    elif name == "fc":
        drawn |= {f"aggregation.{place}.{leaf}" for place in (1, 4) for leaf in ("weight", "bias")}
    assert changed == drawn
