"""What this machine keeps of datasets between commands, for all studies: `wisesr.data.kept`. It may go at any time."""

from __future__ import annotations

import shutil
from pathlib import Path

from wisesr.data.kept import cache_dir
from wisesr.data.rows.stock import is_in_use, parts, remove, remove_empty, stores
from wisesr.space.disk import File, files_below, freed

CONTENTS, MANIFESTS = "contents", "manifests"
_OURS = (CONTENTS, MANIFESTS)
"""Folders of it beside those of rows. Not all that is there: WISESR_CACHE may name any folder, and locks are held."""


def cache_place() -> Path | None:
    """The folder; None where there is none."""
    try:
        place = cache_dir()
    except OSError:
        return None
    return place if place.is_dir() else None


def files_of_kind(place: Path, name: str) -> list[File]:
    """Files of a folder that is wisesr's, CONTENTS or MANIFESTS."""
    return [] if (place / name).is_symlink() else list(files_below(place / name))


def cache_files(place: Path) -> list[File]:
    """Its files that are wisesr's; rows that are in use do not count."""
    rows = [file for part in parts(place) if not is_in_use(part) for path in part.files for file in files_below(path)]
    return [*(file for name in _OURS for file in files_of_kind(place, name)), *rows]


def clear_kind(place: Path, name: str) -> int:
    """Remove CONTENTS or MANIFESTS, and answer how many bytes are free again."""
    count = freed(files_of_kind(place, name))
    if not (place / name).is_symlink():
        shutil.rmtree(place / name, ignore_errors=True)
    return count


def clear_cache(place: Path) -> int:
    """Remove all that is not in use, and answer how many bytes are free again.

    What a process writes there at the same time may stay.
    """
    count = sum(clear_kind(place, name) for name in _OURS)
    for part in parts(place):
        freed_by_it = freed(file for path in part.files for file in files_below(path))
        count += freed_by_it if remove(part) else 0
    for folder in stores(place):
        remove_empty(folder)
    return count
