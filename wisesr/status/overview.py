"""What `wisesr status` prints: counts and what is left, the matrix, what runs, what failed, and how to go on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from wisesr.errors import UserError
from wisesr.grid.cell_process import log_tail
from wisesr.grid.cluster_queue import JobState
from wisesr.grid.console import clock, make_console, tracked
from wisesr.grid.display import describe_progress
from wisesr.grid.eta import seconds_left
from wisesr.grid.outcome import CellOutcome
from wisesr.grid.results_table import print_summary
from wisesr.results.left_alone import LeftAlone, left_alone_lines
from wisesr.results.redo import REDO
from wisesr.results.state import State
from wisesr.results.store import find_cells
from wisesr.status.cells import CellStatus, Nameless, read_cell_statuses
from wisesr.status.matrix import LEGEND, count_states, describe_state, matrices
from wisesr.status.queued import describe_job, queued_jobs
from wisesr.terminal import tell
from wisesr.wording import count_of

_LOG_LINES = 4

Named = tuple[str, CellStatus]
"""What a user calls a cell, and where it stands."""


def print_status(root: Path, *, table: bool = False) -> None:
    """Print where the cells below a directory stand.

    Args:
        root: outputs, a study, a cell.
        table: a row a cell with all figures, in place of the matrix.

    Raises:
        UserError: there are no cells.
    """
    console = make_console()
    directories = find_cells(root)
    if not directories:
        raise UserError(f"there are no cells below {root}: a cell is a directory with a config.yaml, made by training")
    statuses, nameless = read_cell_statuses(tracked(directories, len(directories), "reading cells", console))
    tell(console, headline(statuses, nameless))
    if statuses:
        _print_statuses(console, statuses, table=table)
    _print_lines(console, _left_alone([] if table else _named(statuses)[0], nameless))


def _print_statuses(console: Console, statuses: Sequence[CellStatus], *, table: bool) -> None:
    cells, redos = _named(statuses)
    if table:  # its summary has the failures of the cells themselves
        print_summary(console, [_outcome(status) for status in statuses], listed=True)
    else:
        console.print()
        for matrix in matrices(statuses, console.width):
            console.print(matrix, crop=False)
        tell(console, LEGEND)
    jobs = queued_jobs(status.cell.directory for _, status in cells + redos if not status.state.is_running)
    _print_lines(console, _running(cells + redos))
    _print_lines(console, _queued(cells + redos, jobs))
    _print_lines(console, _failures(redos if table else cells + redos))
    _print_lines(
        console, _how_to_go_on([(label, status) for label, status in cells + redos if status.cell.directory not in jobs])
    )


def headline(statuses: Sequence[CellStatus], nameless: Sequence[Nameless] = ()) -> str:
    """`12 cells: 8 done, 1 running, 3 waiting; about 43:10 left`."""
    redone = sum(status.redo is not None for status in statuses)
    cells: list[CellStatus | Nameless] = [*statuses, *nameless]
    parts = count_states(cells) + [f"{redone} of them with a redo"] * bool(redone)
    text = f"{count_of(len(cells), 'cell')}: {', '.join(parts)}"
    times = [status.time for status in statuses]
    if not any(time.running or time.share_left for time in times):
        return text
    seconds = seconds_left(times)
    if seconds is None:
        return f"{text}; time left unknown"
    idle = "" if any(time.running for time in times) else " once it runs, one cell at a time"
    return f"{text}; about {clock(seconds)} left{idle}"


def _named(statuses: Sequence[CellStatus]) -> tuple[list[Named], list[Named]]:
    """Cells, and those computed anew, by name."""
    several = len({status.labels.study for status in statuses}) > 1
    cells = [(f"{status.labels.study}: " * several + status.cell.label, status) for status in statuses]
    return cells, [(f"{label}, redo", status.redo) for label, status in cells if status.redo]


def _outcome(status: CellStatus) -> CellOutcome:
    """For the full table."""
    note = f", redo: {describe_state(status.redo)}" if status.redo else ""
    return CellOutcome(status.cell, status.state, status.reason, note=note)


def _running(named: Iterable[Named]) -> list[str]:
    """A line for each cell that runs."""
    lines = []
    for label, status in named:
        if status.state.is_running:
            known = status.state is State.TRAINING or "steps" in status.progress
            progress = describe_progress(status.progress) if known else ""
            lines.append(f"  {label}: {progress or describe_state(status)}")
    return ["Running:", *lines, ""] if lines else []


def _queued(named: Iterable[Named], jobs: Mapping[Path, tuple[str, JobState]]) -> list[str]:
    """A line for each cell whose job waits in the queue of a cluster."""
    own = [(label, jobs[status.cell.directory]) for label, status in named if status.cell.directory in jobs]
    return ["Queued:", *(f"  {label}: {describe_job(*job)}" for label, job in own), ""] if own else []


def _failures(named: Iterable[Named]) -> list[str]:
    """A block for each reason: it, the cells that failed for it, the end of the first one's log."""
    reasons: dict[str, list[Named]] = {}
    for label, status in named:
        if status.state is State.FAILED:
            reasons.setdefault(status.reason or "no reason was written down", []).append((label, status))
    lines = []
    for reason, failed in reasons.items():
        lines.append(f"Failed: {reason}")
        for label, status in failed:
            lines += [f"  {label}", f"    {status.cell.directory}"]
        tail = log_tail(failed[0][1].cell.directory, _LOG_LINES)
        lines += [f"  the log{' of the first' * (len(failed) > 1)} ends:"] * bool(tail) + [f"  | {line}" for line in tail]
        lines.append("")
    return lines


def _left_alone(named: Iterable[Named], nameless: Iterable[Nameless]) -> list[str]:
    """Damaged cells, and those of a newer version: what is wrong, and the way out of each."""
    cells = [
        LeftAlone(label, status.cell.directory, status.state, status.reason)
        for label, status in named
        if status.state.is_left_alone
    ]
    cells += [LeftAlone(str(cell.directory), cell.directory, cell.state, cell.reason) for cell in nameless]
    return left_alone_lines(cells, listed=True)


def _how_to_go_on(named: Sequence[Named]) -> list[str]:
    """What to do about cells that failed, and about those that nobody runs."""
    states = {status.state for _, status in named}
    lines = []
    if State.FAILED in states:
        lines.append("Failed: the same command with grid.retry=failed tries them again; rm -r DIRECTORY forgets one.")
    idle = {State.INTERRUPTED}
    if not any(state.is_running for state in states):  # else the grid that runs will come to those that wait
        idle.add(State.WAITING)
    redone = any(status.state in idle and status.cell.directory.name == REDO for _, status in named)
    redo = " (with a redo: and grid.force=true)" if redone else ""
    if stopped := sorted(states & idle):
        lines.append(f"{' and '.join(stopped).capitalize()}: the same command goes on with them{redo}.")
    return lines


def _print_lines(console: Console, lines: Iterable[str]) -> None:
    """Paths stay whole, to be copied."""
    for line in lines:
        tell(console, line)
