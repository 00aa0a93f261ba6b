"""Finding cells on disk, and their states."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from wisesr.errors import UserError
from wisesr.results.cell_files import CONFIG, FROZEN, LAST, RESULT, STARTED
from wisesr.results.record_file import read_record
from wisesr.results.state import State
from wisesr.results.status_file import read_status


def find_cells(root: Path) -> list[Path]:
    """Cells below `root`, or `root` itself, sorted: `seed-*` directories that hold a `config.yaml`, or have lost it.

    Nothing inside a cell is one: loggers keep a `config.yaml` there, and so does a cell that is being redone, in `redo/`.
    """
    cells = []
    for place, folders, files in os.walk(root):
        path = Path(place)
        named = (path.absolute() if path == root else path).name.startswith("seed-")
        if (CONFIG in files and (named or path == root)) or (named and _has_lost_config(files)):
            cells.append(path)
            if named:
                folders.clear()
        folders[:] = [name for name in folders if name != FROZEN]
    return sorted(cells)


def is_cell(place: Path) -> bool:
    """Whether a directory is a cell, or a `seed-*` one that has lost its `config.yaml`."""
    try:
        if (place / CONFIG).is_file():
            return True
        named = place.absolute().name.startswith("seed-")
        return named and _has_lost_config([name for name in (RESULT, STARTED) if (place / name).is_file()])
    except OSError:  # a name that is too long, a folder that nobody may look into
        return False


def _has_lost_config(files: Sequence[str]) -> bool:
    """Whether there are files of a cell that come after its `config.yaml`."""
    return RESULT in files or STARTED in files


def cell_around(path: Path) -> Path | None:
    """The cell that a path, which need not be there yet, is or lies in; links are followed. None where it is in none."""
    for start in (path.absolute(), Path(os.path.realpath(path))):
        for place in (start, *start.parents):
            if is_cell(place) and (place.name.startswith("seed-") or (place / RESULT).exists()):
                return place
    return None


def refuse_cells(option: str, output: Path) -> None:
    """Refuse an output that is a cell or lies in one, where nothing but its own files may be.

    Raises:
        UserError: it does; the text names the option.
    """
    if (cell := cell_around(output)) is not None:
        raise UserError(f"{option}: {output} lies in the cell {cell}, where nothing but its own files may be: name another")


def state_of(directory: Path, *, running: bool) -> tuple[State, str]:
    """State of a cell on disk, and the reason if it failed; `running` where a process holds its lock.

    Returns:
        DONE with a record; TRAINING, TESTING or STARTING while it runs; else FAILED, INTERRUPTED or WAITING.
    """
    if read_record(directory) is not None:
        return State.DONE, ""
    status = read_status(directory)
    state = status.get("state")
    if running:  # what an earlier attempt ended with is none of its states
        return (state if state in (State.TRAINING, State.TESTING) else State.STARTING), ""
    if state is State.FAILED:
        return State.FAILED, status.get("reason", "")
    return (State.INTERRUPTED if status or (directory / LAST).exists() else State.WAITING), ""
