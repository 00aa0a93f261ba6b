"""Where the cells on disk stand, also while they run: all of it read once, what cannot be read named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wisesr.config.files import load_cell
from wisesr.config.identity import computation
from wisesr.errors import UserError
from wisesr.grid.cell_dirs import Cell, make_cells
from wisesr.grid.eta import CellTime, cell_time
from wisesr.results.cell_files import CONFIG
from wisesr.results.labels import Labels, parse_labels
from wisesr.results.lock import is_running
from wisesr.results.record import Record
from wisesr.results.record_file import load_record, read_record
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
    """As of `state_of`."""
    reason: str
    """Why it failed."""
    progress: Status
    """Its `status.json`."""
    record: Record | None
    redo: CellStatus | None = None
    """The computation anew of a finished cell, where there is one."""

    @property
    def time(self) -> CellTime:
        """What it still needs, for the estimate."""
        seen = self.redo or self
        return cell_time(self.cell.config, seen.state, seen.progress, seen.record)


def read_cell_statuses(directories: Iterable[Path]) -> tuple[list[CellStatus], list[str]]:
    """Cells of directories, as `find_cells` finds them.

    Returns:
        The cells, and for each that cannot be read its directory and what is wrong with it.
    """
    statuses: dict[Path, CellStatus] = {}
    damaged = []
    for directory in directories:
        try:
            statuses[directory] = _read(directory)
        except (UserError, OSError) as error:
            text = " ".join(str(error).split())
            damaged.append(text if str(directory) in text else f"{directory}: {text}")
    cells = make_cells([status.cell.config for status in statuses.values()], list(statuses))
    return [_renamed(statuses[cell.directory], cell) for cell in cells], damaged


def _renamed(status: CellStatus, cell: Cell) -> CellStatus:
    """With the settings that tell the cell from its neighbours, which only all cells together show."""
    redo = status.redo and replace(status.redo, cell=cell._replace(directory=status.redo.cell.directory))
    return replace(status, cell=cell, redo=redo)


def _read(directory: Path) -> CellStatus:
    """Where a cell stands.

    Raises:
        UserError: its configuration or its record is damaged, or of another version.
    """
    config = load_cell(directory)
    labels = parse_labels(config)
    _require_computation(config)
    held, record = is_running(directory), load_record(directory)
    state, reason = state_of(directory, running=held)
    status = CellStatus(Cell(config, directory), labels, state, reason, read_status(directory), record)
    redo = directory / REDO
    if record is None or not (redo / CONFIG).is_file():
        return status
    state, reason = state_of(redo, running=held or is_running(redo))
    anew = CellStatus(Cell(config, redo), labels, state, reason, read_status(redo), read_record(redo))
    return replace(status, redo=anew)


def _require_computation(config: Mapping[str, Any]) -> None:
    """Raise UserError for values of which no cell can be named: a value where a group belongs, a date."""
    try:
        computation(config)
    except (AttributeError, TypeError) as error:
        raise UserError(f"{CONFIG}: {error}") from None
