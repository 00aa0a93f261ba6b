"""Configurations as cells on disk: nothing that is no cell is ever written over."""

from __future__ import annotations

import copy
import time
from typing import Any

import pytest
import yaml

from wisesr.config.identity import cell_dir
from wisesr.errors import UserError
from wisesr.grid.cell_dirs import Cell, check_cells, write_cell
from wisesr.grid.cell_process import outcome
from wisesr.grid.results_table import CellOutcome, clock, next_step
from wisesr.results.status_file import write_status


def made(config: dict[str, Any]) -> Cell:
    (cell,) = check_cells([config])
    write_cell(cell)
    return cell


def test_the_same_configuration_twice_is_one_cell(config: dict[str, Any]) -> None:
    assert len(check_cells([config, copy.deepcopy(config), config | {"seed": 1}])) == 2


def test_a_cell_is_written_and_brought_up_to_date(config: dict[str, Any]) -> None:
    cell = made(config)
    assert yaml.safe_load((cell.directory / "config.yaml").read_text()) == config
    config["dataset"]["workers"] = 3
    made(config)
    assert yaml.safe_load((cell.directory / "config.yaml").read_text())["dataset"]["workers"] == 3


def test_a_directory_that_is_no_cell(config: dict[str, Any]) -> None:
    directory = cell_dir(config)
    directory.mkdir(parents=True)
    (directory / "thesis.tex").write_text("precious")
    with pytest.raises(UserError, match="is in the way: it holds files, but no config.yaml"):
        check_cells([config])
    assert [path.name for path in directory.iterdir()] == ["thesis.tex"]


def test_an_edited_cell(config: dict[str, Any]) -> None:
    cell = made(config)
    edited = (cell.directory / "config.yaml").read_text().replace("epochs: 3", "epochs: 30")
    (cell.directory / "config.yaml").write_text(edited)
    with pytest.raises(UserError, match="was edited"):
        check_cells([config])


def test_nothing_is_written_when_one_of_many_is_wrong(config: dict[str, Any]) -> None:
    wrong = config | {"protocol": "x"}
    with pytest.raises(UserError, match="nothing was started"):
        check_cells([config, wrong])
    assert not cell_dir(config).exists()


def test_how_processes_end(config: dict[str, Any]) -> None:
    cell = made(config)
    assert outcome(cell.directory, 0) == ("done", "")
    assert outcome(cell.directory, -9) == (
        "failed",
        "killed by SIGKILL (out of memory?); the same command continues from the last finished epoch",
    )
    assert outcome(cell.directory, 75)[0] == "busy"
    assert outcome(cell.directory, 3) == ("failed", "ended with exit code 3")
    write_status(cell.directory, state="failed", reason="the disk is full", told=True)
    assert outcome(cell.directory, 1, since=time.time() - 60) == ("failed", "the disk is full")
    assert (
        outcome(cell.directory, -9, since=time.time() + 60)[1]
        == "killed by SIGKILL (out of memory?); the same command continues from the last finished epoch"
    ), "an earlier reason"


@pytest.mark.parametrize(("seconds", "text"), [(5, "0:05"), (65, "1:05"), (3725, "1:02:05")])
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def _next(config: dict[str, Any], states: list[str], **changes: list[str]) -> str:
    """After a grid with a seed for each state, and each of these keys as given for it."""
    names = [{key: values[seed] for key, values in changes.items()} for seed in range(len(states))]
    cells = check_cells([config | {"seed": seed} | its for seed, its in enumerate(names)])
    return next_step([CellOutcome(cell, state) for cell, state in zip(cells, states, strict=True)])


def test_after_a_grid_the_next_step_is_named(config: dict[str, Any]) -> None:
    config |= {"output_dir": "outputs", "study": "mine"}
    assert _next(config, ["done", "failed"]) == _next(config, ["skipped", "skipped"]) == "Next: wisesr report outputs/mine"
    assert _next(config, ["done"]) == _next(config, ["failed", "busy"]) == ""
    assert _next(config, ["done", "done"], study=["mine", "other"]) == "Next: wisesr report outputs"
    assert _next(config, ["done", "done"], output_dir=["a b", "b"]) == "Next: wisesr report 'a b' b"
