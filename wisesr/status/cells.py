"""Where the cells on disk stand, also while they run: all of it read once, what cannot be read named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from wisesr.damage import examine
from wisesr.errors import UserError
from wisesr.grid.cell_dirs import Cell, make_cells
from wisesr.grid.eta import CellTime, cell_time
from wisesr.results.cell_files import CONFIG
from wisesr.results.labels import Labels, parse_labels
from wisesr.results.lock import is_running
from wisesr.results.record import Record
from wisesr.results.record_file import read_record
from wisesr.results.redo import REDO
from wisesr.results.state import State
from wisesr.results.status_file import Status, read_status
from wisesr.results.store import state_of


@dataclass(frozen=True)
class CellStatus:
    """A cell on disk and where it stands."""

    cell: Cell
    labels: Labels
    state: State
    """As of `state_of`; DAMAGED or NEWER, as of `wisesr.damage`."""
    reason: str
    """Why it failed, or what is damaged and the way out."""
    progress: Status
    """Its `status.json`."""
    record: Record | None
    """Whose figures stand; of a damaged cell, too."""
    redo: CellStatus | None = None
    """The computation anew of a finished cell, where there is one."""

    @property
    def time(self) -> CellTime:
        """What it still needs, for the estimate."""
        seen = self.redo or self
        return cell_time(self.cell.config, seen.state, seen.progress, seen.record)


class Nameless(NamedTuple):
    """A cell of which not even a configuration can be read."""

    directory: Path
    state: State
    reason: str


def read_cell_statuses(directories: Iterable[Path]) -> tuple[list[CellStatus], list[Nameless]]:
    """Cells of directories, as `find_cells` finds them.

    Returns:
        The cells, and those of which not even a configuration can be read.
    """
    statuses: dict[Path, CellStatus] = {}
    nameless = []
    for directory in directories:
        status = _read(directory)
        if isinstance(status, Nameless):
            nameless.append(status)
        else:
            statuses[directory] = status
    cells = make_cells([status.cell.config for status in statuses.values()], list(statuses))
    return [_renamed(statuses[cell.directory], cell) for cell in cells], nameless


def _renamed(status: CellStatus, cell: Cell) -> CellStatus:
    """With the settings that tell the cell from its neighbours, which only all cells together show."""
    redo = status.redo and replace(status.redo, cell=cell._replace(directory=status.redo.cell.directory))
    return replace(status, cell=cell, redo=redo)


def _read(directory: Path) -> CellStatus | Nameless:
    """Where a cell stands."""
    try:
        held = is_running(directory)
        found = examine(directory, running=held)
        state, reason = (found.state, found.reason) if found.state else state_of(directory, running=held)
    except (UserError, OSError) as error:
        return Nameless(directory, State.DAMAGED, " ".join(str(error).split()))
    if found.config is None:
        return Nameless(directory, state, reason)
    config, record, labels = found.config, found.record, parse_labels(found.config)
    status = CellStatus(Cell(config, directory), labels, state, reason, read_status(directory), record)
    redo = directory / REDO
    if record is None or not (redo / CONFIG).is_file():
        return status
    state, reason = state_of(redo, running=held or is_running(redo))
    anew = CellStatus(Cell(config, redo), labels, state, reason, read_status(redo), read_record(redo))
    return replace(status, redo=anew)
