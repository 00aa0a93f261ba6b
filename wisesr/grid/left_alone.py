"""What a grid says of cells that it leaves alone: in short before it starts, in full with its table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from wisesr.grid.outcome import CellOutcome
from wisesr.results.left_alone import LeftAlone, left_alone_in_short, left_alone_lines, status_command
from wisesr.results.state import State
from wisesr.terminal import tell

_NO_FORCE = (
    "grid.force=true does not redo damaged cells: a redo stands beside the record until it is complete, and what these hold "
    "cannot be relied on"
)


def left_alone(outcomes: Sequence[CellOutcome]) -> list[LeftAlone]:
    """Damaged cells of a grid, and those of a newer version."""
    return [
        LeftAlone(outcome.cell.label, outcome.cell.directory, outcome.state, outcome.reason)
        for outcome in outcomes
        if outcome.state.is_left_alone
    ]


def tell_left_alone(outcomes: Sequence[CellOutcome], console: Console, *, force: bool, tabled: bool) -> None:
    """Say before the start, in red, what is left alone.

    Args:
        outcomes: of all cells.
        console: the terminal.
        force: whether finished cells are redone.
        tabled: whether a table comes at the end, which says what to do about them.
    """
    cells = left_alone(outcomes)
    if not cells:
        return
    if tabled:
        way = f"The way out stands below the table, and in {status_command(cells)}"
        lines = [f"{left_alone_in_short(cells)}. {way}"]
    else:
        lines = left_alone_lines(cells)
    if force and any(cell.state is State.DAMAGED for cell in cells):
        lines.append(f"{_NO_FORCE}. First the way out, then the same command")
    for line in lines:
        tell(console, line, "red")
