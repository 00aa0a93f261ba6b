"""What the terminal shows while cells run: one live table, or plain lines where there is no terminal."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from rich import box
from rich.console import Console, Group
from rich.live import Live as LiveDisplay
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.progress_bar import ProgressBar
from rich.table import Table

from wisesr.grid.cell_dirs import Cell
from wisesr.grid.eta import Work, seconds_left, work
from wisesr.grid.results_table import CellOutcome, clock
from wisesr.grid.schedule import Running
from wisesr.results.metrics import read_metrics
from wisesr.results.record import read_record
from wisesr.results.status_file import Status, read_status

Item = TypeVar("Item")

_PATIENCE = 2.0
"""Seconds before a bar shows how far something is."""

_AROUND = 8
"""Lines of the terminal that are not rows of the table."""

_REFRESH = 0.5
"""Seconds between two looks at the status files."""


def make_console(*, live: bool = True) -> Console:
    """The terminal; where there is none, or it may not be drawn on, lines wide enough for the table."""
    console = Console(highlight=False, force_terminal=None if live else False)
    return console if console.is_terminal else Console(highlight=False, width=160, soft_wrap=True)


def tracked(items: Iterable[Item], total: int, words: str, console: Console) -> Iterator[Item]:
    """The items; a bar for what is left of them after two seconds, on a terminal.

    Args:
        items: made while they are taken.
        total: how many.
        words: what is being done.
        console: to show it on.
    """
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    progress = Progress(*columns, console=console, transient=True)
    task, began = progress.add_task(words, total=total), time.monotonic()
    try:
        for item in items:
            yield item
            progress.advance(task)
            if console.is_terminal and not progress.live.is_started and time.monotonic() - began > _PATIENCE:
                progress.start()
    finally:
        if progress.live.is_started:
            progress.stop()


def figures(status: Status) -> str:
    """`epoch 1/3  val top-1 0.953  47 images/s  0:38 left`, as far as known; epochs are finished ones."""
    parts = []
    if "epochs" in status:
        parts.append(f"epoch {status['epoch']}/{status['epochs']}")
    if "val_top1" in status:
        parts.append(f"val top-1 {status['val_top1']:.3f}")
    if status.get("images_per_second"):
        parts.append(f"{status['images_per_second']:.0f} images/s")
    if "seconds_left" in status:
        parts.append(f"{clock(status['seconds_left'])} left")
    return "  ".join(parts)


class Display:
    """Shows a grid while it runs.

    Args:
        console: to show it on.
        total: cells of the grid.
        remote: whether cells are jobs of a cluster.
    """

    def __init__(self, console: Console, total: int, *, remote: bool = False) -> None:
        self._console, self._total, self._remote = console, total, remote
        self._live = LiveDisplay(console=console, transient=True, auto_refresh=False) if console.is_terminal else None
        self._looked = 0.0
        self._began = time.monotonic()
        self._told: dict[Path, int] = {}
        self._waited: set[int] = set()
        self._known: dict[int, tuple[str, Work]] = {}

    def __enter__(self) -> Display:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live:
            self._live.stop()

    def started(self, running: Running, reason: str) -> None:
        """A line for a cell that starts; on a terminal only where there is something to say that the table does not show."""
        done = len(read_metrics(running.work))
        self._told[running.work] = done
        words = f"continues after epoch {done}" if done else reason
        if words or not self._live:
            where = f"{running.job.name}, " if running.job is not None and running.job.name else ""
            self._say(running.number, running.cell, f"{words or 'started'}, {where}{running.work}")

    def elsewhere(self, index: int, cell: Cell) -> None:
        """A line for a cell that another process runs, where there is no table to show it."""
        if not self._live and index not in self._waited:
            self._waited.add(index)
            self._say(index, cell, "another process runs it; it is waited for")

    def ended(self, index: int, ended: CellOutcome) -> None:
        """A line for a cell that has ended."""
        if ended.work is not None:
            self._tell_epochs(index, ended.cell, ended.work)
        reason = f" ({ended.reason.splitlines()[0]})" if ended.reason else ""
        self._say(index, ended.cell, f"{ended.state}{reason}")

    def stopping(self) -> None:
        """Ctrl-C was heard."""
        cells = "jobs go on without this command" if self._remote else "running cells end. Ctrl-C again ends them at once"
        self._console.print(f"Stopping: nothing new starts, {cells}.")

    def update(self, standing: Sequence[CellOutcome], running: Sequence[Running], elsewhere: Sequence[Cell]) -> None:
        """Look at the status files, twice a second."""
        if time.monotonic() - self._looked < _REFRESH:
            return
        self._looked = time.monotonic()
        statuses = [_status(one) for one in running]
        if self._live:
            self._live.update(self._table(standing, running, statuses, elsewhere), refresh=True)
        else:
            for one in running:
                self._tell_epochs(one.number, one.cell, one.work)

    def _say(self, index: int, cell: Cell, words: str) -> None:
        self._console.print(escape(f"[{index + 1}/{self._total}] {cell.label}: {words}"))

    def _tell_epochs(self, index: int, cell: Cell, work: Path) -> None:
        """A line for each epoch that metrics.csv has and the reader has not; only where there is no terminal."""
        if self._live or work not in self._told:
            return
        place = work if work.is_dir() else cell.directory  # a redo that is complete has taken its cell's place
        rows, status = read_metrics(place), read_status(place)
        epochs = cell.config["recipe"]["epochs"]
        for row in rows[self._told[work] :]:
            now = Status(**{**status, "epochs": epochs, "epoch": int(row["epoch"]), "val_top1": row["val/top1"]})
            self._console.print(escape(f"[{index + 1}/{self._total}] {figures(now)}"))
        self._told[work] = max(len(rows), self._told[work])

    def _table(
        self, standing: Sequence[CellOutcome], running: Sequence[Running], statuses: Sequence[Status], elsewhere: Sequence[Cell]
    ) -> Group:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("cell", overflow="fold", ratio=1)
        for name in ("where", "state", "", "epoch", "val top-1", "images/s", "left"):
            table.add_column(name, justify="right" if name in ("epoch", "val top-1", "images/s", "left") else "left")
        rows = [
            (f"[{one.number + 1}] {one.cell.label}", str(one.slot), status)
            for one, status in zip(running, statuses, strict=True)
        ]
        room = max(3, self._console.height - _AROUND)  # what is taller than the terminal is cut off
        rows += [(cell.label, "elsewhere", read_status(cell.directory)) for cell in elsewhere]
        for label, where, status in rows[:room]:
            table.add_row(escape(label), where, *_row(status))
        more = f"and {len(rows) - room} more that run" if len(rows) > room else ""
        return Group(self._line(standing, running, statuses, elsewhere), table, more)

    def _line(
        self, standing: Sequence[CellOutcome], running: Sequence[Running], statuses: Sequence[Status], elsewhere: Sequence[Cell]
    ) -> str:
        """`12 cells: 5 done, 2 running, 5 waiting; 0:12:00 so far, about 0:43:10 left`."""
        counts = Counter("done" if item.state == "skipped" else item.state for item in standing)
        if elsewhere:
            counts["waiting"] -= len(elsewhere)
            counts["running elsewhere"] = len(elsewhere)
        words = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
        left = seconds_left(self._works(standing, running, statuses))
        after = f", about {clock(left)} left" if left is not None else ""
        return escape(f"{self._total} cells: {words}; {clock(time.monotonic() - self._began)} so far{after}")

    def _works(self, standing: Sequence[CellOutcome], running: Sequence[Running], statuses: Sequence[Status]) -> list[Work]:
        """For the estimate; of cells that do not run, each is looked at once per state."""
        now = {one.number: status for one, status in zip(running, statuses, strict=True)}
        works = []
        for index, item in enumerate(standing):
            if index in now:
                works.append(work(item.cell.config, now[index].get("state", "starting"), now[index], None))
                continue
            if self._known.get(index, ("",))[0] != item.state:
                status, record = read_status(item.cell.directory), read_record(item.cell.directory)
                self._known[index] = (item.state, work(item.cell.config, item.state, status, record))
            works.append(self._known[index][1])
        return works


def _status(running: Running) -> Status:
    """The status of this attempt; what an earlier one left is none."""
    status = read_status(running.work)
    waiting = "queued" if running.slot.cluster else "starting"
    return status if status.get("time", 0) >= running.began else Status(state=waiting)


def _row(status: Status) -> tuple[str | ProgressBar, ...]:
    steps = status.get("steps", 0)
    return (
        status.get("state", "starting"),
        ProgressBar(total=steps, completed=status.get("step", 0), width=12) if steps else "",
        f"{status['epoch']}/{status['epochs']}" if "epochs" in status else "",
        f"{status['val_top1']:.4f}" if "val_top1" in status else "",
        f"{status['images_per_second']:.0f}" if status.get("images_per_second") else "",
        clock(status["seconds_left"]) if "seconds_left" in status else "",
    )
