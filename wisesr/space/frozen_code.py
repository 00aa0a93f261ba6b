"""The code that a study was frozen with (`grid.frozen=true`): of no use once all of its cells are finished."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from wisesr.results.cell_files import FROZEN, RESULT
from wisesr.results.lock import is_running
from wisesr.results.redo import REDO
from wisesr.results.store import find_cells
from wisesr.space.leftovers import Kind, Leftover


def studies_of(cells: Iterable[Path]) -> list[Path]:
    """The folders of these cells' studies, each once: three above a cell's own."""
    places = (cell if len(cell.parents) > 2 else cell.absolute() for cell in cells)
    return list(dict.fromkeys(place.parents[2] for place in places if len(place.parents) > 2))


def frozen_code(study: Path) -> list[Leftover]:
    """The frozen code of a study that may go; none where a cell of it runs, is not finished, or is done anew."""
    place = study / FROZEN
    if not place.is_dir() or place.is_symlink() or not all(map(_is_at_rest, find_cells(study))):
        return []
    return [Leftover(Kind.CODE, place)]


def _is_at_rest(cell: Path) -> bool:
    return (cell / RESULT).is_file() and not (cell / REDO).exists() and not is_running(cell)
