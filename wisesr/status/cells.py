"""Where the cells on disk stand, also while they run: all of it read once, what cannot be read named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from wisesr.config.files import load_cell
from wisesr.config.identity import computation
from wisesr.errors import UserError
from wisesr.grid.cell_dirs import Cell, make_cells
from wisesr.grid.eta import RUNNING, Work, work
from wisesr.results.lock import is_running
from wisesr.results.record import read_record
from wisesr.results.redo import REDO
from wisesr.results.status_file import Status, read_status
from wisesr.results.store import state_of

# What tables show; a cell of another version may lack it.
_CONFIG_KEYS = ("study", "seed", "dataset.name", "resolution.size", "backbone.name", "head.name")
_RECORD_KEYS = (
    *(f"metrics.best.{name}" for name in ("epoch", "val/top1", "test/top1", "test/macro_f1")),
    *("cost.parameters.head_parameters", "cost.train_seconds", "provenance.data.left_out", "selection"),
)


class CellStatus(NamedTuple):
    """A cell on disk and where it stands."""

    cell: Cell
    state: str
    """As of `state_of`."""
    reason: str
    status: Status
    record: Mapping[str, Any] | None
    redo: CellStatus | None = None
    """The computation anew of a finished cell, where there is one."""

    @property
    def is_running(self) -> bool:
        """Whether a process computes it, for the first time or anew."""
        return self.state in RUNNING or (self.redo is not None and self.redo.is_running)

    @property
    def work(self) -> Work:
        """What it still needs, for the estimate."""
        seen = self.redo or self
        return work(self.cell.config, seen.state, seen.status, seen.record)


def read_cell_statuses(directories: Iterable[Path]) -> tuple[list[CellStatus], list[str]]:
    """Cells of directories, as `find_cells` finds them.

    Returns:
        The cells, and for each that cannot be read its directory and what is wrong with it.
    """
    statuses: dict[Path, CellStatus] = {}
    damaged = []
    for directory in directories:
        try:
            statuses[directory] = _standing(Cell(load_cell(directory), directory))
        except (UserError, OSError) as error:
            text = " ".join(str(error).split())
            damaged.append(text if str(directory) in text else f"{directory}: {text}")
    cells = make_cells([standing.cell.config for standing in statuses.values()], list(statuses))
    return [_named(statuses[cell.directory], cell) for cell in cells], damaged


def _named(standing: CellStatus, cell: Cell) -> CellStatus:
    """With the settings that tell the cell from its neighbours, which only all cells together show."""
    redo = standing.redo and standing.redo._replace(cell=cell._replace(directory=standing.redo.cell.directory))
    return standing._replace(cell=cell, redo=redo)


def _standing(cell: Cell) -> CellStatus:
    """Raises UserError for what lacks something that tables show."""
    directory, redo = cell.directory, cell.directory / REDO
    held = is_running(directory)
    state, reason = state_of(directory, running=held)
    standing = CellStatus(cell, state, reason, read_status(directory), read_record(directory))
    record = standing.record
    _check(cell.config, record)
    if record is None or not (redo / "config.yaml").is_file():
        return standing
    state, reason = state_of(redo, running=held or is_running(redo))
    return standing._replace(
        redo=CellStatus(cell._replace(directory=redo), state, reason, read_status(redo), read_record(redo))
    )


def _check(config: Mapping[str, Any], record: Mapping[str, Any] | None) -> None:
    """Raises UserError for what lacks something that tables show."""
    absent = [name for name in _CONFIG_KEYS if not isinstance(_at(config, name), (str, int))]
    absent += [name for name in _RECORD_KEYS if record is not None and _at(record, name) is None]
    if absent:
        raise UserError(f"written by another version, or damaged: no {', '.join(absent)}")
    try:
        computation(config)
    except (AttributeError, TypeError) as error:  # a value where a group belongs, or one that no configuration has
        raise UserError(f"written by another version, or damaged: {error}") from None


def _at(values: Any, name: str) -> Any:
    """The value of a dotted name; None where it leads to nothing."""
    for key in name.split("."):
        values = values.get(key) if isinstance(values, Mapping) else None
    return values
