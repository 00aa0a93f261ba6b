"""Which schedules end at zero, against the schedules themselves."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from tests.support.studies import cell_config, write_cell
from wisesr.report.read import read_study
from wisesr.report.schedule_end import AT_ZERO, schedule_sentences
from wisesr.training import schedules
from wisesr.types import Steps

SETTINGS: dict[str, dict[str, Any]] = {"cosine": {"warmup": 0.1}, "staircase": {"factor": 0.94, "epochs": 2}}
"""Of each schedule, as the recipes have them."""


def public_schedules() -> list[str]:
    functions = inspect.getmembers(schedules, inspect.isfunction)
    return [name for name, function in functions if function.__module__ == schedules.__name__ and not name.startswith("_")]


@pytest.mark.parametrize("name", public_schedules())
def test_a_schedule_is_listed_if_it_ends_at_zero(name: str) -> None:
    steps = Steps(train_images=320, batch_size=32, epochs=100)
    factor = getattr(schedules, name)(steps, **SETTINGS[name])
    rates = [factor(step) for step in range(steps.total + 1)]
    ends_at_zero = rates[-1] < 1e-9 * max(rates)
    assert (f"{schedules.__name__}.{name}" in AT_ZERO) is ends_at_zero


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ({"_target_": "wisesr.training.schedules.cosine", "warmup": 0.2}, "The learning rate ends at zero after 7 epochs: "),
        ({"_target_": "wisesr.training.schedules.staircase", "factor": 0.94, "epochs": 2}, ""),
    ],
)
def test_what_is_said_of_a_cell(schedule: dict[str, Any], said: str, tmp_path: Path) -> None:
    for seed in range(2):
        write_cell(cell_config(tmp_path, seed=seed, epochs=7, changes={"recipe.schedule": schedule}))
    found = schedule_sentences(read_study([tmp_path]).cells)
    assert len(found) == bool(said)
    assert all(text.startswith(said) and text.endswith("by the schedule as much as by the head.") for text in found)


def test_nothing_is_said_of_schedules_that_are_not_known(tmp_path: Path) -> None:
    write_cell(cell_config(tmp_path))
    (cell,) = read_study([tmp_path]).cells
    foreign = {**cell.config, "recipe": {**cell.config["recipe"], "schedule": {"_target_": "mine.poly"}}}
    assert schedule_sentences([cell._replace(config=foreign)]) == ()
