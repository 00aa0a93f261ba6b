"""AdamW's `weight_decay_on`: which parameters are weights, that the others stay, and that "all" is what there was before."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import timm
import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer

from tests.support.small import small_head
from wisesr import create_head
from wisesr.build.cell import build
from wisesr.build.data import build_manifest
from wisesr.config.options import options
from wisesr.errors import UserError
from wisesr.training.optimizers import adamw, sgd, spared

RATE, DECAY, STEPS = 0.1, 0.5, 5


def group(module: nn.Module) -> dict[str, Any]:
    names, parameters = zip(*module.named_parameters(), strict=True)
    return {"params": list(parameters), "names": list(names)}


def decayed(optimizer: Optimizer) -> set[int]:
    return {id(one) for part in optimizer.param_groups if part["weight_decay"] for one in part["params"]}


@pytest.mark.parametrize(("on", "factor"), [("all", (1 - RATE * DECAY) ** STEPS), ("weights", 1.0)])
def test_an_exponent_without_a_gradient(on: Any, factor: float) -> None:
    """GeM's p, which decay alone would draw from 3 to 0: by the formula of decoupled decay."""
    head = create_head("gem", (4, 2, 2), 3)
    weight = head.classifier.weight.detach().clone()
    optimizer = adamw([group(head)], lr=RATE, weight_decay=DECAY, weight_decay_on=on)
    for _ in range(STEPS):
        for parameter in head.parameters():
            parameter.grad = torch.zeros_like(parameter)
        optimizer.step()
    assert float(head.get_parameter("aggregation.number").detach()) == pytest.approx(3 * factor, rel=1e-6)
    torch.testing.assert_close(head.classifier.weight, weight * (1 - RATE * DECAY) ** STEPS)


@pytest.mark.parametrize("name", ["resnet18", "vit_tiny_patch16_224", "swin_tiny_patch4_window7_224", "test_convnext"])
def test_of_a_backbone_kernels_are_decayed_alone(name: str) -> None:
    """By the types of layers: convolutions and linear layers, and nothing else of the model."""
    with torch.device("meta"):
        model = timm.create_model(name, num_classes=0)
    kernels = {id(layer.weight) for layer in model.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))}
    optimizer = adamw([group(model)], lr=1.0, weight_decay=1.0, weight_decay_on="weights")
    assert decayed(optimizer) == kernels
    both = [id(one) for part in optimizer.param_groups for one in part["params"]]
    assert sorted(both) == sorted(map(id, model.parameters())), "each once"


@pytest.mark.parametrize("name", options("head"))
def test_of_a_head_linear_layers_are_decayed_alone(name: str) -> None:
    """Kernels that pool, scales, exponents and positions are spared; weights of `flatten` and `fc`, which pool too, are not."""
    head = small_head(name, (4, 4, 4), 3)
    layers = {id(layer.weight) for layer in head.modules() if isinstance(layer, nn.Linear)}
    trained = {name: one for name, one in head.named_parameters() if one.requires_grad}
    assert {id(one) for name, one in trained.items() if not spared(name, one)} == layers
    assert id(head.classifier.weight) in layers


def test_all_is_the_plain_optimizer_to_the_bit() -> None:
    torch.manual_seed(0)
    mine = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))
    plain = copy.deepcopy(mine)
    ones = [adamw([group(mine)], lr=RATE, weight_decay=DECAY), AdamW(plain.parameters(), lr=RATE, weight_decay=DECAY)]
    for _ in range(3):
        images = torch.randn(2, 3)
        for model, optimizer in zip((mine, plain), ones, strict=True):
            optimizer.zero_grad()
            model(images).square().sum().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(mine.parameters(), plain.parameters(), strict=True))


def test_what_is_refused() -> None:
    layer = nn.Linear(2, 2)
    with pytest.raises(UserError, match="weight_decay_on must be one of all, weights, not 'some'"):
        adamw([group(layer)], lr=1.0, weight_decay=0.1, weight_decay_on="some")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="give each group a list `names` beside `params`"):
        adamw([{"params": list(layer.parameters())}], lr=1.0, weight_decay=0.1, weight_decay_on="weights")


def module_of(config: dict[str, Any]) -> Any:
    return build(config, build_manifest(config)).module


def test_four_groups_with_two_rates(config: dict[str, Any]) -> None:
    config["recipe"]["head_lr_scale"] = 10.0
    module = module_of(config)
    groups = module.make_optimizer(module.model).param_groups
    rate, decay = (config["recipe"]["optimizer"][key] for key in ("lr", "weight_decay"))
    assert [(one["lr"], one["weight_decay"]) for one in groups] == [
        *((rate, decay), (rate, 0.0)),
        *((pytest.approx(10 * rate), decay), (pytest.approx(10 * rate), 0.0)),
    ]
    assert all("names" not in one for one in groups)
    (weight,) = groups[2]["params"]
    assert weight is module.model.head.classifier.weight
    assert any(one is module.model.head.aggregation.kernel for one in groups[3]["params"])


def test_a_frozen_backbone_leaves_empty_groups(config: dict[str, Any]) -> None:
    config["backbone"]["freeze"] = "all"
    config["recipe"]["head_lr_scale"] = 2.0
    module = module_of(config)
    groups = module.make_optimizer(module.model).param_groups
    assert [len(one["params"]) for one in groups] == [0, 0, 1, 3]
    assert [one["lr"] / config["recipe"]["optimizer"]["lr"] for one in groups] == [1, 1, 2, 2]


def test_a_checkpoint_from_before_goes_on(config: dict[str, Any]) -> None:
    """Its state has two groups, whose keys are AdamW's own."""
    config["recipe"]["optimizer"]["weight_decay_on"] = "all"
    module = module_of(config)
    parts = [{"params": list(part.parameters())} for part in (module.model.backbone, module.model.head)]
    before = AdamW(parts, lr=0.002, weight_decay=0.01).state_dict()
    now = module.make_optimizer(module.model)
    assert [sorted(one) for one in now.state_dict()["param_groups"]] == [sorted(one) for one in before["param_groups"]]
    now.load_state_dict(before)
    assert [one["lr"] for one in now.param_groups] == [0.002, 0.002]


def _together(groups: Any, **settings: Any) -> Optimizer:
    """Somebody's optimizer that has one group."""
    return SGD([parameter for one in groups for parameter in one["params"]], lr=0.1)


def test_other_optimizers_find_no_names_in_their_groups(config: dict[str, Any]) -> None:
    module = module_of(config)
    for make in (
        lambda groups: torch.optim.RMSprop(groups, lr=0.1),
        lambda groups: sgd(groups, lr=0.1, momentum=0.9, weight_decay=0),
    ):
        module._optimizer = make
        groups = module.make_optimizer(module.model).param_groups
        assert len(groups) == 2 and all("names" not in one for one in groups)
        assert all(isinstance(one, Tensor) for part in groups for one in part["params"])


def test_a_rate_of_the_head_needs_a_group_of_its_own(config: dict[str, Any]) -> None:
    module = module_of(config)
    module._optimizer = _together
    assert len(module.make_optimizer(module.model).param_groups) == 1
    config["recipe"]["head_lr_scale"] = 3.0
    module = module_of(config)
    module._optimizer = _together
    with pytest.raises(UserError, match=r"recipe.head_lr_scale=3 needs the head's parameters in groups of their own"):
        module.make_optimizer(module.model)
