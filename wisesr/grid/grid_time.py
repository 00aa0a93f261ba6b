"""How long a grid that runs still takes: its cells as the estimate sees them, and what they take beside training, measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import fmean

from wisesr.grid.eta import OVERHEAD, CellTime, cell_time, seconds_left
from wisesr.grid.outcome import CellOutcome, Running
from wisesr.results.record_file import read_record
from wisesr.results.state import State
from wisesr.results.status_file import Status, read_status


class GridTime:
    """Of a grid that this process runs. `now` is the clock, seconds since 1970, as jobs have it."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._idle: dict[int, tuple[State, CellTime]] = {}
        self._began: dict[int, float] = {}
        self._overheads: list[float] = []
        self._looked: dict[int, float] = {}
        self._made: dict[int, float] = {}
        """Seconds in which a cell has made, or waited for, what other cells find: they take none of them."""
        self.is_certain = False
        """Whether any cell has finished an epoch: before that, nobody knows how long one takes."""

    def seconds_left(self, outcomes: Sequence[CellOutcome], current: Sequence[tuple[Running, Status]]) -> float | None:
        """Seconds until all cells are done; None as long as nothing is known of one.

        Args:
            outcomes: of all cells.
            current: those that this grid runs now, with what they say of themselves.
        """
        running = {job.number: status for job, status in current}
        times = [self._cell_time(index, outcome, running.get(index)) for index, outcome in enumerate(outcomes)]
        self.is_certain |= any(cell.duration is not None and not cell.running for cell in times)
        self.is_certain |= any(status.get("epoch", 0) > 0 for _, status in current)
        return seconds_left(times, overhead=self._overhead)

    @property
    def _overhead(self) -> float:
        return fmean(self._overheads) if self._overheads else OVERHEAD

    def _cell_time(self, index: int, outcome: CellOutcome, status: Status | None) -> CellTime:
        """A cell for the estimate; the files of cells that do not run are read once per state."""
        cell, state = outcome.cell, outcome.state
        if status is not None:
            now = self._now()
            began = self._began.setdefault(index, now)
            self._note_making(index, status, now)
            begun = (now - began - self._made.get(index, 0.0)) / max(1.0, self._overhead)
            return cell_time(cell.config, status.get("state", State.STARTING), status, None, begun=begun)
        if index not in self._idle or self._idle[index][0] is not state:
            known, record = read_status(cell.directory), read_record(cell.directory)
            if record is not None and state is State.DONE and index in self._began:
                beside = self._now() - self._began[index] - self._made.get(index, 0.0) - record.cost.train_seconds
                self._overheads += [beside] * (beside > 0)  # of a cell that was continued, earlier attempts trained, too
            self._idle[index] = (state, cell_time(cell.config, state, known, record))
        return self._idle[index][1]

    def _note_making(self, index: int, status: Status, now: float) -> None:
        since, self._looked[index] = self._looked.get(index, now), now
        if status.get("state") is State.STARTING and ("steps" in status or status.get("waits")):
            self._made[index] = self._made.get(index, 0.0) + now - since
