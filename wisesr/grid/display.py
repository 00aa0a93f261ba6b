"""What the terminal shows while cells run: a bar, or plain lines where there is no terminal."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from wisesr.grid.cells import Cell
from wisesr.grid.table import Ended, clock
from wisesr.results.record import read_metrics
from wisesr.results.status import Status, read_status


def make_console() -> Console:
    """The terminal; where there is none, lines wide enough for the table."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=160, soft_wrap=True)


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


class Live:
    """Progress of one cell at a time.

    Args:
        console: to show it on.
        total: cells of the grid.
    """

    def __init__(self, console: Console, total: int) -> None:
        self._console, self._total = console, total
        self._directory: Path | None = None
        self._told = 0
        columns = [TextColumn("{task.description}"), BarColumn(bar_width=30), TextColumn("{task.fields[figures]}")]
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task: TaskID | None = None

    def __enter__(self) -> Live:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.stop()

    def begin(self, number: int, cell: Cell) -> None:
        """The cell that runs from now on."""
        self._directory = cell.directory
        self._told = len(read_metrics(cell.directory))
        title = f"[{number}/{self._total}] {cell.label}"
        if self._told:
            self._console.print(escape(f"{title}: continues after epoch {self._told}"))
        if self._console.is_terminal:
            self._task = self._progress.add_task(escape(title), total=None, figures="starting")
        else:
            self._console.print(escape(f"{title}: started, {cell.directory}"))

    def update(self, status: Status) -> None:
        """Its latest status."""
        if self._task is not None:
            text = figures(status) if status.get("state") == "training" else status.get("state", "starting")
            text = text.replace("epoch 0/", "first epoch of ")
            self._progress.update(self._task, total=status.get("steps"), completed=status.get("step", 0), figures=text)
        else:
            self._tell_epochs(status)

    def _tell_epochs(self, status: Status) -> None:
        """A line for each epoch that metrics.csv has and the reader has not."""
        assert self._directory is not None
        rows = read_metrics(self._directory)
        for row in rows[self._told :]:
            now = Status(**{**status, "epoch": int(row["epoch"]), "val_top1": row["val/top1"]})
            self._console.print(escape(f"    {figures(now)}"))
        self._told = len(rows)

    def end(self, number: int, ended: Ended) -> None:
        """The cell has ended."""
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None
        elif self._directory == ended.cell.directory:
            self._tell_epochs(read_status(self._directory))
        reason = f" ({ended.reason.splitlines()[0]})" if ended.reason else ""
        self._console.print(escape(f"[{number}/{self._total}] {ended.cell.label}: {ended.state}{reason}"))
