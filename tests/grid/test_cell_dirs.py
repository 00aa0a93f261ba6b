"""Configurations as cells on disk: nothing that is no cell is ever written over."""

from __future__ import annotations

import copy
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from wisesr.config.identity import cell_dir
from wisesr.errors import UserError
from wisesr.grid.cell_dirs import Cell, check_cells, write_cell
from wisesr.grid.cell_process import state_after_exit
from wisesr.grid.console import clock
from wisesr.grid.outcome import CellOutcome
from wisesr.grid.results_table import next_step
from wisesr.results.state import State
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


def test_a_file_in_the_way(config: dict[str, Any]) -> None:
    directory = cell_dir(config)
    directory.parent.parent.mkdir(parents=True)
    directory.parent.write_text("precious")
    with pytest.raises(UserError, match="is a file where a directory should go"):
        check_cells([config])
    assert directory.parent.read_text() == "precious"


def test_nothing_is_written_when_one_of_many_is_wrong(config: dict[str, Any]) -> None:
    wrong = config | {"protocol": "x"}
    with pytest.raises(UserError, match="nothing was started"):
        check_cells([config, wrong])
    assert not cell_dir(config).exists()


def test_how_processes_end(config: dict[str, Any]) -> None:
    directory = made(config).directory
    assert state_after_exit(directory, 0) == (State.DONE, "")
    state, reason = state_after_exit(directory, -9)
    assert state is State.FAILED
    assert all(part in reason for part in ("SIGKILL", "out of memory?", "the same command continues"))
    assert state_after_exit(directory, 75)[0] is State.BUSY
    assert state_after_exit(directory, 130)[0] is State.INTERRUPTED
    state, reason = state_after_exit(directory, 3)
    assert state is State.FAILED and "exit code 3" in reason
    write_status(directory, state=State.FAILED, reason="the disk is full", told=True)
    assert state_after_exit(directory, 1, since=time.time() - 60) == (State.FAILED, "the disk is full")
    assert "SIGKILL" in state_after_exit(directory, -9, since=time.time() + 60)[1], "not an earlier attempt's reason"


@pytest.mark.parametrize(("seconds", "text"), [(5, "0:05"), (65, "1:05"), (3725, "1:02:05")])
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def next_command(config: dict[str, Any], states: list[State], **changes: list[Any]) -> str:
    """After a grid with a seed for each state, and each of these keys as given for it."""
    names = [{key: values[seed] for key, values in changes.items()} for seed in range(len(states))]
    cells = check_cells([config | {"seed": seed} | given for seed, given in enumerate(names)])
    return next_step([CellOutcome(cell, state) for cell, state in zip(cells, states, strict=True)])


def test_after_a_grid_the_next_step_is_named(config: dict[str, Any]) -> None:
    config |= {"output_dir": "outputs", "study": "mine"}
    done, skipped, failed = State.DONE, State.SKIPPED, State.FAILED
    assert next_command(config, [done, failed]).endswith("wisesr report outputs/mine")
    assert next_command(config, [skipped, skipped]).endswith("wisesr report outputs/mine")
    assert next_command(config, [done]) == next_command(config, [failed, State.BUSY]) == ""
    assert next_command(config, [done, done], study=["mine", "other"]).endswith("wisesr report outputs")
    assert next_command(config, [done, done], output_dir=["a b", "b"]).endswith("wisesr report 'a b' b")


def test_after_a_grid_that_chooses_a_head_the_command_ends_the_line(config: dict[str, Any]) -> None:
    config |= {"output_dir": "outputs", "study": "mine"}
    recipe = config["recipe"]
    rates = [recipe | {"optimizer": recipe["optimizer"] | {"lr": rate}} for rate in (0.001, 0.01)]
    heads = [config["head"] | {"name": name} for name in ("a", "b")]
    said = next_command(config, [State.DONE, State.DONE], head=heads, recipe=rates)
    assert said.startswith("Next, which head, by how much, how sure: ")
    assert said.endswith("wisesr report outputs/mine"), "zsh would take a comment behind it for folders"


def test_the_next_step_is_found_where_no_environment_is_active(
    config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After `make quickstart` the shell knows no `wisesr`; once the environment is active it does."""
    command = tmp_path / ".venv" / "bin" / "wisesr"
    command.parent.mkdir(parents=True)
    command.touch(mode=0o755)
    monkeypatch.setattr("sys.executable", str(command.with_name("python")))
    monkeypatch.setenv("PATH", "")
    states, config = [State.DONE, State.DONE], config | {"output_dir": "outputs", "study": "mine"}
    assert next_command(config, states) == f"Next: {command} report outputs/mine"
    monkeypatch.chdir(tmp_path)
    assert next_command(config, states) == "Next: .venv/bin/wisesr report outputs/mine"
    monkeypatch.setenv("PATH", str(command.parent))
    assert next_command(config, states) == "Next: wisesr report outputs/mine"
