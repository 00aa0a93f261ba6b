"""The one run that a W&B agent has started a command for, from the environment alone. No wandb, no torch.

`wandb agent` sets WANDB_RUN_ID, WANDB_SWEEP_ID and WANDB_SWEEP_PARAM_PATH for each command that it starts (`wandb_agent.py`,
wandb 0.31), whose processes all inherit them. With WANDB_SWEEP_ID there `wandb.init` takes the run's id, project and entity
from the environment alone, whatever it is called with (`clear_run_path_if_sweep_or_launch`): of several processes that
open a run each, all would open the same. So these variables count only where a command has but one cell and says so to it
(`take`), and are away while any other cell opens its run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_ID, _SWEEP, _PARAMETERS = "WANDB_RUN_ID", "WANDB_SWEEP_ID", "WANDB_SWEEP_PARAM_PATH"
_TAKEN = "WISESR_AGENT_RUN"
"""Set for the cell whose run it is, to the run's id."""
NAMING = (_ID, _SWEEP, "WANDB_RESUME_FROM", "WANDB_FORK_FROM")
"""Variables that say which run a process opens."""
OF_ONE_RUN = (*NAMING, _PARAMETERS, "WANDB_RESUME", "WANDB_LAUNCH", "WANDB_LAUNCH_CONFIG_PATH")
"""These, and those that say how: none of them may reach two cells."""


class AgentRun(NamedTuple):
    """A run that exists on the server, and waits there for what a command makes of its settings."""

    id: str
    sweep: str
    """Id of the sweep that it belongs to."""


def offered_run(environment: Mapping[str, str]) -> AgentRun | None:
    """The run that an agent has started this command for; None where no agent has started it."""
    identifier, sweep = environment.get(_ID), environment.get(_SWEEP)
    return AgentRun(identifier, sweep) if identifier and sweep else None


def take(environment: MutableMapping[str, str], run: AgentRun | None) -> None:
    """Hand a command's run on to the processes that it starts; or none, whatever this one has inherited."""
    environment.pop(_TAKEN, None)
    if run is not None:
        environment[_TAKEN] = run.id


def agent_run(environment: Mapping[str, str]) -> AgentRun | None:
    """The agent's run that is this cell's; None for a cell with a run of its own."""
    run = offered_run(environment)
    return run if run is not None and environment.get(_TAKEN) == run.id else None


def forget_others(environment: MutableMapping[str, str]) -> None:
    """In the process of one cell: leave nothing of a run that is not its own, by which some logger might open it."""
    if agent_run(environment) is None:
        for name in OF_ONE_RUN:
            environment.pop(name, None)


@contextmanager
def opening(environment: MutableMapping[str, str], identifier: str, agent: AgentRun | None) -> Iterator[None]:
    """While the block runs, variables by which `wandb.init` opens the run of this id, in the agent's sweep or in none.

    The file of the sweep's values may be on another machine by now; wandb would not open a run without it.
    """
    own = {} if agent is None else {_ID: identifier, _SWEEP: agent.sweep}
    parameters = environment.get(_PARAMETERS)
    if own and parameters and Path(parameters).is_file():
        own[_PARAMETERS] = parameters
    before = {name: environment.pop(name) for name in OF_ONE_RUN if name in environment}
    environment.update(own)
    try:
        yield
    finally:
        for name in own:
            environment.pop(name, None)
        environment.update(before)


def is_first(outputs: Path, agent: AgentRun, cell: Path) -> bool:
    """Whether an agent's run is this cell's: it is that of the first cell that asks, and of no other.

    One command of an agent may be a script that trains several cells.

    Args:
        outputs: folder of all cells, where the answer is kept.
        agent: the run.
        cell: directory of the cell, in `outputs`.
    """
    kept, own = outputs / ".wandb" / f"{agent.sweep}-{agent.id}", str(cell.absolute().relative_to(outputs.absolute()))
    kept.parent.mkdir(parents=True, exist_ok=True)
    written = kept.with_name(f".{kept.name}.{os.getpid()}")
    written.write_text(own, encoding="utf-8")
    try:
        os.link(written, kept)  # there with its content, or not at all: another process may read it at any moment
    except FileExistsError:
        return kept.read_text(encoding="utf-8") == own
    finally:
        written.unlink()
    return True
