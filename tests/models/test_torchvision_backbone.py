"""torchvision's models as backbones: the map that their own pooling gets, to the bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor, nn

from tests.support.configs import change
from wisesr.build.cell import build_model, weights_hash
from wisesr.cell.run import DONE, run
from wisesr.config.options import load_option
from wisesr.errors import UserError
from wisesr.grid.cell_dirs import make_cells, write_cell
from wisesr.grid.planning.planner import plan_cells
from wisesr.models.torchvision_backbone import TorchvisionBackbone

NODE = {"name": "resnet18", **load_option("backbone", "torchvision"), "model": "resnet18"}
BY_NAME = {"name": "resnet18", "_target_": "torchvision.models.resnet18", "weights": None, "freeze": None}


def before_pooling(model: nn.Module, part: str, images: Tensor) -> Tensor:
    """What a whole model hands to its pooling, or what its last feature layer says."""
    seen: list[Tensor] = []
    module = model.get_submodule(part)
    if isinstance(module, nn.AdaptiveAvgPool2d):
        module.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    else:
        module.register_forward_hook(lambda *call: seen.append(call[2]))
    model.eval()(images)
    return seen[-1]


@pytest.mark.parametrize(
    ("name", "part", "channels"),
    [
        ("resnet18", "avgpool", 512),
        ("squeezenet1_1", "features", 512),
        ("mobilenet_v3_small", "avgpool", 576),
        ("shufflenet_v2_x0_5", "conv5", 1024),
        ("mnasnet0_5", "layers", 1280),
        ("regnet_x_400mf", "avgpool", 400),
        pytest.param("densenet121", "features", 1024, marks=pytest.mark.slow),
        pytest.param("swin_t", "avgpool", 768, marks=pytest.mark.slow),
        pytest.param("googlenet", "avgpool", 1024, marks=pytest.mark.slow),
    ],
)
def test_the_map_is_what_its_pooling_gets(name: str, part: str, channels: int) -> None:
    size = 96
    torch.manual_seed(0)
    backbone = TorchvisionBackbone(size, model=name).eval()
    whole = torchvision.models.get_model(
        name, weights=None, **({"init_weights": True, "transform_input": True} if name == "googlenet" else {})
    )
    for key, value in backbone.model.state_dict().items():
        whole.state_dict()[key].copy_(value)
    images = torch.randn(2, 3, size, size)
    features = backbone(images)
    expected = before_pooling(whole, part, images)
    assert torch.equal(features, expected.relu() if name == "densenet121" else expected)
    assert tuple(features.shape[1:]) == backbone.feature_shape
    assert backbone.feature_shape.channels == channels


def test_weights_of_torchvisions_own_file(tmp_path: Path, config: dict[str, Any]) -> None:
    torch.manual_seed(1)
    whole = torchvision.models.resnet18(weights=None)
    torch.save(whole.state_dict(), tmp_path / "w.pth")
    backbone = TorchvisionBackbone(64, model="resnet18", weights=str(tmp_path / "w.pth"))
    own = backbone.model.state_dict()
    assert all(torch.equal(own[name], value) for name, value in whole.state_dict().items() if not name.startswith("fc."))
    assert backbone.weights_hash is not None
    hashes = {weights_hash(config | {"backbone": node | {"weights": str(tmp_path / "w.pth")}}) for node in (NODE, BY_NAME)}
    assert len(hashes) == 1
    assert None not in hashes
    torch.save(torchvision.models.resnet34(weights=None).state_dict(), tmp_path / "other.pth")
    with pytest.raises(UserError, match="other.pth does not fit resnet18"):
        TorchvisionBackbone(64, model="resnet18", weights=str(tmp_path / "other.pth"))


def test_frozen_it_does_not_train_and_keeps_its_statistics() -> None:
    backbone = TorchvisionBackbone(64, model="resnet18", freeze="all")
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    backbone.train()
    backbone(torch.randn(2, 3, 64, 64))
    assert not any(parameter.requires_grad for parameter in backbone.parameters())
    assert all(torch.equal(before[name], value) for name, value in backbone.state_dict().items())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"model": "resnet19"}, "no model of torchvision is called 'resnet19'. Did you mean resnet1"),
        ({"model": "vit_b_16"}, "vit_b_16 leaves no feature map"),
        pytest.param({"model": "maxvit_t"}, "maxvit_t leaves no feature map", marks=pytest.mark.slow),
        ({"weights": "imagenet"}, "backbone.weights must be null or a file for torchvision's models, not imagenet"),
        ({"weights": "package"}, "not package"),
        ({"model": "alexnet"}, "alexnet refuses images of 16 px"),
    ],
)
def test_refusals(config: dict[str, Any], settings: dict[str, Any], words: str) -> None:
    config = config | {"backbone": NODE | settings, "resolution": {"size": 224 if "vit" in settings.get("model", "") else 16}}
    ((_, (problem,)),) = plan_cells([config], 0, lambda *_: None)
    assert words in problem


@pytest.mark.parametrize("node", [NODE, pytest.param(BY_NAME, marks=pytest.mark.slow)], ids=["option", "by name"])
def test_a_cell_trains_with_it(config: dict[str, Any], node: dict[str, Any]) -> None:
    """With an average of its weights, which copies the graph; what the planner counts is what is there."""
    config = change(config | {"backbone": node}, "recipe.ema", 0.9)
    config["recipe"]["epochs"] = 1
    config["resolution"]["size"] = 32
    ((cost, problems),) = plan_cells([config], 0, lambda *_: None)
    assert problems == []
    assert cost is not None
    assert cost.backbone_parameters == sum(p.numel() for p in build_model(config, 3).backbone.parameters()) == 11_176_512
    (cell,) = make_cells([config])
    write_cell(cell)
    assert run(cell.directory) == DONE
    again = TorchvisionBackbone(32, model="resnet18", weights=str(cell.directory / "best.ckpt"))
    saved = torch.load(cell.directory / "best.ckpt", weights_only=True)["state_dict"]
    assert torch.equal(again.model.conv1.weight, saved["ema.module.backbone.model.conv1.weight"]), "a cell's own checkpoint"
