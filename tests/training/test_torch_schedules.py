"""Schedulers of torch as schedules, against the schedulers themselves on the recipe's optimizer."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.optim import SGD, AdamW, lr_scheduler

from tests.support.configs import change
from tests.support.training import plain, trained
from wisesr.build.parts import build_schedule
from wisesr.grid.planning.planner import plan_cells
from wisesr.types import Steps

STEPS = Steps(100, 16, 6)
EACH, TOTAL = 7, 42
Settings = dict[str, Any]

SCHEDULERS: list[tuple[str, Settings]] = [
    ("StepLR", {"step_size": 2, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [1, 4], "gamma": 0.1}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("CosineAnnealingLR", {"T_max": 6, "eta_min": 0.001}),
    ("CosineAnnealingWarmRestarts", {"T_0": 2}),
    ("LinearLR", {"start_factor": 0.1, "total_iters": 3}),
    ("PolynomialLR", {"total_iters": 6, "power": 2.0}),
    ("OneCycleLR", {"max_lr": 0.3, "total_steps": 6, "cycle_momentum": False}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 2, "cycle_momentum": False}),
]


def recipe(name: str, settings: Settings, optimizer: str = "torch.optim.SGD") -> dict[str, Any]:
    schedule = {"_target_": f"torch.optim.lr_scheduler.{name}"} | settings
    return {"optimizer": {"_target_": optimizer, "lr": 0.05}, "schedule": schedule}


def rates_of(name: str, settings: Settings, count: int) -> list[float]:
    """Of the scheduler itself, stepped as its documentation has it."""
    optimizer = SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.05)
    scheduler = getattr(lr_scheduler, name)(optimizer, **settings)
    rates = []
    for _ in range(count):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize(("name", "settings"), SCHEDULERS)
def test_settings_count_epochs(name: str, settings: Settings) -> None:
    factor = build_schedule(recipe(name, settings), STEPS)
    expected = [rate for rate in rates_of(name, settings, 6) for _ in range(EACH)]
    assert [0.05 * factor(step) for step in range(TOTAL)] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("name", "settings"), SCHEDULERS)
def test_settings_count_steps(name: str, settings: Settings) -> None:
    settings = settings | ({"total_steps": TOTAL} if name == "OneCycleLR" else {})
    factor = build_schedule(recipe(name, settings | {"interval": "step"}), STEPS)
    assert [0.05 * factor(step) for step in range(TOTAL)] == pytest.approx(rates_of(name, settings, TOTAL), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("ReduceLROnPlateau", {}, ("ReduceLROnPlateau needs metrics at each step; it must be", "docs/extending.md")),
        ("OneCycleLR", {"max_lr": 0.3, "total_steps": 6}, ("momentum", "cycle_momentum=false")),
        (
            "OneCycleLR",
            {"max_lr": 0.3, "total_steps": 3, "cycle_momentum": False},
            ("counted in epochs", "number of total steps is 3"),
        ),
        ("StepLR", {"step_size": 2, "interval": "batch"}, ("interval must be one of epoch, step, not 'batch'",)),
        ("StepLR", {}, ("StepLR", "step_size")),
        ("StepLR", {"step_sise": 2}, ("no key of recipe.schedule is called 'step_sise'", "step_size")),
        ("LambdaLR", {"lr_lambda": "epoch"}, ("LambdaLR",)),
    ],
)
def test_refusals(config: dict[str, Any], name: str, settings: Settings, words: tuple[str, ...]) -> None:
    config["recipe"] |= {"schedule": recipe(name, settings)["schedule"]}
    config["recipe"]["epochs"] = 6
    ((_, (problem,)),) = plan_cells([config], 0, lambda *_: None)
    assert problem.startswith(("recipe.schedule", "no key of recipe.schedule"))
    for word in words:
        assert word in problem


def test_the_rate_is_the_recipes_optimizers() -> None:
    """Rates of its own are related to it, whichever it is and wherever its rate stands."""
    one_cycle = {"max_lr": 0.3, "total_steps": 6, "cycle_momentum": False}
    node = recipe("OneCycleLR", one_cycle)
    del node["optimizer"]["lr"]
    node["optimizer"]["_target_"] = "torch.optim.AdamW"
    default = AdamW([torch.nn.Parameter(torch.zeros(1))]).param_groups[0]["lr"]
    assert default * build_schedule(node, STEPS)(0) == pytest.approx(0.3 / 25)


def test_a_cell_trains_by_it(config: dict[str, Any], tmp_path: Path) -> None:
    """The same weights, to the bit, as by a schedule of wisesr's that has the same factors; and the planner lets it pass."""
    config = plain(config)
    step = {"_target_": "torch.optim.lr_scheduler.StepLR", "step_size": 1, "gamma": 0.5}
    ours = {"_target_": "wisesr.training.schedules.staircase", "factor": 0.5, "epochs": 1}
    config["recipe"]["batch_size"] = 27  # 54 images: of two batches both count whole
    stepped, fallen = (change(config, "recipe.schedule", node) for node in (step, ours))
    assert plan_cells([stepped], 0, lambda *_: None)[0][1] == []
    first, second = trained(stepped, tmp_path / "a"), trained(fallen, tmp_path / "b")

    assert all(map(torch.equal, first.state_dict().values(), second.state_dict().values()))
    assert math.isfinite(first.figures["train/loss"])
