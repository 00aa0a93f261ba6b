"""The experiments on size and on the number of classes: every cell passes the plan, and all but one thing is equal."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from tests.support.configs import change, composed
from tests.support.copies import make_mit
from wisesr.build.data import build_manifest
from wisesr.config.check import check
from wisesr.config.equal_steps import equal_steps
from wisesr.config.identity import computation, remove
from wisesr.grid.planning.cell_planner import CellPlanner

CLASSES, SIZES, HEADS = (10, 20, 40, 67), (112, 224, 448), ("gap", "gap_scale", "wise")
SMALL = {
    "experiment=classes": (
        "dataset=layouts resolution=64 backbone=resnet18 recipe=quick recipe.epochs=6 augment=none",
        {"dataset.classes": "6,12,24"},
    ),
    "experiment=size": (
        "dataset=layouts backbone=resnet18 recipe=quick recipe.epochs=6 augment=none",
        {"resolution.size": "64,96,128"},
    ),
}
"""Of the headers: what is chosen, and what is swept in place of the experiment's own."""


def cells(experiment: str, *overrides: str, **swept: str) -> Iterator[dict[str, Any]]:
    composed(experiment, *overrides)
    hydra = HydraConfig.get()
    assert hydra.mode is not None
    assert hydra.mode.name == "MULTIRUN"
    assert hydra.sweeper.params["head"] == ",".join(HEADS)
    assert hydra.sweeper.params["seed"] == "0,1,2", "of fewer no claim has an error"
    axes = {key: str(values).split(",") for key, values in {**hydra.sweeper.params, "seed": "0", **swept}.items()}
    for values in product(*axes.values()):
        chosen = [f"{key}={value}" for key, value in zip(axes, values, strict=True)]
        yield composed(experiment, *overrides, *chosen)


@pytest.fixture(scope="module")
def mit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_mit(tmp_path_factory.mktemp("mit"))


def alike_but_for(configs: list[dict[str, Any]], *keys: str) -> bool:
    """Whether cells of one head are one computation but for some keys."""
    found: dict[str, list[dict[str, Any]]] = {}
    for config in configs:
        left = computation(config)
        remove(left, keys)
        found.setdefault(config["head"]["name"], []).append(left)
    return all(each == group[0] for group in found.values() for each in group)


@pytest.mark.slow
def test_the_number_of_classes_is_all_that_differs_and_training_is_as_long(mit: Path) -> None:
    configs = list(cells("experiment=classes", f"dataset.root={mit}", "trainer=cpu"))
    assert [(config["dataset"]["classes"], config["head"]["name"]) for config in configs] == list(product(CLASSES, HEADS))
    assert {config["protocol"] for config in configs} == {"holdout"}
    assert all(check(config) == [] for config in configs)
    assert alike_but_for(configs, "dataset.classes", "recipe.epochs")
    planner, steps, images = CellPlanner(gpus=0), [], []
    for config in configs:
        cost, problems = planner.plan_cell(config)
        assert problems == []
        assert cost is not None
        if config["head"]["name"] != "wise":
            continue
        assert cost.head_parameters == 2048 * (config["dataset"]["classes"] + 9 + 1) + config["dataset"]["classes"]
        steps.append(cost.steps)
        images.append(cost.train_images * config["recipe"]["epochs"])
    assert len(steps) == len(CLASSES)
    assert max(images) < 1.01 * min(images)
    assert max(steps) < 1.06 * min(steps)


def test_subsets_of_the_paper_s_classes_are_nested_and_the_same_for_all_cells(mit: Path) -> None:
    config = composed("experiment=classes", f"dataset.root={mit}", "head=wise")
    kept = [
        [
            set(
                build_manifest(
                    change(change({**config, "seed": seed}, "dataset.classes", count), "dataset.split_seed", split)
                ).class_names
            )
            for count in CLASSES
        ]
        for seed, split in ((0, 0), (1, 3))
    ]
    assert kept[0] == kept[1]
    assert all(few < more for few, more in zip(kept[0], kept[0][1:], strict=False))


@pytest.mark.slow
def test_size_is_all_that_differs(mit: Path) -> None:
    configs = list(cells("experiment=size", f"dataset.root={mit}", "trainer=cpu"))
    assert [(config["resolution"]["size"], config["head"]["name"]) for config in configs] == list(product(SIZES, HEADS))
    assert all(check(config) == [] for config in configs)
    assert alike_but_for(configs, "resolution.size")
    assert {(c["recipe"]["batch_size"], c["recipe"]["epochs"], c["backbone"]["weights"]) for c in configs} == {(15, 200, None)}
    planner, maps = CellPlanner(gpus=0), []
    for config in configs:
        cost, problems = planner.plan_cell(config)
        assert problems == []
        assert cost is not None
        assert cost.steps == 200 * 322
        maps.append(cost.feature_map.height)
    assert maps == [4] * 3 + [7] * 3 + [14] * 3


@pytest.mark.parametrize("experiment", SMALL)
def test_the_small_ones_of_the_headers_pass(experiment: str) -> None:
    overrides, swept = SMALL[experiment]
    planner = CellPlanner(gpus=0)
    configs = list(cells(experiment, *overrides.split(), "trainer=cpu", **swept, head="wise"))
    assert all(check(config) == [] for config in configs)
    costs = [planner.plan_cell(config) for config in configs]
    assert [problems for _, problems in costs] == [[], [], []]
    assert len({cost.steps for cost, _ in costs if cost is not None}) == 1


def test_a_folder_of_one_s_own_passes(mit: Path) -> None:
    own = [
        "dataset=folder",
        f"dataset.root={mit}/indoorCVPR_09/Images",
        "recipe.epochs=${equal_steps:30,20}",
    ]
    configs = list(cells("experiment=classes", *own, **{"dataset.classes": "5,10,20", "head": "gap"}))
    assert [config["recipe"]["epochs"] for config in configs] == [120, 60, 30]
    assert all(check(config) == [] for config in configs)
    assert len(build_manifest(configs[0]).class_names) == 5


def test_epochs_of_equally_many_steps() -> None:
    def epochs(of: object, classes: object, all_of_them: object = 67) -> object:
        return equal_steps(of, all_of_them, OmegaConf.create({"dataset": {"classes": classes}}))

    assert [epochs(200, count) for count in (10, 20, 40, 67, None)] == [1340, 670, 335, 200, 200]
    assert epochs(1, 100, 2) == 1
    assert [epochs(wrong, 10) for wrong in ("ten", True, -1)] == ["ten", True, -1]
    assert epochs(200, "ten") == 200
