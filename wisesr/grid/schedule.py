"""Which cell runs where and when: free slots take waiting cells until none is left, whatever becomes of each.

Other processes may work on the same cells, on this machine or on others that share its disk. A lock tells who runs a cell;
cells that run elsewhere are waited for, and taken over if that process is gone.
"""

from __future__ import annotations

import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from wisesr.grid.cell_dirs import Cell, write_config
from wisesr.grid.cell_process import CONTINUES, RUNS_ELSEWHERE, state_after_exit
from wisesr.grid.display import Display
from wisesr.grid.outcome import CellOutcome, Job, Running
from wisesr.grid.signals import SignalCounter
from wisesr.grid.slots import Slot
from wisesr.results.cell_files import RESULT
from wisesr.results.lock import acquire_lock, is_running
from wisesr.results.redo import complete_redo, work_dir
from wisesr.results.state import State
from wisesr.results.status_file import read_status

_POLL = 0.1
_PATIENCE = 30.0
"""Seconds that an interrupted cell has to end by itself."""

Starter = Callable[[Cell, Path, Slot, IO[Any]], Job]
"""(cell, where it is computed, slot, its lock) -> what was started."""
Finder = Callable[[Cell], Job | None]
"""The job of an earlier command that runs a cell; None where there is none, or nobody knows."""


