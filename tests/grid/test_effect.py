"""What a grid can find, as it is told before it starts: from assumptions, and from the pairs of it that are finished."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.configs import change as changed
from tests.support.studies import cell_config, write_cell
from wisesr.config.options import load_option
from wisesr.grid.advice.advice import advice
from wisesr.grid.advice.effect import LASTING, TRAININGS, UNLIKE
from wisesr.grid.cell_dirs import make_cells
from wisesr.grid.planning.cost import Cost
from wisesr.grid.planning.plan import Plan
from wisesr.results.predictions import read_predictions
from wisesr.statistics.foresight import Design, Spread, detectable
from wisesr.types import FeatureShape

Config = dict[str, Any]
COST = Cost(
    backbone_parameters=1,
    head_parameters=1,
    flops=1,
    train_flops=3,
    feature_map=FeatureShape(8, 4, 4),
    train_images=1169,
    measured_images=130,
    test_images=324,
    val_images=130,
    test_split="a",
    steps=10,
    disk=1,
    partial=0,
)
RATE = "recipe.optimizer.lr"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "outputs"


def grid(root: Path, heads: Sequence[str], seeds: int, **changes: Any) -> list[Config]:
    """Every head at every seed; replicates where `replicate` is given, whatever its value."""
    replicates = changes.pop("replicate", None) is not None
    own = [{"replicate": seed, "dataset.split_seed": seed} if replicates else {} for seed in range(seeds)]
    return [
        cell_config(root, head=head, seed=seed, changes={**changes, **own[seed]}) for head in heads for seed in range(seeds)
    ]


def told(configs: Sequence[Config], *, own_tests: bool = False) -> str | None:
    """Of a grid whose cells are planned, but for those that are done."""
    cells = make_cells(configs)
    waiting = [cell for cell in cells if cell.read_record() is None]
    costs = [COST._replace(test_split=f"{cell.config['seed']}" if own_tests else "a") for cell in waiting]
    return advice(cells, waiting, Plan([], costs)).effect


def text(design: Design, share: float, trainings: float = TRAININGS) -> str:
    found = detectable(design, Spread(share, LASTING, trainings))
    return "none" if found is None else f"{found:.1f}"


@pytest.mark.parametrize("own_tests", [False, True])
def test_the_figures_are_those_of_the_reports_tests(root: Path, own_tests: bool) -> None:
    sentence = told(grid(root, ["gap", "wise", "gem"], 5, replicate=own_tests or None), own_tests=own_tests)
    assert sentence is not None
    design = Design(5, 324, 2, 324 / 1299 if own_tests else None)
    first, *others = (text(design, share) for share in UNLIKE)
    assert f"a true difference to gap of {first} points of top-1 (Holm over 2 comparisons), if heads disagree" in sentence
    assert [found for found in others if found != "none"] == re.findall(r"([\d.]+) at \d+ %", sentence)
    never = [f"{100 * share:g} %" for share, found in zip(UNLIKE[1:], others, strict=True) if found == "none"]
    assert bool(never) == (f"; none at {', '.join(never)}, as no difference is larger than the share itself)" in sentence)
    assert ("with 5 replicates and 324 test images each" if own_tests else "with 5 seeds and 324 test images,") in sentence


def test_rates_are_no_comparisons_of_their_own(root: Path) -> None:
    """And heads at rates that are chosen differ by what was chosen, too."""
    cells = grid(root, ["gap", "wise"], 5)
    swept = [changed(config, RATE, rate) for config in cells for rate in (0.001, 0.01)]
    one, several = told(cells), told(swept)
    assert one is not None
    assert several is not None
    assert "Holm" not in one + several
    fixed, chosen = (float(re.findall(r"difference to gap of ([\d.]+)", text)[0]) for text in (one, several))
    assert fixed < chosen


@pytest.mark.parametrize("heads", [["wise", "gem"], ["gap"]])
def test_without_a_comparison_there_is_nothing_to_find(root: Path, heads: list[str]) -> None:
    assert told(grid(root, heads, 5)) is None


def test_two_repetitions_test_nothing(root: Path) -> None:
    assert told(grid(root, ["gap", "wise"], 2)) is None


def test_finished_pairs_say_on_how_many_images_heads_are_unlike(root: Path) -> None:
    configs = grid(root, ["gap", "wise"], 6)
    directories = {}
    for config in configs:
        if config["seed"] < 5:
            name, seed = config["head"]["name"], config["seed"]
            directories[name, seed] = write_cell(
                config, top1=0.8 + 0.02 * (name == "wise") + 0.01 * seed, images=200, draw=len(name)
            )
    sentence = told(configs)
    assert sentence is not None
    right = {key: found.right for key, directory in directories.items() if (found := read_predictions(directory)) is not None}
    unlike = 100 * np.mean([np.mean(right["gap", seed] != right["wise", seed]) for seed in range(5)])
    assert f"in 5 finished pairs heads disagree, one right and one wrong, on {unlike:.2g} % of images" in sentence
    assert "assumed" not in sentence


def test_few_pairs_leave_what_trainings_vary_by_assumed(root: Path) -> None:
    configs = grid(root, ["gap", "wise"], 5)
    for config in configs:
        if config["seed"] < 3:
            write_cell(config, top1=0.8 + 0.05 * (config["head"]["name"] == "wise"), images=200)
    sentence = told(configs)
    assert sentence is not None
    assert "in 3 finished pairs heads" in sentence
    assert f"by {TRAININGS:.1f} points (assumed)" in sentence


def test_the_head_nodes_are_options(root: Path) -> None:
    """`cell_config` knows the heads that these tests ask for: another name would be gap under it."""
    assert {load_option("head", head)["_target_"] for head in ("gap", "wise", "gem")} == {
        cell_config(root, head=head)["head"]["_target_"] for head in ("gap", "wise", "gem")
    }
