"""Which cell runs where and when: free slots take waiting cells until none is left, whatever becomes of each.

Other processes may work on the same cells, on this machine or on others that share its disk. A lock tells who runs a cell;
cells that run elsewhere are waited for, and taken over if that process is gone.
"""

from __future__ import annotations

import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO, Any, NamedTuple, Protocol

from wisesr.grid.cell_dirs import Cell, write_config
from wisesr.grid.cell_process import CONTINUES, Job, outcome
from wisesr.grid.results_table import CellOutcome
from wisesr.grid.slots import Slot
from wisesr.results.lock import is_running, take
from wisesr.results.record import RESULT, read_record
from wisesr.results.redo import complete_redo, work_dir
from wisesr.results.status_file import read_status

_POLL = 0.1
_ELSEWHERE = "another process runs this cell"
_PATIENCE = 30.0
"""Seconds that an interrupted cell has to end by itself."""

Starter = Callable[[Cell, Path, Slot, IO[Any]], Job]
"""(cell, where it is computed, slot, its lock) -> what was started."""


class Running(NamedTuple):
    """A cell that this grid has started."""

    number: int
    """Its place among the grid's cells, from 0."""
    cell: Cell
    slot: Slot
    job: Job
    began: float
    """Seconds since 1970."""
    work: Path
    """Where it is computed."""


class Watcher(Protocol):
    """Who is told what happens."""

    def started(self, running: Running, reason: str) -> None:
        """A cell has been started; the reason is what is special about it."""

    def ended(self, index: int, ended: CellOutcome) -> None:
        """A cell has ended here, or elsewhere."""

    def elsewhere(self, index: int, cell: Cell) -> None:
        """Another process runs a cell, which is waited for."""

    def stopping(self) -> None:
        """Nothing new starts from here on."""

    def update(self, standing: Sequence[CellOutcome], running: Sequence[Running], elsewhere: Sequence[Cell]) -> None:
        """How things stand, several times a second."""


class Schedule:
    """Runs the waiting cells of a grid.

    Args:
        standing: of all cells; those that are waiting are run.
        slots: for them.
        start: starts one.
        watcher: is told.
        force: whether finished cells are done anew.
        began: when the command began, seconds since 1970: what others have finished or failed since then is not done again.
    """

    def __init__(
        self,
        standing: Sequence[CellOutcome],
        slots: Sequence[Slot],
        start: Starter,
        watcher: Watcher,
        *,
        force: bool,
        began: float,
    ) -> None:
        self._standing = list(standing)
        self._pending = deque(index for index, item in enumerate(standing) if item.state == "waiting")
        self._elsewhere: dict[int, str] = {}
        self._free = deque(slots)
        self._running: list[Running] = []
        self._start, self._watcher, self._force = start, watcher, force
        self._began = began
        self._signals = 0
        self._stopped: float | None = None

    def run(self) -> list[CellOutcome]:
        """Until every cell has ended, or a signal ends it all: at the first, cells end in order, at the second at once.

        Returns:
            How each cell ended.
        """
        with self._listening():
            while self._running or (not self._signals and (self._pending or self._elsewhere)):
                self._fill()
                self._collect()
                self._stop()
                elsewhere = [self._standing[index].cell for index in self._elsewhere]
                self._watcher.update(self._standing, self._running, elsewhere)
                time.sleep(_POLL)
                self._look_elsewhere()
        for index, reason in self._elsewhere.items():
            self._standing[index] = self._standing[index]._replace(state="busy", reason=reason)
        return self._standing

    @property
    def interrupted(self) -> bool:
        """Whether a signal ended it."""
        return self._signals > 0

    def _fill(self) -> None:
        while self._free and self._pending and not self._signals:
            self._begin(self._pending.popleft())

    def _begin(self, index: int) -> None:
        """Start a cell, unless another process has it or had it since the grid began."""
        cell = self._standing[index].cell
        try:
            cell.directory.mkdir(parents=True, exist_ok=True)
            lock = take(cell.directory)
            if lock is None:
                self._elsewhere[index] = _ELSEWHERE
                self._watcher.elsewhere(index, cell)
                return
            with lock:  # this process's hold on it ends here, the child's with the child
                if ended := self._done_elsewhere(cell):
                    self._end(index, ended)
                    return
                work = work_dir(cell.directory, force=self._force)
                write_config(work, cell.config)
                running = Running(index, cell, self._free[0], self._start(cell, work, self._free[0], lock), time.time(), work)
        except OSError as error:
            self._end(index, CellOutcome(cell, "failed", f"it could not be started: {error}"))
            return
        self._free.popleft()
        self._running.append(running)
        reason, self._standing[index] = self._standing[index].reason, CellOutcome(cell, "running")
        self._watcher.started(running, reason)

    def _done_elsewhere(self, cell: Cell) -> CellOutcome | None:
        """What another process has made of a cell since this grid began; None if it is to be run."""
        complete_redo(cell.directory)
        if self._has_record(cell) and (not self._force or (cell.directory / RESULT).stat().st_mtime >= self._began):
            return CellOutcome(cell, "done")
        status = read_status(work_dir(cell.directory, force=self._force))
        if status.get("state") == "failed" and status.get("time", 0.0) >= self._began:
            return CellOutcome(cell, "failed", status.get("reason", ""))
        return None

    def _has_record(self, cell: Cell) -> bool:
        record = read_record(cell.directory)
        return record is not None and record["fingerprint"] == cell.fingerprint

    def _collect(self) -> None:
        for running in list(self._running):
            code = running.job.poll()
            if code is None:
                continue
            self._running.remove(running)
            self._free.append(running.slot)
            state, reason = outcome(running.work, code, since=running.began, ended=running.job.ended)
            # Of a cluster its answer is believed: the file may take a minute to be seen here (NFS).
            if state == "done" and not running.slot.cluster and not self._has_record(running.cell):
                state, reason = "failed", "its process ended well, and left no record"
            if self._signals and -code in (signal.SIGINT, signal.SIGTERM):  # before it could listen
                state, reason = "interrupted", CONTINUES
            if state == "busy":
                self._elsewhere[running.number] = running.job.ended or reason
            else:
                self._end(running.number, CellOutcome(running.cell, state, reason, running.work))

    def _end(self, index: int, ended: CellOutcome) -> None:
        self._standing[index] = ended
        self._watcher.ended(index, ended)

    def _look_elsewhere(self) -> None:
        """Cells that no process holds any more are this one's to look at again, as long as it starts some."""
        if self._signals:
            return
        free = [index for index in self._elsewhere if not is_running(self._standing[index].cell.directory)]
        for index in reversed(free):
            del self._elsewhere[index]
            self._pending.appendleft(index)

    def _stop(self) -> None:
        """Carry out what signals asked for."""
        if not self._signals:
            return
        if self._stopped is None:
            self._stopped = time.monotonic()
            self._watcher.stopping()
            for running in self._running:
                running.job.interrupt()
        if self._signals > 1 or time.monotonic() - self._stopped > _PATIENCE:
            for running in self._running:
                running.job.kill()
                self._end(running.number, CellOutcome(running.cell, "interrupted", CONTINUES, running.work))
            self._running = []

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Count signals instead of breaking off in the middle of something."""
        if threading.current_thread() is not threading.main_thread():  # of a launcher that runs cells in threads
            yield
            return
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        heard = [number for number, handler in before.items() if handler is not signal.SIG_IGN]  # nohup
        for number in heard:
            signal.signal(number, self._signal)
        try:
            yield
        finally:
            for number in heard:
                signal.signal(number, before[number])

    def _signal(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1
