"""What the terminal shows while cells run: one live table, or plain lines where there is no terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.live import Live as LiveDisplay

from wisesr.grid.cell_dirs import Cell
from wisesr.grid.cluster_job import ClusterJob
from wisesr.grid.console import clock
from wisesr.grid.live_table import LiveTable
from wisesr.grid.outcome import CellOutcome, Running, RunReason
from wisesr.results.metrics import read_metrics
from wisesr.results.status_file import Status, read_status
from wisesr.terminal import tell
from wisesr.wording import count_of, percent

_REFRESH = 0.5
"""Seconds between two looks at the status files."""

_STARTED = {
    RunReason.NEW: "",
    RunReason.CONTINUED: "continues",
    RunReason.TRIED_AGAIN: "tried again",
    RunReason.REDONE: "redone; the old record stands until the new one is complete",
}
"""What is special about a cell that starts."""


def describe_progress(status: Status) -> str:
    """`epoch 1/3  val top-1 95.30 %  47 images/s  0:38 left`, as far as known; epochs are finished ones.

    Before training `computing maps  400 of 1,800  0:38 left`.
    """
    parts = []
    if "phase" in status:
        parts.append(status["phase"])
        if "steps" in status:
            parts.append(f"{status.get('step', 0):,} of {status['steps']:,}")
    if "epochs" in status:
        parts.append(f"epoch {status['epoch']}/{status['epochs']}")
    if "val_top1" in status:
        parts.append(f"val top-1 {percent(status['val_top1'])} %")
    if status.get("images_per_second"):
        parts.append(f"{status['images_per_second']:.0f} images/s")
    if "seconds_left" in status:
        parts.append(f"{clock(status['seconds_left'])} left")
    return "  ".join(parts)


class Display:
    """Shows a grid of `total` cells while it runs; `remote` where they are jobs of a cluster."""

    def __init__(self, console: Console, total: int, *, remote: bool = False) -> None:
        self._console, self._total, self._remote = console, total, remote
        self._live = LiveDisplay(console=console, transient=True, auto_refresh=False) if console.is_terminal else None
        self._updated = 0.0
        self._table = LiveTable(total)
        self._epochs_printed: dict[Path, int] = {}
        self._waited_for: set[int] = set()
        self._told_stuck: set[int] = set()

    def __enter__(self) -> Display:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live:
            self._live.stop()

    def started(self, running: Running, reason: RunReason | None) -> None:
        """A line for a cell that starts; on a terminal only where there is something to say that the table does not show."""
        epochs = len(read_metrics(running.run_dir))
        self._epochs_printed[running.run_dir] = epochs
        special = f"continues after epoch {epochs}" if epochs else _STARTED[reason or RunReason.NEW]
        if special or not self._live:
            where = f"{running.job.name}, " if running.job is not None and running.job.name else ""
            self._print(running.number, running.cell, f"{special or 'started'}, {where}{running.run_dir}")

    def elsewhere(self, index: int, cell: Cell) -> None:
        """A line for a cell that another process runs, where there is no table to show it."""
        if not self._live and index not in self._waited_for:
            self._waited_for.add(index)
            self._print(index, cell, "another process runs it; it is waited for")

    def ended(self, index: int, outcome: CellOutcome) -> None:
        """A line for a cell that has ended."""
        if outcome.run_dir is not None:
            self._print_epochs(index, outcome.cell, outcome.run_dir)
        reason = f" ({outcome.reason.splitlines()[0]})" if outcome.reason else ""
        self._print(index, outcome.cell, f"{outcome.state}{reason}")

    def stopping(self) -> None:
        """A line that Ctrl-C was heard."""
        cells = "jobs go on without this command" if self._remote else "running cells end. Ctrl-C again ends them at once"
        tell(self._console, f"Stopping: nothing new starts, {cells}.")

    def stopping_on_failure(self, *, running: int) -> None:
        """A line that a failure ends the grid."""
        go_on = f"; {count_of(running, 'cell')} that {'runs goes' if running == 1 else 'run go'} on to the end"
        tell(self._console, f"Stopping (grid.stop_on=failure): no other cell is begun{go_on * bool(running)}.")

    def update(self, outcomes: Sequence[CellOutcome], running: Sequence[Running], elsewhere: Sequence[Cell]) -> None:
        """Show what the status files say, twice a second."""
        if time.monotonic() - self._updated < _REFRESH:
            return
        self._updated = time.monotonic()
        for job in running:
            if isinstance(job.job, ClusterJob) and job.job.stuck and job.number not in self._told_stuck:
                self._told_stuck.add(job.number)
                self._print(job.number, job.cell, f"{job.job.name} waits, perhaps for ever: {job.job.stuck} ({job.job.waits})")
        if self._live:
            size = self._console.size
            self._live.update(self._table.render(outcomes, running, elsewhere, size.height, size.width), refresh=True)
        else:
            for job in running:
                self._print_epochs(job.number, job.cell, job.run_dir)

    def _print(self, index: int, cell: Cell, text: str) -> None:
        tell(self._console, f"[{index + 1}/{self._total}] {cell.label}: {text}")

    def _print_epochs(self, index: int, cell: Cell, run_dir: Path) -> None:
        """A line for each epoch that metrics.csv has and the reader has not; only where there is no terminal."""
        if self._live or run_dir not in self._epochs_printed:
            return
        place = run_dir if run_dir.is_dir() else cell.directory  # a redo that is complete has taken its cell's place
        rows, status = read_metrics(place), read_status(place)
        epochs = cell.config["recipe"]["epochs"]
        for row in rows[self._epochs_printed[run_dir] :]:
            now = Status(**{**status, "epochs": epochs, "epoch": int(row["epoch"]), "val_top1": row["val/top1"]})
            tell(self._console, f"[{index + 1}/{self._total}] {describe_progress(now)}")
        self._epochs_printed[run_dir] = max(len(rows), self._epochs_printed[run_dir])
