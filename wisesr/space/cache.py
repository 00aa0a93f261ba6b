"""What this machine keeps of datasets between commands, for all studies: `wisesr.data.kept`. It may go at any time."""

from __future__ import annotations

import shutil
from pathlib import Path

from wisesr.data.kept import cache_dir
from wisesr.space.disk import File, files_below, freed

_OURS = ("contents", "manifests")
"""Folders of it. Not all that is there: WISESR_CACHE may name any folder, and locks are held."""


def cache_place() -> Path | None:
    """The folder; None where there is none."""
    try:
        place = cache_dir()
    except OSError:
        return None
    return place if place.is_dir() else None


def cache_files(place: Path) -> list[File]:
    """Its files that are wisesr's."""
    return [file for name in _OURS if not (place / name).is_symlink() for file in files_below(place / name)]


def clear_cache(place: Path) -> int:
    """Remove them, and answer how many bytes are free again. What a process writes there at the same time may stay."""
    count = freed(cache_files(place))
    for name in _OURS:
        if not (place / name).is_symlink():
            shutil.rmtree(place / name, ignore_errors=True)
    return count
