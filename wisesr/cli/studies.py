"""Studies as they are named on the command line: by a directory, or by their name below outputs/."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from wisesr.errors import UserError, unknown

OUTPUTS = "outputs"
"""Where train.py puts studies unless told otherwise."""
_REPORT = "report.json"
"""In a folder that `wisesr report` has written."""
_NO_STUDIES = ("checks", "evaluations", "explained")
"""Folders below outputs/ that other commands write."""


def find_study(name: str) -> Path:
    """A directory, or one of that name below outputs/: of both the first with cells (a study may be called `tests`).

    Raises:
        UserError: the name is empty, or there is neither; it names the nearest of what is there.
    """
    if not name.strip():  # of a variable that is not set, most likely: `Path("")` is all that lies here
        raise UserError(f"{name!r} names no study: give a directory, or the name of one below {OUTPUTS}/")
    below = [Path(OUTPUTS, name)] if Path(name).name not in ("", "..") else []
    directories = [path for path in (Path(name), *below) if path.is_dir()]
    if not directories:
        raise UserError(_nearest(Path(name)))
    from wisesr.results.store import find_cells

    return next((path for path in directories if len(directories) > 1 and find_cells(path)), directories[0])


def _nearest(path: Path) -> str:
    """A message with what is there in place of a directory, beside the first part of its path that is missing."""
    if path == Path(OUTPUTS):
        return f"there is no directory {OUTPUTS} here: training makes it for its first cell"
    bare = len(path.parts) == 1
    while not path.parent.is_dir():
        path = path.parent
    if not bare:
        place = "here" if path.parent == Path() else f"below {path.parent}"
        return unknown(f"directory {place}", path.name, _folders(path.parent))
    studies = list(_folders(Path(OUTPUTS)))
    return unknown(f"directory, or study below {OUTPUTS}/,", path.name, [OUTPUTS, *studies] if studies else _folders(Path()))


def _folders(place: Path) -> Iterator[str]:
    """Names of the directories in a place, but for reports and what is hidden."""
    for path in place.glob("*/"):
        hidden = path.name.startswith(".") or path.name in _NO_STUDIES
        if path.is_dir() and not hidden and not (path / _REPORT).exists():
            yield path.name
