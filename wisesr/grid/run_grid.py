"""A grid: checked, planned, run on the slots of this machine, and a table of all its cells at the end."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import NamedTuple

from rich.markup import escape

from wisesr.config.check import describe_problems, split_grid
from wisesr.config.schema import Config
from wisesr.errors import UserError
from wisesr.grid.agent import end_by, take_run, tell_agent
from wisesr.grid.batch import Batch
from wisesr.grid.cell_dirs import Cell, check_cells
from wisesr.grid.cluster import Cluster
from wisesr.grid.command import GridCommand
from wisesr.grid.console import make_console
from wisesr.grid.inspection import CellInspector
from wisesr.grid.look_ahead import look_ahead
from wisesr.grid.outcome import CellOutcome
from wisesr.grid.planning.disk import unwritable
from wisesr.grid.prepared import left_to_user, prepare, warmed
from wisesr.grid.results_table import next_step, print_summary
from wisesr.grid.run_waiting import run_waiting

INTERRUPTED = 130
"""Exit code after Ctrl-C."""

_AGAIN = "Interrupted. The same command continues where this one stopped."
_FORCED_AGAIN = "Interrupted. With grid.force=true the same command redoes also what is done by now; half a redo goes on."


class GridEnd(NamedTuple):
    """How a grid ended."""

    code: int
    """0 if all cells are done or were only planned, 1 if one is not done, `INTERRUPTED` after Ctrl-C."""
    outcomes: Sequence[CellOutcome]
    """A configuration that was given twice has one."""
    planned: bool = False
    """Whether nothing was to start, with grid.plan=true."""


def run_grid(configs: Sequence[Config], cluster: Cluster | None = None, *, live: bool = True, alone: bool = False) -> int:
    """Run the cells of these configurations: the exit code of `run_cells`."""
    return run_cells(configs, cluster, live=live, alone=alone).code


def run_cells(
    configs: Sequence[Config],
    cluster: Cluster | None = None,
    *,
    live: bool = True,
    alone: bool = False,
    batch: Batch | None = None,
) -> GridEnd:
    """Run the cells of these configurations.

    Args:
        configs: as composed, with the settings `grid` of the command.
        cluster: whose jobs they are to be; None for this machine.
        live: whether a terminal may be drawn on; others may be writing to it.
        alone: whether the command asks for one cell, and not for a sweep: a W&B agent's run is that cell's.
        batch: where they are some of the cells of a search, which tells of its results itself.

    Raises:
        UserError: something is wrong with a configuration, a model, the data, the weights or the disk; nothing was started.
    """
    began = time.time()
    configs, grid = split_grid(configs)
    cells = check_cells(configs)
    command = GridCommand(grid, cluster, make_console(live=live, told=None if batch is None else batch.told), began, batch)
    if batch is not None:
        cells = [cell._replace(settings=batch.settings[cell.directory]) for cell in cells]
    if (same := len(configs) - len(cells)) > 0:
        command.say(f"{same} of {len(configs)} configurations are the same computation as another, and run once.")
    agent = None if command.plans else take_run(cells, os.environ, command.say, alone=alone)
    outcomes, interrupted = _run(cells, command)
    if command.plans:
        command.console.print("Nothing was started: grid.plan=true")
        return GridEnd(0, outcomes, planned=True)
    if batch is None:
        _print_end(command, outcomes, live=live, interrupted=interrupted > 0)
    done = all(outcome.state.is_done for outcome in outcomes)
    if agent is not None and interrupted:
        end_by(interrupted)
    if agent is not None and done:
        tell_agent(outcomes[0], agent, command.say)
    return GridEnd(INTERRUPTED if interrupted else 0 if done else 1, outcomes)


def _run(cells: Sequence[Cell], command: GridCommand) -> tuple[Sequence[CellOutcome], int]:
    """Inspect all cells and run those that wait, or plan them.

    Returns:
        Where each cell stands then, and the signal that ended it all, or 0.
    """
    inspector = CellInspector(command.grid)
    outcomes = inspector.inspect(cells, command.console, counted=command.batch is None)
    waiting = [outcome.cell for outcome in outcomes if outcome.is_to_run]
    if not command.plans:
        _refuse(waiting, inspector)
    if not waiting:
        return outcomes, 0
    prepared = prepare(waiting, command)
    outcomes = [left_to_user(outcome, prepared.frozen, force=command.grid["force"]) for outcome in outcomes]
    with warmed(waiting, command, prepared) as warm:
        look_ahead(cells, waiting, inspector, command, prepared, warm)
        if command.plans:
            return outcomes, 0
        outcomes, interrupted = run_waiting(outcomes, command, prepared, warm)
        prepared.planned.tell_ended(outcomes)
        return outcomes, interrupted


def _refuse(waiting: Sequence[Cell], inspector: CellInspector) -> None:
    """Raises UserError for what is wrong and needs no torch to be told: where cells are to be, their data and weights."""
    if closed := unwritable(waiting):
        raise UserError("Nothing was started:\n" + "\n".join(closed))
    if inspector.problems:
        raise UserError(f"Nothing was started:\n{describe_problems(inspector.problems)}")


def _print_end(command: GridCommand, outcomes: Sequence[CellOutcome], *, live: bool, interrupted: bool) -> None:
    """The table, and what to do next."""
    if live or not all(outcome.state.is_done for outcome in outcomes):
        stopped = command.grid["stop_on"] == "failure" and not interrupted
        print_summary(command.console, outcomes, stopped=stopped)
    if interrupted:
        command.say(_FORCED_AGAIN if command.grid["force"] else _AGAIN)
    elif live and (hint := next_step(outcomes)):
        command.console.print(escape(f"\n{hint}"), soft_wrap=True)
