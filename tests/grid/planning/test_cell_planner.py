"""What the planner says of a cell, against cells that were really built and run."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.optim import LBFGS, SGD

from tests.support.configs import change as changed
from tests.support.copies import make_intel
from tests.support.images import paint
from wisesr.build.cell import build_model
from wisesr.build.data import build_manifest
from wisesr.cell.run import DONE, run
from wisesr.config.options import load_option
from wisesr.data import listing
from wisesr.data.images import open_rgb
from wisesr.grid.cell_dirs import make_cells, write_cell
from wisesr.grid.planning.cost import Cost
from wisesr.grid.planning.planner import plan_cells
from wisesr.models.backbones import TimmBackbone
from wisesr.models.keras_structure import STRUCTURES
from wisesr.training.cost import Kind, flops, parameters, state_bytes
from wisesr.types import FeatureShape

Config = dict[str, Any]


def found(config: Config, gpus: int = 0) -> list[str]:
    ((_, problems),) = plan_cells([config], gpus, lambda *_: None)
    return problems


def cost(config: Config) -> Cost:
    ((cost, problems),) = plan_cells([config], 0, lambda *_: None)
    assert problems == []
    assert cost is not None
    return cost


def test_costs_are_those_of_the_real_model(config: Config) -> None:
    model = build_model(config, 3)
    real = flops(model, 64)
    shape = model.backbone.feature_shape
    planned = cost(config)
    assert planned.backbone_parameters == parameters(model.backbone)
    assert planned.head_parameters == parameters(model.head) == 256 * (4 + 1) + 256 * 3 + 3
    assert planned.flops == real["backbone"] + real["head"]
    assert planned.feature_map == shape == (256, 2, 2)
    assert planned.train_images == 54, "60 without the tenth that is held out"
    assert planned.steps == 3 * 4, "three epochs of four batches"


def test_conventions_cost_nothing(config: Config) -> None:
    conventions = {"init": "keras", "batch_norm": "keras"}
    assert cost(changed(config, "recipe", config["recipe"] | conventions)) == cost(config)


def test_strides_as_in_keras_cost_less(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of neighbours that share a backbone but for its structure, each as its own process would count."""
    monkeypatch.setitem(STRUCTURES, "test_resnet", STRUCTURES["resnet50"])
    config = changed(config, "backbone.model", "test_resnet")
    cells = [changed(config, "recipe.structure", which) for which in ("timm", "keras", "timm")]
    with torch.device("meta"):
        real = [sum(flops(build_model(cell, 3), 64).values()) for cell in cells[:2]]
    planned = [cost for cost, _ in plan_cells([*cells[:2], changed(cells[2], "head.dropout", 0.5)], 0, lambda *_: None) if cost]
    assert [cost.flops for cost in planned] == [*real, real[0]]
    assert real[1] < real[0], "a first 1x1 convolution that strides has a quarter of the positions"
    assert len({cost.feature_map for cost in planned}) == 1


@pytest.mark.parametrize(("ema", "freeze"), [(0.9, None), (None, "all")])
def test_the_disk_of_a_real_cell(config: Config, ema: float | None, freeze: str | None) -> None:
    """Files of a finished cell, with a copy of the larger checkpoint: never more than planned, and not much less."""
    config = changed(changed(config, "recipe.ema", ema), "backbone.freeze", freeze)
    planned = cost(config)
    (cell,) = make_cells([config])
    write_cell(cell)
    assert run(cell.directory) == DONE
    sizes = {path.name: path.stat().st_size for path in cell.directory.iterdir()}
    real = sum(sizes.values())
    assert sizes["last.ckpt"] <= planned.partial < 1.2 * sizes["last.ckpt"] + 100_000
    assert real <= planned.disk - planned.partial < 1.2 * real + 200_000


def test_checkpoints_that_are_not_kept_are_not_counted_for_every_cell(config: Config) -> None:
    """All of them are there while a cell runs; the plan counts what goes again once for each cell that runs at a time."""
    costs = {keep: cost(changed(config, "trainer.keep_checkpoints", keep)) for keep in ("all", "best", "last", "none")}
    assert len({planned.disk for planned in costs.values()}) == 1
    stays = {keep: planned.disk - planned.partial for keep, planned in costs.items()}
    best, last = stays["best"] - stays["none"], stays["last"] - stays["none"]
    assert stays["all"] - stays["none"] == best + last
    weights = 4 * (costs["all"].backbone_parameters + costs["all"].head_parameters)
    assert best >= weights and last >= 3 * weights, "AdamW keeps two numbers for each weight"
    assert last == costs["all"].partial, "which is the copy while it is replaced"


