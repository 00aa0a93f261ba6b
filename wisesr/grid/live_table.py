"""The table of a grid while it runs: a line of counts, then a row for each cell that runs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from rich import box
from rich.console import Group
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from wisesr.grid.cell_dirs import Cell
from wisesr.grid.cluster_job import ClusterJob
from wisesr.grid.console import clock
from wisesr.grid.countdown import Countdown, coarse
from wisesr.grid.grid_time import GridTime
from wisesr.grid.outcome import CellOutcome, Running
from wisesr.results.state import State
from wisesr.results.status_file import Status, read_status
from wisesr.terminal import GAP, state_markup
from wisesr.wording import count_of, percent

_AROUND = 8
"""Lines of the terminal that are not rows of the table."""
_BAR = 12
"""Width of the bar of steps."""

Current = Sequence[tuple[Running, Status]]
"""Cells that this grid runs, with what they say of themselves."""
Row = tuple[str, dict[str, str | ProgressBar]]
"""The name of a cell, and what its columns show."""

_COLUMNS = ("where", "state", "steps", "epoch", "val top-1 %", "images/s", "left")
"""Beside the name."""
_FIGURES = ("epoch", "val top-1 %", "images/s", "left")
_LEAST = {"state": len("waits for images"), "steps": 0, "left": len("12 min")}
"""Widths that do not change while a cell goes from state to state."""
_DROPPED = ("where", "steps", "images/s")
"""What a narrow terminal does without, in this order."""
_MISSED = ("val top-1 %", "epoch")
"""What one does without that has no room for the rest beside folded names."""


class LiveTable:
    """Renders the table of a grid of `total` cells, anew whenever it is asked."""

    def __init__(self, total: int) -> None:
        self._total, self._began = total, time.monotonic()
        self._time = GridTime()
        self._left = Countdown()
        self._cells_left: dict[tuple[int, str], Countdown] = {}

    def render(
        self,
        outcomes: Sequence[CellOutcome],
        running: Sequence[Running],
        elsewhere: Sequence[Cell],
        height: int,
        width: int = 160,
    ) -> Group:
        """What is shown now on a terminal of so many lines and columns; rows that would be cut off are only counted."""
        current = [(job, _current_status(job)) for job in running]
        rows = [self._row(job, status) for job, status in current]
        rows += [(cell.label, _columns(read_status(cell.directory), "elsewhere", "")) for cell in elsewhere]
        room = max(3, height - _AROUND)
        more = f"and {count_of(len(rows) - room, 'more cell')} running" if len(rows) > room else ""
        headline = Text.from_markup(self._headline(outcomes, current, len(elsewhere)))  # what is printed above has none
        return Group(headline, _table(rows[:room], width), more) if rows else Group(headline)

    def _headline(self, outcomes: Sequence[CellOutcome], current: Current, elsewhere: int) -> str:
        """`12 cells: 5 done, 2 running, 5 waiting; 12:00 so far, about 43:10 left`."""
        counts = Counter(str(State.DONE if outcome.state.is_done else outcome.state) for outcome in outcomes)
        if elsewhere:
            counts[str(State.WAITING)] -= elsewhere
            counts["running elsewhere"] = elsewhere
        listed = ", ".join(state_markup(f"{count} {state}") for state, count in counts.items() if count)
        is_over = len(outcomes) == self._total and all(outcome.state.is_done for outcome in outcomes)
        seconds = self._time.seconds_left(outcomes, current)
        left = None if is_over else self._left.show(seconds, time.monotonic(), rough=not self._time.is_certain)
        shown = "" if left is None else clock(max(1.0, left)) if self._time.is_certain else coarse(left)
        after = f", {'' if shown.startswith('less') else 'about '}{shown} left" if shown else ""
        return f"{count_of(self._total, 'cell')}: {listed}; {clock(time.monotonic() - self._began)} so far{after}"

    def _row(self, job: Running, status: Status) -> Row:
        """Of a cell that this grid runs."""
        making = status.get("phase", "") if "steps" in status else ""  # before training; that has a countdown of its own
        countdown = self._cells_left.setdefault((job.number, making), Countdown())
        left = countdown.show(status.get("seconds_left"), time.monotonic())
        shown = ""
        if left is not None and "seconds_left" in status:
            shown = clock(left) if status.get("epoch") or making else coarse(left).replace("less than ", "<")
        return f"[{job.number + 1}] {job.cell.label}", _columns(status, str(job.slot), shown)


def _current_status(job: Running) -> Status:
    """The status of this attempt; what an earlier one left is none."""
    status = read_status(job.run_dir)
    why = job.job.waits if isinstance(job.job, ClusterJob) else ""
    if status.get("time", 0) >= job.began and not why:
        return status
    if not job.slot.cluster:
        return Status(state=State.STARTING)
    return Status(state=State.QUEUED, phase=f"{State.QUEUED}: {why}") if why else Status(state=State.QUEUED)


def _columns(status: Status, where: str, left: str) -> dict[str, str | ProgressBar]:
    """What the columns of a cell show."""
    steps = status.get("steps", 0)
    return {
        "where": where,
        "state": status.get("phase") or str(status.get("state", State.STARTING)),
        "steps": ProgressBar(total=steps, completed=status.get("step", 0), width=_BAR) if steps else "",
        "epoch": f"{status['epoch']}/{status['epochs']}" if "epochs" in status else "",
        "val top-1 %": percent(status["val_top1"]) if "val_top1" in status else "",
        "images/s": f"{status['images_per_second']:.0f}" if status.get("images_per_second") else "",
        "left": left,
    }


def _table(rows: Sequence[Row], width: int) -> Table:
    """The rows, without what a terminal of so many characters has no room for beside the longest name."""
    sizes = {name: max([_LEAST.get(name, len(name)), *(_length(own[name]) for _, own in rows)]) for name in _COLUMNS}
    named = max([len("cell"), *(len(label) for label, _ in rows)])
    titles = {name: name for name in _COLUMNS} | {"steps": ""}

    longest = max([len("cell"), *(len(word) for label, _ in rows for word in label.split())])

    def fits(names: int) -> bool:
        return 2 + names + sum(sizes[name] + GAP for name in titles) <= width

    for name in _DROPPED:
        if not fits(named):
            del titles[name]
    if not fits(named):
        titles["val top-1 %"], sizes["val top-1 %"] = "val\ntop-1 %", len("top-1 %")
    for name in _MISSED:
        if not fits(longest):  # names are folded then
            del titles[name]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, GAP - 1, 0, 0))
    table.add_column("cell", min_width=longest, overflow="fold", ratio=1)
    for name, title in titles.items():
        side: Literal["left", "right"] = "right" if name in _FIGURES else "left"
        table.add_column(title, justify=side, min_width=sizes[name], no_wrap=True)
    for label, columns in rows:
        table.add_row(escape(label), *(columns[name] for name in titles))
    return table


def _length(shown: str | ProgressBar) -> int:
    return len(shown) if isinstance(shown, str) else _BAR
