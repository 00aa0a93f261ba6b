"""Finding cells on disk, and telling where each stands."""

from __future__ import annotations

import os
from pathlib import Path

from wisesr.results.record import LAST, read_record
from wisesr.results.status_file import read_status


def find_cells(root: Path) -> list[Path]:
    """Cells below `root`, or `root` itself, sorted: `seed-*` directories that hold a `config.yaml`.

    Nothing inside a cell is one: loggers keep a `config.yaml` there, and so does a cell that is being redone, in `redo/`.
    """
    found = []
    for place, folders, files in os.walk(root):
        path = Path(place)
        if "config.yaml" in files and (path == root or path.name.startswith("seed-")):
            found.append(path)
            if path.absolute().name.startswith("seed-"):
                folders.clear()
    return sorted(found)


def state_of(directory: Path, *, running: bool) -> tuple[str, str]:
    """State and reason of a cell.

    Args:
        directory: of the cell.
        running: whether a process holds its lock.

    Returns:
        done, failed (with its reason), training, testing or starting while it runs, interrupted, or waiting.
    """
    if read_record(directory) is not None:
        return "done", ""
    status = read_status(directory)
    if running:  # what an earlier attempt ended with is none of its states
        state = status.get("state", "starting")
        return state if state in ("training", "testing") else "starting", ""
    if status.get("state") == "failed":
        return "failed", status.get("reason", "")
    return ("interrupted", "") if status or (directory / LAST).exists() else ("waiting", "")
