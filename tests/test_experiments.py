"""The experiments of the paper: every cell composes, passes the plan, and has the head parameters of paper.md."""

from __future__ import annotations

import csv
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hydra.core.hydra_config import HydraConfig

import wisesr.report
from tests.support.configs import change, composed
from tests.support.copies import make_intel, make_mit, make_sub_imagenet
from tests.support.paths import ROOT
from wisesr.config.check import check
from wisesr.config.options import options
from wisesr.grid.planning.cell_planner import CellPlanner

RUNS: dict[str, tuple[str, str, int, int, int, int, dict[str, int]]] = {
    # dataset, backbone, size, batch, epochs, optimizer steps, head parameters (all of paper.md)
    "paper_sub_imagenet": (
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
        "intel",
        "densenet169",
        224,
        70,
        220,
        220 * 201,
        {"gap": 9_990, "depthwise_nonneg": 93_190, "wise": 26_630},
    ),
    "paper_mit_224": (
        "mit_indoor",
        "xception",
        224,
        70,
        200,
        200 * 77,
        {"gap": 137_283, "gap_dropout": 137_283, "depthwise_nonneg": 239_683, "wise": 157_763, "wise_dropout": 157_763},
    ),
    "paper_mit_512": (
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


@pytest.fixture(scope="module")
def root_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a dataset of the paper, made once."""

    @cache
    def made(dataset: str) -> Path:
        make = {"intel": make_intel, "sub_imagenet": make_sub_imagenet, "mit_indoor": make_mit}[dataset]
        return make(tmp_path_factory.mktemp("copies") / dataset)

    return made


@pytest.mark.parametrize(
    "experiment", [pytest.param(name, marks=[pytest.mark.slow] * (len(RUNS[name][-1]) > 5)) for name in RUNS]
)
def test_every_cell_of_a_table_passes_its_pre_checks(experiment: str, root_of: Callable[[str], Path]) -> None:
    dataset, backbone, size, batch, epochs, steps, heads = RUNS[experiment]
    planner = CellPlanner(gpus=0)
    found = {}
    for config in cells(experiment, f"dataset.root={root_of(dataset)}", "trainer=cpu"):
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


FULL = {
    "dataset": {"intel": (6, 220), "sub_imagenet": (70, 148), "mit_indoor": (67, 200)},
    "resolution": {224: None, 512: None},
    "backbone": {
        # channels, positions a side at 224 and at 512
        "resnet50": (2048, 7, 16),
        "densenet169": (1664, 7, 16),
        "xception": (2048, 7, 16),
        "inception_v3": (2048, 5, 14),
    },
    "head": dict.fromkeys(RUNS["paper_sub_imagenet"][-1]),
}
"""The axes of paper_full: classes and epochs of each dataset, maps of each backbone, as paper.md has them."""


def full_head(name: str, classes: int, channels: int, side: int) -> int:
    """Parameters of a head: a linear layer, and a kernel with its offset for each channel."""
    window = 1 if side <= 4 else 2 if side <= 10 else 3
    positions = {"gap": 0, "depthwise": side**2, "wise": (side // window) ** 2}[name.partition("_")[0]]
    return channels * classes + classes + channels * (positions + bool(positions))


def look_at_full(config: Mapping[str, Any], planner: CellPlanner) -> tuple[str, ...]:
    """A cell of paper_full, held against its axes; what names it."""
    dataset, backbone, head = (config[group]["name"] for group in ("dataset", "backbone", "head"))
    size, recipe = config["resolution"]["size"], config["recipe"]
    classes, epochs = FULL["dataset"][dataset]
    channels, *sides = FULL["backbone"][backbone]
    side = sides[size == 512]
    cost, problems = planner.plan_cell(dict(config))
    assert problems == []
    assert cost is not None
    assert cost.feature_map == (channels, side, side)
    assert cost.head_parameters == full_head(head, classes, channels, side)
    assert (recipe["batch_size"], recipe["epochs"]) == (15, epochs)
    assert cost.steps == epochs * -(-cost.train_images // 15)
    return dataset, str(size), backbone, head


def without_size(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key not in ("resolution", "grid")}


def test_the_full_grid_has_three_families_on_three_datasets_at_two_sizes() -> None:
    """A pair of each dataset, which differs in size alone; the rest of its 144 cells is of `test-slow`."""
    composed("experiment=paper_full")
    swept = HydraConfig.get().sweeper.params
    assert {key: str(values).split(",") for key, values in swept.items()} == {
        key: [str(value) for value in values] for key, values in FULL.items()
    }
    for dataset, (_, epochs) in FULL["dataset"].items():
        words = ("experiment=paper_full", f"dataset={dataset}", "head=wise", "backbone=inception_v3")
        small, large = composed(*words, "resolution=224"), composed(*words, "resolution=512")
        assert [config["resolution"]["size"] for config in (small, large)] == [224, 512]
        assert without_size(small) == without_size(large)
        assert (small["recipe"]["epochs"], small["recipe"]["batch_size"]) == (epochs, 15)
        assert (small["backbone"]["weights"], small["protocol"]) == (None, "holdout")
        assert small["dataset"]["root"] == str(Path.cwd() / "data" / dataset)


@pytest.mark.slow
def test_every_cell_of_the_full_grid_passes_its_pre_checks(root_of: Callable[[str], Path]) -> None:
    planner, found, pairs = CellPlanner(gpus=0), [], {}
    for dataset in FULL["dataset"]:
        axes = [[dataset], *(list(FULL[key]) for key in ("backbone", "resolution", "head"))]
        for _, backbone, size, head in product(*axes):
            words = (f"dataset={dataset}", f"backbone={backbone}", f"head={head}", f"resolution={size}")
            config = composed("experiment=paper_full", *words, f"dataset.root={root_of(dataset)}", "trainer=cpu", "logger=none")
            assert check(config) == []
            assert config["augment"] == PAPER["augment"]
            assert (config["recipe"]["optimizer"], config["recipe"]["schedule"]) == (PAPER["optimizer"], PAPER["schedule"])
            assert {**PAPER["conventions"], **PAPER["nothing else"]}.items() <= config["recipe"].items()
            found.append(look_at_full(config, planner))
            assert pairs.setdefault((dataset, backbone, head), without_size(config)) == without_size(config)
    assert len(set(found)) == len(found) == 144


def test_make_runs_the_full_grid_with_arguments() -> None:
    command = ["make", "--no-print-directory", "-n", "paper-full", "ARGS=seed=0,1,2 grid.plan=true"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.splitlines()[-1].endswith("train.py experiment=paper_full seed=0,1,2 grid.plan=true")


@pytest.mark.parametrize("partial", ["true", "false"])
def test_a_partial_copy_is_called_so(partial: str) -> None:
    (config, *_) = cells("paper_intel", f"dataset.partial={partial}")
    assert config["dataset"]["name"] == ("intel-partial" if partial == "true" else "intel")
    assert config["recipe"]["epochs"] == 220


def test_the_rate_is_swept_within_each_head_and_chosen_on_held_out_images() -> None:
    config = composed("experiment=lr_by_head")
    assert check(change(config, "dataset.root", str(ROOT))) == []
    assert config["protocol"] == "holdout"
    swept = {key: str(values).split(",") for key, values in HydraConfig.get().sweeper.params.items()}
    assert set(swept) == {"head", "recipe.optimizer.lr"}, "each head is tried at the same rates as another"
    assert len(set(swept["head"])) == 4
    assert len({float(rate) for rate in swept["recipe.optimizer.lr"]}) == 6


def test_there_is_an_empty_place_for_every_figure_of_the_paper() -> None:
    """None may be filled in here: the tables could not be read."""
    path = Path(wisesr.report.__file__).parent / "published.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    wanted = {(run[0], str(run[2]), run[1], head) for run in RUNS.values() for head in run[-1]}
    assert {(row["dataset"], row["resolution"], row["backbone"], row["head"]) for row in rows} == wanted
    assert not any(row["top1"] or row["table"] for row in rows)


HERE = {*RUNS, "paper_full", "lr_by_head"}
"""What this file looks at; of the others, some file composes each by `experiment=NAME`."""


def test_all_experiments_are_looked_at() -> None:
    assert set(options("experiment")) >= HERE
    texts = [path.read_text() for path in (ROOT / "tests").rglob("test_*.py")]
    for name in set(options("experiment")) - HERE:
        assert any(re.search(rf"experiment={name}\b", text) for text in texts), f"no test composes experiment={name}"
