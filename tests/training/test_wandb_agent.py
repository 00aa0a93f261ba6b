"""Which run a cell opens where the environment names one: its own, or an agent's that is meant for it alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.runs import NOTHING, ROWS, logger, records
from wisesr.results.atomic_files import read_json
from wisesr.training.loggers.base import Run
from wisesr.training.loggers.content import chosen_figures, other_settings
from wisesr.training.loggers.wandb_agent import (
    OF_ONE_RUN,
    AgentRun,
    agent_run,
    forget_others,
    is_first,
    offered_run,
    opening,
    take,
)

OURS = AgentRun("abc123", "sw33p")
AGENT = {"WANDB_RUN_ID": "abc123", "WANDB_SWEEP_ID": "sw33p"}


@pytest.mark.parametrize("missing", AGENT)
def test_an_agent_names_run_and_sweep(missing: str) -> None:
    assert offered_run(AGENT) == OURS
    assert offered_run({key: value for key, value in AGENT.items() if key != missing}) is None
    assert offered_run(AGENT | {missing: ""}) is None


def test_a_run_is_a_cells_where_its_command_says_so() -> None:
    environment = dict(AGENT)
    assert agent_run(environment) is None
    take(environment, OURS)
    assert agent_run(environment) == OURS
    assert agent_run(environment | {"WANDB_RUN_ID": "other"}) is None, "handed on to a command of another run"
    take(environment, None)
    assert environment == AGENT


def test_what_is_left_in_a_cells_process() -> None:
    own = AGENT | {"WANDB_RESUME": "must", "WANDB_PROJECT": "p", "WANDB_RUN_GROUP": "g"}
    environment = dict(own)
    take(environment, OURS)
    kept = dict(environment)
    forget_others(environment)
    assert environment == kept
    take(environment, None)
    forget_others(environment)
    assert environment == {"WANDB_PROJECT": "p", "WANDB_RUN_GROUP": "g"}


def test_variables_while_a_run_is_opened(tmp_path: Path) -> None:
    parameters = tmp_path / "config-abc123.yaml"
    parameters.write_text("wandb_version: 1")
    before = AGENT | {"WANDB_RESUME": "must", "HOME": "/h", "WANDB_SWEEP_PARAM_PATH": str(parameters)}
    environment = dict(before)
    with opening(environment, "own", None):
        assert environment == {"HOME": "/h"}
    assert environment == before
    with opening(environment, "own", OURS):
        assert environment == {key: value for key, value in before.items() if key != "WANDB_RESUME"} | {"WANDB_RUN_ID": "own"}
    assert environment == before
    parameters.unlink()
    with pytest.raises(ZeroDivisionError), opening(environment, "own", OURS):
        assert "WANDB_SWEEP_PARAM_PATH" not in environment, "wandb would refuse to begin"
        raise ZeroDivisionError
    assert environment == before


def test_the_first_cell_that_asks_has_it(tmp_path: Path) -> None:
    first, second = tmp_path / "study" / "a", tmp_path / "study" / "b"
    assert [is_first(tmp_path, OURS, cell) for cell in (first, second, first, second)] == [True, False, True, False]
    assert is_first(tmp_path, OURS._replace(id="another"), second)


def test_settings_below_what_a_sweep_has_chosen() -> None:
    config = {"head": {"name": "gap", "dropout": 0.5}, "resolution": {"size": 32}, "seed": 1, "logger": {}}
    shown = {"head": "gap", "head.dropout": 0.5, "resolution": {"size": 32}, "seed": 1, "logger": {}}
    assert other_settings(shown, config) == {"head.name": "gap"}


def test_figures_that_a_sweep_compares() -> None:
    assert chosen_figures({"best/val/top1": 0.5, "best/test/top1": 0.4, "val/x": 1}) == {"val/top1": 0.5}


def opened(run: Run) -> Any:
    """The record of a run in the file of a cell's offline run, which is told all of it."""
    writer = logger(run)
    writer.start([])
    for row in ROWS:
        writer.epoch(row, [])
    writer.finish({"best/val/top1": 0.6}, NOTHING)
    (file,) = run.directory.glob("wandb/offline-run-*/*.wandb")
    found = [record.run for record in records(file) if record.HasField("run")]
    assert len({record.run_id for record in found}) == 1
    return found[0]


@pytest.fixture
def cells(run: Run, tmp_path: Path) -> list[Run]:
    """Two cells of a grid."""
    made = [run._replace(directory=tmp_path / name) for name in ("one", "two")]
    for each in made:
        each.directory.mkdir()
    return made


def test_cells_of_a_grid_have_runs_of_their_own(cells: list[Run], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever the environment of a command names: they open them one after the other, as two processes would."""
    given = {name: "auto" if name == "WANDB_RESUME" else "abc123" for name in OF_ONE_RUN if "LAUNCH" not in name}
    given |= {"WANDB_SWEEP_PARAM_PATH": str(tmp_path / "none.yaml")}
    given |= {"WANDB_RESUME_FROM": "abc123?_step=1", "WANDB_FORK_FROM": "abc123?_step=1"}
    given |= {"WANDB_RUN_GROUP": "g", "WANDB_NAME": "n", "WANDB_TAGS": "t", "WANDB_JOB_TYPE": "j", "WANDB_PROJECT": "q"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    first, second = map(opened, cells)
    assert len({first.run_id, second.run_id, "abc123"}) == 3
    for record in (first, second):
        assert (record.sweep_id, record.run_group, record.display_name) == ("", "study", "toy-wise-seed-0")
        assert (list(record.tags), record.job_type, record.project) == (["toy", "wise", "32px"], "train", "p")
    assert {name: os.environ[name] for name in given} == given


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # wandb leaves the file open: `config_util.py`
def test_an_agents_cell_offline(cells: list[Run], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is the sweep's run where nothing of that was sent; else it has an id of its own, as `wandb sync` appends."""
    (tmp_path / "values.yaml").write_text("wandb_version: 1\n\nhead:\n  value: gap\nseed:\n  value: 7\n")
    for name, value in (AGENT | {"WANDB_SWEEP_PARAM_PATH": str(tmp_path / "values.yaml"), "WANDB_PROJECT": "q"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WISESR_AGENT_RUN", "abc123")
    record = opened(cells[0])
    assert (record.run_id, record.sweep_id, record.project, record.run_group) == ("abc123", "sw33p", "q", "study")
    told = {item.key or "/".join(item.nested_key): item.value_json for item in record.config.update}
    assert told["head"] == '"gap"'
    assert read_json(cells[0].directory / "wandb.json") is None, "no run of it is on the server"

    (cells[1].directory / "wandb.json").write_text('{"id": "abc123", "sweep": "sw33p"}')
    record = opened(cells[1])
    assert record.run_id != "abc123"
    assert record.sweep_id == "sw33p"
