"""A cell of a grid and where it stands: what is to be done with it before it starts, where it runs, then how it ended."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import NamedTuple

from wisesr.grid.cell_dirs import Cell
from wisesr.grid.cell_process import ProcessJob
from wisesr.grid.cluster_job import ClusterJob
from wisesr.grid.slots import Slot
from wisesr.grid.warm.job import ForkedJob
from wisesr.results.state import State

Job = ProcessJob | ForkedJob | ClusterJob


class Running(NamedTuple):
    """A cell that this grid has started."""

    number: int
    """Its place among the grid's cells, from 0."""
    cell: Cell
    slot: Slot
    job: Job
    began: float
    """Seconds since 1970."""
    run_dir: Path
    """Where it is computed."""


class RunReason(Enum):
    """Why a cell is to be run. Its value is how cells are counted before a grid starts: `2 new, 1 continued`."""

    NEW = "new"
    CONTINUED = "continued"
    """It was interrupted."""
    TRIED_AGAIN = "tried again"
    """It failed, and grid.retry=failed was given."""
    REDONE = "to be redone"
    """It is done, and grid.force=true was given."""


class CellOutcome(NamedTuple):
    """A cell and where it stands."""

    cell: Cell
    state: State
    """DONE, SKIPPED, FAILED, BUSY, INTERRUPTED, RUNNING, WAITING if it was never started, BY_HAND if the user has to; DAMAGED
    and NEWER if it is left alone."""
    reason: str = ""
    """Why it failed, is busy, was interrupted, is left to the user or alone."""
    run_dir: Path | None = None
    """Where it was computed, if here and now; a cell that is done anew has a place of its own for that."""
    run_reason: RunReason | None = None
    """Of a cell that waits."""
    note: str = ""
    """What tables show behind the state."""

    @property
    def is_to_run(self) -> bool:
        """Whether somebody still has to start it."""
        return self.state in (State.WAITING, State.BY_HAND)
