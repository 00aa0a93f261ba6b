"""The experiments of the paper: every cell composes, passes the plan, and has the head parameters of paper.md."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hydra.core.hydra_config import HydraConfig

import wisesr.report
from tests.support.configs import composed
from tests.support.copies import make_intel, make_mit, make_sub_imagenet
from wisesr.config.check import check
from wisesr.config.options import options
from wisesr.grid.planning.cell_planner import CellPlanner

RUNS: dict[str, tuple[Callable[[Path], Path], str, str, int, int, int, int, dict[str, int]]] = {
    # copy, dataset, backbone, size, batch, epochs, optimizer steps, head parameters (all of paper.md)
    "paper_sub_imagenet": (
        make_sub_imagenet,
        "sub_imagenet",
        "resnet50",
        224,
        70,
        148,
        148 * 450,
        {
            "gap": 143_430,
            "gap_dropout": 143_430,
            "depthwise": 245_830,
            "depthwise_nonneg": 245_830,
            "wise": 163_910,
            "wise_dropout": 163_910,
        },
    ),
    "paper_intel": (
        make_intel,
        "intel",
        "densenet169",
        224,
        70,
        220,
        220 * 201,
        {"gap": 9_990, "depthwise_nonneg": 93_190, "wise": 26_630},
    ),
    "paper_mit_224": (
        make_mit,
        "mit_indoor",
        "xception",
        224,
        70,
        200,
        200 * 77,
        {"gap": 137_283, "gap_dropout": 137_283, "depthwise_nonneg": 239_683, "wise": 157_763, "wise_dropout": 157_763},
    ),
    "paper_mit_512": (
        make_mit,
        "mit_indoor",
        "xception",
        512,
        15,
        130,
        130 * 358,
        {"gap": 137_283, "flatten": 3_430_467, "wise": 190_531},
    ),
}


PAPER = {
    "augment": {
        "_target_": "wisesr.data.keras_pipeline.KerasPipeline",
        "resize": "nearest",
        "centre": "1.1.2",
        "rotation": 360.0,
        "shift": 0.1,
        "zoom": [0.8, 1.2],
        "channel_shift": 50.0,
        "horizontal_flip": 0.5,
        "vertical_flip": 0.5,
        "contrast_stretch": True,
        "brightness": [0.0, 1.2],
        "normalization": "caffe",
    },
    "optimizer": {
        "_target_": "wisesr.training.optimizers.sgd",
        "lr": 0.045,
        "momentum": 0.9,
        "weight_decay": 0.0,
        "lr_in_velocity": True,
    },
    "schedule": {"_target_": "wisesr.training.schedules.staircase", "factor": 0.94, "epochs": 2},
    "conventions": {"init": "keras", "batch_norm": "keras", "structure": "keras"},
    "nothing else": {"label_smoothing": 0, "class_weights": "none", "head_lr_scale": 1, "mixup": 0, "cutmix": 0, "ema": None},
}
"""Of every cell of the paper's tables, as paper.md has it."""


def cells(experiment: str, *overrides: str) -> Iterator[dict[str, Any]]:
    """The cells of an experiment, as its sweep makes them."""
    composed(f"experiment={experiment}", *overrides)
    hydra = HydraConfig.get()
    assert hydra.mode is not None
    assert hydra.mode.name == "MULTIRUN"
    swept = {key: str(values).split(",") for key, values in hydra.sweeper.params.items()}
    for values in product(*swept.values()):
        chosen = [f"{key}={value}" for key, value in zip(swept, values, strict=True)]
        yield composed(f"experiment={experiment}", *overrides, *chosen)


@pytest.mark.parametrize("experiment", RUNS)
def test_every_cell_of_a_table_passes_its_pre_checks(experiment: str, tmp_path: Path) -> None:
    make, dataset, backbone, size, batch, epochs, steps, heads = RUNS[experiment]
    planner = CellPlanner(gpus=0)
    found = {}
    for config in cells(experiment, f"dataset.root={make(tmp_path) if not found else tmp_path}", "trainer=cpu"):
        assert check(config) == []
        assert config["protocol"] == "paper"
        assert (config["dataset"]["name"], config["backbone"]["name"]) == (dataset, backbone)
        recipe = config["recipe"]
        assert (config["resolution"]["size"], recipe["batch_size"], recipe["epochs"]) == (size, batch, epochs)
        assert config["augment"] == PAPER["augment"]
        assert (recipe["optimizer"], recipe["schedule"]) == (PAPER["optimizer"], PAPER["schedule"])
        assert {**PAPER["conventions"], **PAPER["nothing else"]}.items() <= recipe.items()
        assert config["backbone"]["weights"] == ("imagenet" if size == 512 else None)
        cost, problems = planner.plan_cell(config)
        assert problems == []
        assert cost is not None
        assert cost.steps == steps
        found[config["head"]["name"]] = cost.head_parameters
    assert found == heads


@pytest.mark.parametrize("partial", ["true", "false"])
def test_a_partial_copy_is_called_so(partial: str) -> None:
    (config, *_) = cells("paper_intel", f"dataset.partial={partial}")
    assert config["dataset"]["name"] == ("intel-partial" if partial == "true" else "intel")
    assert config["recipe"]["epochs"] == 220


def test_the_rate_is_swept_within_each_head_and_chosen_on_held_out_images() -> None:
    configs = list(cells("lr_by_head"))
    assert {config["protocol"] for config in configs} == {"holdout"}
    pairs = [(config["head"]["name"], config["recipe"]["optimizer"]["lr"]) for config in configs]
    assert len(set(pairs)) == len(pairs) == 24


def test_there_is_an_empty_place_for_every_figure_of_the_paper() -> None:
    """None may be filled in here: the tables could not be read."""
    path = Path(wisesr.report.__file__).parent / "published.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    wanted = {(run[1], str(run[3]), run[2], head) for run in RUNS.values() for head in run[-1]}
    assert {(row["dataset"], row["resolution"], row["backbone"], row["head"]) for row in rows} == wanted
    assert not any(row["top1"] or row["table"] for row in rows)


def test_all_experiments_are_looked_at() -> None:
    assert set(options("experiment")) == {*RUNS, "lr_by_head", "digits_heads"}
