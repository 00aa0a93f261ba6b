"""The table of a grid while it runs: a line of counts, then a row for each cell that runs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

from rich import box
from rich.console import Group
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table

from wisesr.grid.cell_dirs import Cell
from wisesr.grid.console import clock
from wisesr.grid.eta import CellTime, cell_time, seconds_left
from wisesr.grid.outcome import CellOutcome, Running
from wisesr.results.record_file import read_record
from wisesr.results.state import State
from wisesr.results.status_file import Status, read_status
from wisesr.wording import count_of

_AROUND = 8
"""Lines of the terminal that are not rows of the table."""

Current = Sequence[tuple[Running, Status]]
"""Cells that this grid runs, with what they say of themselves."""

_FIGURES = ("epoch", "val top-1", "images/s", "left")


class LiveTable:
    """Renders the table of a grid of `total` cells, anew whenever it is asked."""

    def __init__(self, total: int) -> None:
        self._total, self._began = total, time.monotonic()
        self._idle_times: dict[int, tuple[State, CellTime]] = {}

    def render(
        self, outcomes: Sequence[CellOutcome], running: Sequence[Running], elsewhere: Sequence[Cell], height: int
    ) -> Group:
        """What is shown now; rows that a terminal of `height` lines would cut off are only counted."""
        current = [(job, _current_status(job)) for job in running]
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("cell", overflow="fold", ratio=1)
        for name in ("where", "state", "", *_FIGURES):
            table.add_column(name, justify="right" if name in _FIGURES else "left")
        rows = [(f"[{job.number + 1}] {job.cell.label}", str(job.slot), status) for job, status in current]
        rows += [(cell.label, "elsewhere", read_status(cell.directory)) for cell in elsewhere]
        room = max(3, height - _AROUND)
        for label, where, status in rows[:room]:
            table.add_row(escape(label), where, *_row(status))
        more = f"and {count_of(len(rows) - room, 'more cell')} running" if len(rows) > room else ""
        return Group(self._headline(outcomes, current, len(elsewhere)), table, more)

    def _headline(self, outcomes: Sequence[CellOutcome], current: Current, elsewhere: int) -> str:
        """`12 cells: 5 done, 2 running, 5 waiting; 0:12:00 so far, about 0:43:10 left`."""
        counts = Counter(str(State.DONE if outcome.state.is_done else outcome.state) for outcome in outcomes)
        if elsewhere:
            counts[str(State.WAITING)] -= elsewhere
            counts["running elsewhere"] = elsewhere
        listed = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
        left = seconds_left(self._times(outcomes, current))
        after = f", about {clock(left)} left" if left is not None else ""
        return escape(f"{self._total} cells: {listed}; {clock(time.monotonic() - self._began)} so far{after}")

    def _times(self, outcomes: Sequence[CellOutcome], current: Current) -> list[CellTime]:
        """For the estimate; the files of cells that do not run are read once per state."""
        now = {job.number: status for job, status in current}
        times = []
        for index, (cell, state, *_) in enumerate(outcomes):
            if index in now:
                times.append(cell_time(cell.config, now[index].get("state", State.STARTING), now[index], None))
                continue
            if index not in self._idle_times or self._idle_times[index][0] is not state:
                status, record = read_status(cell.directory), read_record(cell.directory)
                self._idle_times[index] = (state, cell_time(cell.config, state, status, record))
            times.append(self._idle_times[index][1])
        return times


def _current_status(job: Running) -> Status:
    """The status of this attempt; what an earlier one left is none."""
    status = read_status(job.run_dir)
    waiting = State.QUEUED if job.slot.cluster else State.STARTING
    return status if status.get("time", 0) >= job.began else Status(state=waiting)


def _row(status: Status) -> tuple[str | ProgressBar, ...]:
    """What the columns from `state` on show."""
    steps = status.get("steps", 0)
    return (
        str(status.get("state", State.STARTING)),
        ProgressBar(total=steps, completed=status.get("step", 0), width=12) if steps else "",
        f"{status['epoch']}/{status['epochs']}" if "epochs" in status else "",
        f"{status['val_top1']:.4f}" if "val_top1" in status else "",
        f"{status['images_per_second']:.0f}" if status.get("images_per_second") else "",
        clock(status["seconds_left"]) if "seconds_left" in status else "",
    )