def test_float64_doubles(config: Config) -> None:
    single, double = cost(config), cost(changed(config, "trainer.precision", "64-true"))
    numbers = 4 * (single.backbone_parameters + single.head_parameters)
    assert double.partial - single.partial >= 3 * numbers, "weights and two numbers of AdamW's for each"


def test_the_state_of_optimizers() -> None:
    """SGD keeps nothing, with momentum one number a weight; of one that needs a closure Adam's two are taken."""
    kinds = [Kind((300, 20), torch.float32), Kind((7,), torch.float32)]
    assert state_bytes(lambda groups: SGD(groups, lr=0.1), kinds) == [0, 0]
    large, small = state_bytes(lambda groups: SGD(groups, lr=0.1, momentum=0.9), kinds)
    assert large - small == 4 * (300 * 20 - 7)
    large, small = state_bytes(LBFGS, kinds)
    assert large - small == 2 * 4 * (300 * 20 - 7)


BROKEN: dict[str, tuple[str, Any, str]] = {
    "dropout": ("head.dropout", 2, "head.dropout must be at least 0 and below 1, not 2"),
    "window": ("head.pre_pool", 3, "head.pre_pool must be from 1 to 2"),
    "freeze": ("backbone.freeze", -1, "backbone.freeze must be null, all, or from 1 to"),
    "name": ("backbone.model", "test_efficientnot", "timm has no model 'test_efficientnot'. Near it: test_efficientnet"),
    "weights": ("backbone.weights", "/nowhere/w.pth", "there is no file '/nowhere/w.pth'"),
    "convention": ("recipe", {"init": "tensorflow"}, "recipe.init must be one of timm, keras, not 'tensorflow'"),
    "mixing": ("recipe", {"mixup": 0.2, "batch_size": 1}, "recipe.batch_size must be at least 2"),
    "parts": ("trainer.accumulate", 3, "recipe.batch_size must divide by 1 devices x trainer.accumulate 3"),
    "warm-up": ("recipe.schedule.warmup", 1.5, "recipe.schedule.warmup must be at least 0 and below 1"),
    "target": ("recipe.optimizer", {"_target_": "nowhere.adam"}, "nowhere.adam cannot be imported"),
    "foreign setting": (
        "recipe.optimizer",
        {"_target_": "torch.optim.SGD", "rate": 1},
        "no key of recipe.optimizer is called 'rate'",
    ),
    "foreign value": ("recipe.optimizer", {"_target_": "torch.optim.SGD", "lr": -1}, "Invalid learning rate: -1"),
    "logger": ("logger.tensorboard", {"_target_": "wisesr.nowhere.Logger"}, "wisesr.nowhere.Logger cannot be imported"),
    "areas": ("augment.min_area", 3.0, "0 < "),
    "gpu": ("trainer.accelerator", "gpu", "trainer: "),
    "precision": ("trainer.precision", "16-mixed", "trainer.precision=16-mixed cannot be had on this device, only bf16-mixed"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_only_a_built_cell_shows(config: Config, name: str) -> None:
    path, value, words = BROKEN[name]
    if path == "recipe":
        value = config["recipe"] | value
    (problem,) = found(changed(config, path, value))
    assert words in problem


def test_seeds_are_planned_once(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight cells, four models, two backbones: each backbone is built once a size."""
    built: list[tuple[str, int]] = []
    build = TimmBackbone.__init__

    @functools.wraps(build)
    def counted(self: TimmBackbone, image_size: int, **settings: Any) -> None:
        built.append((settings["model"], image_size))
        build(self, image_size, **settings)

    monkeypatch.setattr(TimmBackbone, "__init__", counted)
    gap = {"name": "gap", **load_option("head", "gap")}
    configs = [
        changed(changed(config, "backbone.model", model), "head", head) | {"seed": seed}
        for head in (config["head"], gap)
        for model in ("test_efficientnet", "test_resnet")
        for seed in (0, 1)
    ]
    planned = plan_cells(configs, 0, lambda *_: None)
    assert sorted(built) == [("test_efficientnet", 64), ("test_resnet", 64)]
    costs = [cost for cost, _ in planned]
    assert costs[::2] == costs[1::2]
    assert len(set(costs)) == 4


def test_gpus_are_counted_and_not_touched(config: Config) -> None:
    config["trainer"] |= {"accelerator": "gpu", "precision": "16-mixed"}
    assert found(config, gpus=1) == []
    (problem,) = found(changed(config, "trainer.devices", 4), gpus=2)
    assert all(word in problem for word in ("trainer.devices", "at most 2", "not 4"))
    assert found(changed(config, "trainer.devices", "auto"), gpus=2) == []
    assert not torch.cuda.is_initialized()


@pytest.mark.parametrize(
    ("model", "trainer", "gpus", "words"),
    [
        ("test_resnet", {"accelerator": "gpu", "devices": "auto"}, 2, ""),
        ("test_resnet", {"accelerator": "gpu", "devices": "auto"}, 1, "needs several GPUs, not the 1 that this grid sees"),
        ("test_resnet", {"accelerator": "auto", "devices": 2}, 0, "needs several GPUs, not 2 devices (cpu)"),
        ("test_convnext", {"accelerator": "gpu", "devices": 2}, 2, "no BatchNorm of this model is trained"),
    ],
)
def test_batchnorm_that_cannot_be_synchronised_is_told_before_anything_starts(
    config: Config, model: str, trainer: dict[str, Any], gpus: int, words: str
) -> None:
    config["backbone"]["model"] = model
    config["trainer"] |= {"sync_batchnorm": True, **trainer}
    problems = found(config, gpus=gpus)
    assert len(problems) == bool(words)
    assert all("trainer.sync_batchnorm=true" in problem and words in problem for problem in problems)


def test_images_and_head_are_both_told(config: Config, tmp_path: Path) -> None:
    (tmp_path / "empty" / "train" / "a").mkdir(parents=True)
    config = changed(changed(config, "head.dropout", 2), "dataset.root", str(tmp_path / "empty"))
    problems = found(config)
    assert ["class 'a' has no images" in problem for problem in problems] == [True, False]
    assert ["head.dropout" in problem for problem in problems] == [False, True]


def test_images_that_are_left_out_are_found_once(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All images are decoded for that, by the plan; what it found is kept for the cells."""
    decoded: list[Path] = []

    def counting(path: Path, *rules: Any) -> Any:
        decoded.append(path)
        return open_rgb(path, *rules)

    monkeypatch.setattr(listing, "open_rgb", counting)
    for number, name in enumerate(
        f"{split}/{label}/{at}.png" for split in ("train", "test") for label in "ab" for at in range(5)
    ):
        paint(tmp_path / "d" / name, 0, number)
    for name in ("train/a/0.png", "test/b/3.png"):
        (tmp_path / "d" / name).write_bytes(b"no image")
    config["dataset"] |= {"root": str(tmp_path / "d"), "on_bad_image": "skip"}
    assert cost(config).train_images == 7, "nine, of which two are held out"
    assert len(decoded) == 20
    manifest = build_manifest(config)
    assert len(decoded) == 20 and list(manifest.left_out) == ["train/a/0.png", "test/b/3.png"]


def test_a_copy_that_is_whole_is_no_part(config: Config, tmp_path: Path) -> None:
    node = {"name": "intel", **load_option("dataset", "intel"), "root": str(make_intel(tmp_path / "intel")), "partial": True}
    (problem,) = found(config | {"dataset": node})
    assert "this copy is whole" in problem
    (problem,) = found(config | {"dataset": node | {"root": str(tmp_path)}})
    assert "is no copy of intel" in problem


def test_weights_are_held_against_the_model_without_its_memory(config: Config, tmp_path: Path) -> None:
    """A file that fits passes without a warning; one of another model is refused; timm's own are not asked for."""
    good, other = tmp_path / "good.pth", tmp_path / "other.pth"
    for name, path in (("test_efficientnet", good), ("test_resnet", other)):
        torch.save(TimmBackbone(64, model=name).model.state_dict(), path)
    safe = tmp_path / "good.safetensors"
    save_file(TimmBackbone(64, model="test_efficientnet").model.state_dict(), safe)
    assert found(changed(config, "backbone.weights", str(good))) == []
    assert found(changed(config, "backbone.weights", str(safe))) == []
    (problem,) = found(changed(config, "backbone.weights", str(other)))
    assert "other.pth does not fit test_efficientnet" in problem
    assert found(changed(config, "backbone.weights", "imagenet")) == []


class Numbers(nn.Module):
    """Somebody's backbone, which looks at its weights while it is built: nothing for the meta device."""

    mean, std = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)

    def __init__(self, image_size: int, *, broken: bool = False) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 8, 3, stride=8)
        assert float(self.layer.weight.sum()) != 1e9
        self.feature_shape = FeatureShape(8, image_size // 8, image_size // 8)
        if broken:
            raise KeyError("stem")

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.layer(images)
        return answer


def test_somebody_elses_backbone(config: Config) -> None:
    config["backbone"] = {"name": "numbers", "_target_": f"{__name__}.Numbers"}
    assert cost(config).backbone_parameters == 8 * 3 * 9 + 8
    assert found(changed(config, "backbone.broken", True)) == ["KeyError: 'stem'"]
    (problem,) = found(changed(config, "backbone.broke", True))
    assert problem.startswith("no key of backbone is called 'broke'. Did you mean broken?")
