"""A command that a W&B agent has started: which cell its run is, what the user is told, how it ends. No torch, no wandb."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, MutableMapping, Sequence
from pathlib import Path
from typing import NoReturn

from wisesr.grid.cell_dirs import Cell
from wisesr.grid.outcome import CellOutcome
from wisesr.training.loggers.wandb_agent import NAMING, AgentRun, forget_others, is_first, offered_run, take


def take_run(
    cells: Sequence[Cell], environment: MutableMapping[str, str], say: Callable[[str], None], *, alone: bool
) -> AgentRun | None:
    """The agent's run that is this command's one cell; None where no agent waits for one, or it cannot be one cell's.

    Args:
        cells: of the command.
        environment: of it and of the processes that it starts, which are told whose run it is.
        say: tells the user a sentence.
        alone: whether the command asks for one cell, and not for a sweep.
    """
    named = [name for name in NAMING if environment.get(name)]
    run = offered_run(environment) if alone else None
    if run is not None:
        run = _of(cells[0], run, say)
    elif named and any(_logs(cell) for cell in cells):
        own = "this cell has a run of its own" if len(cells) == 1 else f"each of these {len(cells)} cells has a run of its own"
        say(f"note: {_listed(named)} of the environment {'is' if len(named) == 1 else 'are'} left aside: {own}")
    take(environment, run)
    forget_others(environment)  # also what is to be said once, where a sweep comes here again and again
    return run


def tell_agent(done: CellOutcome, run: AgentRun, say: Callable[[str], None]) -> None:
    """Give the figures of a finished cell to the agent's run, unless it was trained as that.

    Raises:
        UserError: W&B does not take them, and nothing is kept for it.
    """
    from wisesr.cell.told_run import tell

    if sentence := tell(done.cell.directory, done.cell.config, run, trained=done.run_dir is not None):
        say(sentence)


def _of(cell: Cell, run: AgentRun, say: Callable[[str], None]) -> AgentRun | None:
    """An agent's run, if it is this cell's."""
    if not is_first(Path(cell.config["output_dir"]), run, cell.directory):
        say(f"note: run {run.id} of W&B's sweep {run.sweep} is another cell's, so this one has a run of its own, in no sweep")
        return None
    if not _logs(cell):
        say(f"note: W&B's sweep {run.sweep} sees nothing of this cell, which does not log there: logger=wandb is missing")
    return run


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _logs(cell: Cell) -> bool:
    """Whether some logger of a cell, ours or another package's, opens W&B runs."""
    return any("wandb" in str(node.get("_target_", "")).lower() for node in cell.config["logger"].values())


def end_by(number: int) -> NoReturn:
    """End this process as one that does not handle a signal.

    An agent takes each exit code above 0 for a failed run, and gives up after 3 in a minute, or 5 before one went well; a run
    that it has stopped itself is none (`Agent._run_loop`).
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    raise AssertionError("it did not end")
