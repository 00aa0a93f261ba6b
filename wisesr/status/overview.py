"""What `wisesr status` prints: counts and what is left, the matrix, what runs, what failed, and how to go on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from wisesr.errors import UserError
from wisesr.grid.cell_process import log_tail
from wisesr.grid.display import figures, make_console, tracked
from wisesr.grid.eta import RUNNING, seconds_left
from wisesr.grid.results_table import CellOutcome, summary
from wisesr.results.redo import REDO
from wisesr.results.store import find_cells
from wisesr.status.cells import CellStatus, read_cell_statuses
from wisesr.status.matrix import counts, matrices, word

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
        raise UserError(f"there are no cells below {root}: a cell is a directory with a config.yaml, made by train.py")
    statuses, damaged = read_cell_statuses(tracked(directories, len(directories), "reading cells", console))
    if statuses:
        _print_standings(console, statuses, table=table)
    if damaged:
        _print_lines(console, ["", "Left out, being no cells that can be read:", *(f"  {one}" for one in damaged)])


def _print_standings(console: Console, statuses: Sequence[CellStatus], *, table: bool) -> None:
    console.print(headline(statuses))
    cells, redos = _named(statuses)
    if table:  # its summary has the failures of the cells themselves
        console.print(summary([_ended(standing) for standing in statuses], console.width))
    else:
        for matrix in matrices(statuses, console.width):
            console.print(matrix)
    _print_lines(console, _running(cells + redos))
    _print_lines(console, _failures(redos if table else cells + redos))
    _print_lines(console, _how_to_go_on(cells + redos))


def headline(statuses: Sequence[CellStatus]) -> str:
    """`12 cells: 8 done, 1 running, 3 waiting; about 0:43:10 left`."""
    redone = sum(standing.redo is not None for standing in statuses)
    parts = counts(statuses) + [f"{redone} of them with a redo"] * bool(redone)
    text = f"{len(statuses)} cell{'s' * (len(statuses) > 1)}: {', '.join(parts)}"
    works = [standing.work for standing in statuses]
    if not any(work.running or work.share for work in works):
        return text
    seconds = seconds_left(works)
    if seconds is None:
        return f"{text}; time left unknown"
    idle = "" if any(work.running for work in works) else " once it runs, one cell at a time"
    return f"{text}; about {timedelta(seconds=round(seconds))} left{idle}"


def _named(statuses: Iterable[CellStatus]) -> tuple[list[Named], list[Named]]:
    """Cells, and those computed anew, by name."""
    statuses = list(statuses)
    several = len({standing.cell.config["study"] for standing in statuses}) > 1
    cells = [(f"{one.cell.config['study']}: " * several + one.cell.label, one) for one in statuses]
    return cells, [(f"{label}, redo", one.redo) for label, one in cells if one.redo]


def _ended(standing: CellStatus) -> CellOutcome:
    """For the full table."""
    redo = f", redo: {word(standing.redo)}" if standing.redo else ""
    return CellOutcome(standing.cell, standing.state + redo, standing.reason)


def _running(named: Iterable[Named]) -> list[str]:
    lines = []
    for label, standing in named:
        if standing.state in RUNNING:
            known = figures(standing.status) if standing.state == "training" else ""
            lines.append(f"  {label}: {known or standing.state}")
    return ["Running:", *lines, ""] if lines else []


def _failures(named: Iterable[Named]) -> list[str]:
    """A block for each reason: it, the cells that failed for it, the end of the first one's log."""
    reasons: dict[str, list[Named]] = {}
    for label, standing in named:
        if standing.state == "failed":
            reasons.setdefault(standing.reason or "no reason was written down", []).append((label, standing))
    lines = []
    for reason, failed in reasons.items():
        lines.append(f"Failed: {reason}")
        for label, standing in failed:
            lines += [f"  {label}", f"    {standing.cell.directory}"]
        tail = log_tail(failed[0][1].cell.directory, _LOG_LINES)
        lines += [f"  the log{' of the first' * (len(failed) > 1)} ends:"] * bool(tail) + [f"  | {line}" for line in tail]
        lines.append("")
    return lines


def _how_to_go_on(named: Iterable[Named]) -> list[str]:
    states = {standing.state for _, standing in named}
    lines = []
    if "failed" in states:
        lines.append("Failed: the same command with grid.retry=failed tries them again; rm -r DIRECTORY forgets one.")
    idle = {"interrupted"} if states & set(RUNNING) else {"interrupted", "waiting"}  # the grid that runs will come to those
    redone = any(standing.state in idle and standing.cell.directory.name == REDO for _, standing in named)
    redo = " (with a redo: and grid.force=true)" if redone else ""
    if found := sorted(states & idle):
        lines.append(f"{' and '.join(found).capitalize()}: the same command goes on with them{redo}.")
    return lines


def _print_lines(console: Console, lines: Iterable[str]) -> None:
    """Paths stay whole, to be copied: lines are left to the terminal to break."""
    for line in lines:
        console.print(escape(line), soft_wrap=True)
