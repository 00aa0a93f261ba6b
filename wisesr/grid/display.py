"""What the terminal shows: a bar for the cell that runs, plain lines where there is no terminal, a table at the end."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, NamedTuple

from rich import box
from rich.console import Console, Group
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table

from wisesr.grid.axes import extra_axes, leaves
from wisesr.grid.cells import Cell
from wisesr.grid.process import log_tail
from wisesr.results.record import read_record
from wisesr.results.status import Status


class Ended(NamedTuple):
    """A cell and how it ended."""

    cell: Cell
    state: str
    """done, skipped, failed, busy, interrupted, or waiting if it was never started."""
    reason: str = ""


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


def clock(seconds: float) -> str:
    """1:02:03, or 2:03 below an hour."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class Live:
    """Progress of one cell at a time.

    Args:
        console: to show it on.
        total: cells of the grid.
    """

    def __init__(self, console: Console, total: int) -> None:
        self._console, self._total = console, total
        self._epoch: tuple[str, int] | None = None
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
        self._epoch = None
        title = f"[{number}/{self._total}] {cell.label}"
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
        elif status.get("state") == "training" and "val_top1" in status:
            if self._epoch != (now := ("training", status["epoch"])):
                self._epoch = now
                self._console.print(escape(f"    {figures(status)}"))

    def end(self, number: int, ended: Ended) -> None:
        """The cell has ended."""
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None
        reason = f" ({ended.reason.splitlines()[0]})" if ended.reason else ""
        self._console.print(escape(f"[{number}/{self._total}] {ended.cell.label}: {ended.state}{reason}"))


def results_table(ended: Sequence[Ended]) -> Table:
    """A row a cell, a column for whatever else varies; figures come from the records on disk."""
    axes = extra_axes([item.cell.config for item in ended])
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("dataset", "backbone", "head"):
        table.add_column(name, overflow="fold")
    if axes:
        table.add_column("settings", overflow="fold")
    for name in ("seed", "epoch", "val top-1", "test top-1", "macro F1", "head parameters", "trained"):
        table.add_column(name, justify="right")
    table.add_column("state")
    for item in ended:
        config = item.cell.config
        table.add_row(
            f"{config['dataset']['name']}-{config['resolution']['size']}",
            config["backbone"]["name"],
            config["head"]["name"],
            *([" ".join(f"{axis}={leaves(config)[axis]}" for axis in axes if axis in leaves(config))] if axes else []),
            str(config["seed"]),
            *_figures(read_record(item.cell.directory)),
            item.state,
        )
    return table


def _figures(record: dict[str, Any] | None) -> list[str]:
    if record is None:
        return ["-"] * 6
    best, cost = record["metrics"]["best"], record["cost"]
    return [
        f"{best['epoch']:.0f}",
        f"{best['val/top1']:.4f}",
        f"{best['test/top1']:.4f}",
        f"{best['test/macro_f1']:.4f}",
        f"{cost['parameters']['head_parameters']:,}",
        clock(cost["train_seconds"]),
    ]


def summary(ended: Sequence[Ended]) -> Group:
    """The table, how its figures were obtained, and the reasons of failure with the last lines of each log."""
    lines = []
    for selection in sorted({r["selection"] for item in ended if (r := read_record(item.cell.directory))}):
        lines.append(f"The epoch of each row has the {selection}.")
    for item in ended:
        if item.state in ("failed", "busy"):
            lines += ["", f"{item.cell.label}: {item.state}: {item.reason}", f"  {item.cell.directory}"]
        if item.state == "failed":
            lines += [f"  | {line}" for line in log_tail(item.cell.directory)]
    return Group(results_table(ended), escape("\n".join(lines)))