class Schedule:
    """Runs the waiting cells of a grid.

    Args:
        outcomes: of all cells; those that are waiting are run.
        slots: for them.
        start: starts a cell.
        display: shows what happens.
        force: whether finished cells are done anew.
        began: when the command began, seconds since 1970: what others have finished or failed since then is not done again.
        find: asked of cells that others run; None where jobs end with their command.
        stop_on: `grid.stop_on`: whether a cell that fails is the last to be begun.
    """

    def __init__(
        self,
        outcomes: Sequence[CellOutcome],
        slots: Sequence[Slot],
        start: Starter,
        display: Display,
        *,
        force: bool,
        began: float,
        find: Finder | None = None,
        stop_on: str = "never",
    ) -> None:
        self._outcomes = list(outcomes)
        self._pending = deque(index for index, outcome in enumerate(outcomes) if outcome.state is State.WAITING)
        self._elsewhere: dict[int, str] = {}
        self._free = deque(slots)
        self._running: list[Running] = []
        self._start, self._display, self._force = start, display, force
        self._began, self._find = began, find
        self._stops_on_failure, self._stopped_by_failure = stop_on == "failure", False
        self._signals = SignalCounter()
        self._stopped: float | None = None

    def run(self) -> list[CellOutcome]:
        """Until every cell has ended, or a signal ends it all: at the first, cells end in order, at the second at once.

        Returns:
            How each cell ended.
        """
        with self._signals.listening():
            while self._running or (not self._begins_none and (self._pending or self._elsewhere)):
                self._fill()
                self._collect()
                self._stop()
                elsewhere = [self._outcomes[index].cell for index in self._elsewhere]
                self._display.update(self._outcomes, self._running, elsewhere)
                time.sleep(_POLL)
                self._take_over()
        for index, reason in self._elsewhere.items():
            self._outcomes[index] = self._outcomes[index]._replace(state=State.BUSY, reason=reason)
        return self._outcomes

    @property
    def interrupted(self) -> int:
        """The first signal that asked it to end; 0 where none did."""
        return self._signals.first

    @property
    def _begins_none(self) -> bool:
        """Whether no other cell is to be begun, or waited for."""
        return self.interrupted > 0 or self._stopped_by_failure

    def _fill(self) -> None:
        """Start cells on free slots."""
        while self._free and self._pending and not self._begins_none:
            self._begin(self._pending.popleft())

    def _begin(self, index: int) -> None:
        """Start a cell, unless another process has it or had it since the grid began."""
        cell = self._outcomes[index].cell
        try:
            cell.directory.mkdir(parents=True, exist_ok=True)
            lock = acquire_lock(cell.directory)
            if lock is None:
                job = None if self._find is None else self._find(cell)
                if job is None:
                    self._elsewhere[index] = RUNS_ELSEWHERE
                    self._display.elsewhere(index, cell)
                    return
                self._follow(index, job)
                return
            with lock:  # this process's hold on it ends here, the child's with the child
                if outcome := self._ended_elsewhere(cell):
                    self._end(index, outcome)
                    return
                slot, run_dir = self._free[0], work_dir(cell.directory, force=self._force)
                write_config(run_dir, cell.config)
                job = self._start(cell, run_dir, slot, lock)
        except OSError as error:
            self._end(index, CellOutcome(cell, State.FAILED, f"it could not be started: {error}"))
            return
        self._follow(index, job)

    def _follow(self, index: int, job: Job) -> None:
        """From now on a cell's job is this grid's, and has the first of the free slots."""
        cell, slot = self._outcomes[index].cell, self._free.popleft()
        running = Running(index, cell, slot, job, time.time(), work_dir(cell.directory, force=self._force))
        self._running.append(running)
        reason, self._outcomes[index] = self._outcomes[index].run_reason, CellOutcome(cell, State.RUNNING)
        self._display.started(running, reason)

    def _ended_elsewhere(self, cell: Cell) -> CellOutcome | None:
        """What another process has made of a cell since this grid began; None if it is to be run."""
        complete_redo(cell.directory)
        if cell.read_record() and (not self._force or (cell.directory / RESULT).stat().st_mtime >= self._began):
            return CellOutcome(cell, State.DONE)
        status = read_status(work_dir(cell.directory, force=self._force))
        if status.get("state") is State.FAILED and status.get("time", 0.0) >= self._began:
            return CellOutcome(cell, State.FAILED, status.get("reason", ""))
        return None

    def _collect(self) -> None:
        """Free the slots of cells whose process has ended."""
        for running in list(self._running):
            code = running.job.poll()
            if code is None:
                continue
            self._running.remove(running)
            self._free.append(running.slot)
            outcome = self._outcome(running, code)
            if outcome.state is State.BUSY:
                self._elsewhere[running.number] = running.job.ended or outcome.reason
            else:
                self._end(running.number, outcome)

    def _outcome(self, running: Running, code: int) -> CellOutcome:
        """Of a cell whose process has ended with this exit code."""
        state, reason = state_after_exit(running.run_dir, code, since=running.began, ended=running.job.ended)
        # Of a cluster its answer is believed: the file may take a minute to be seen here (NFS).
        if state is State.DONE and not running.slot.cluster and running.cell.read_record() is None:
            state, reason = State.FAILED, "its process ended well, and left no record"
        if self.interrupted and -code in (signal.SIGINT, signal.SIGTERM):  # before it could listen
            state, reason = State.INTERRUPTED, CONTINUES
        return CellOutcome(running.cell, state, reason, running.run_dir)

    def _end(self, index: int, outcome: CellOutcome) -> None:
        self._outcomes[index] = outcome
        self._display.ended(index, outcome)
        if self._stops_on_failure and outcome.state is State.FAILED and not self._begins_none:
            self._stopped_by_failure = True
            self._display.stopping_on_failure(running=len(self._running))

    def _take_over(self) -> None:
        """Cells that no process holds any more are this one's to look at again, as long as it starts some."""
        if self._begins_none:
            return
        free = [index for index in self._elsewhere if not is_running(self._outcomes[index].cell.directory)]
        for index in reversed(free):
            del self._elsewhere[index]
            self._pending.appendleft(index)

    def _stop(self) -> None:
        """Carry out what signals asked for."""
        if not self.interrupted:
            return
        if self._stopped is None:
            self._stopped = time.monotonic()
            self._display.stopping()
            for running in self._running:
                running.job.interrupt()
        if self._signals.count > 1 or time.monotonic() - self._stopped > _PATIENCE:
            for running in self._running:
                running.job.kill()
                self._end(running.number, CellOutcome(running.cell, State.INTERRUPTED, CONTINUES, running.run_dir))
            self._running = []
