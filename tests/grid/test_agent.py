"""Which run a command's cells get under a W&B agent, what the user is told of it, and how the command ends for the agent."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import ROOT
from tests.support.studies import cell_config
from wisesr.config.options import load_option
from wisesr.grid.agent import take_run
from wisesr.grid.cell_dirs import Cell, make_cells
from wisesr.training.loggers.wandb_agent import AgentRun, agent_run

AGENT = {"WANDB_RUN_ID": "abc123", "WANDB_SWEEP_ID": "s"}
LIGHTNINGS = {"mine": {"_target_": "lightning.pytorch.loggers.WandbLogger"}}


def cells(root: Path, *seeds: int, logger: Any = None) -> list[Cell]:
    own = load_option("logger", "wandb") if logger is None else logger
    return make_cells([cell_config(root, seed=seed) | {"logger": own} for seed in seeds])


def taken(own: list[Cell], environment: dict[str, str], *, alone: bool) -> tuple[AgentRun | None, list[str]]:
    said: list[str] = []
    run = take_run(own, environment, said.append, alone=alone)
    assert run == agent_run(environment), "as the cell's process will see it"
    return run, said


def test_an_agents_command_of_one_cell(tmp_path: Path) -> None:
    environment = dict(AGENT)
    assert taken(cells(tmp_path, 0), environment, alone=True) == (AgentRun("abc123", "s"), [])
    assert environment.items() >= AGENT.items()


@pytest.mark.parametrize("seeds", [(1, 2), (1,)])
def test_a_sweep_gets_runs_of_its_own(tmp_path: Path, seeds: tuple[int, ...]) -> None:
    environment = AGENT | {"WANDB_SWEEP_PARAM_PATH": "x", "WISESR_AGENT_RUN": "abc123", "WANDB_MODE": "offline"}
    own = cells(tmp_path, *seeds)
    run, said = taken(own, environment, alone=False)
    whose = "each of these 2 cells has" if len(seeds) == 2 else "this cell has"
    assert (run, said) == (
        None,
        [f"note: WANDB_RUN_ID and WANDB_SWEEP_ID of the environment are left aside: {whose} a run of its own"],
    )
    assert environment == {"WANDB_MODE": "offline"}
    assert taken(own, environment, alone=False) == (None, []), "said once, however often a sweeper comes here"


def test_a_run_without_a_sweep_is_left_aside(tmp_path: Path) -> None:
    """It may be exported in a shell, where the next command would open it, too."""
    run, said = taken(cells(tmp_path, 0), {"WANDB_RUN_ID": "abc123"}, alone=True)
    assert run is None
    assert said == ["note: WANDB_RUN_ID of the environment is left aside: this cell has a run of its own"]


def test_one_agent_and_several_commands(tmp_path: Path) -> None:
    first, second = cells(tmp_path, 1, 2)
    assert taken([first], dict(AGENT), alone=True)[0] is not None
    run, said = taken([second], environment := dict(AGENT), alone=True)
    assert run is None and environment == {}
    assert said == ["note: run abc123 of W&B's sweep s is another cell's, so this one has a run of its own, in no sweep"]
    assert taken([first], dict(AGENT), alone=True) == (AgentRun("abc123", "s"), []), "it goes on with it"


@pytest.mark.parametrize(("logger", "told"), [({}, True), (load_option("logger", "csv"), True), (LIGHTNINGS, False)])
def test_a_sweep_that_sees_nothing(tmp_path: Path, logger: Any, told: bool) -> None:
    run, said = taken(cells(tmp_path, 0, logger=logger), dict(AGENT), alone=True)
    assert run is not None
    assert [("logger=wandb is missing" in text) for text in said] == [True] * told


def test_nothing_is_said_where_no_cell_logs_there(tmp_path: Path) -> None:
    assert taken(cells(tmp_path, 1, 2, logger={}), dict(AGENT), alone=False) == (None, [])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_end_that_an_agent_does_not_count_as_a_failure(number: int) -> None:
    code = f"""
import signal
from wisesr.grid.agent import end_by
signal.signal({number}, lambda *_: None)
print("said", end="")
end_by({number})
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (-number, "said")
