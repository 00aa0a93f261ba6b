"""Columns of what is known of files, kept for as long as a file is the same by path, size and times. No torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from wisesr.data.file_images import FileImages
from wisesr.data.kept import keep, key_of, read_kept
from wisesr.data.packed import Names

_KIND = "contents"

Columns = TypeVar("Columns", bound=tuple[NDArray[Any], ...])
Arrays = dict[str, NDArray[Any]]


class FileCache:
    """What is kept of the files below a folder, as one version of the code finds it out.

    Args:
        base: the folder.
        columns: their names.
        version: whatever else their values depend on.
    """

    def __init__(self, base: Path, columns: tuple[str, ...], *version: object) -> None:
        self.key = key_of(os.path.realpath(base), columns, version)
        self._columns = columns
        kept = read_kept(_KIND, self.key)
        self._kept = kept if kept is not None and {"names", *self._names()} <= kept.keys() else None

    def _names(self) -> tuple[str, ...]:
        return ("sizes", "changed", "touched", *self._columns)

    def look_up(self, names: Names, files: FileImages, empty: Columns) -> tuple[NDArray[np.bool_], Columns]:
        """Which files are known, and the columns, filled in for those and else as in `empty`.

        Args:
            names: of the files, below the folder.
            files: their sizes and times.
            empty: a column for each of the cache's.
        """
        known = np.zeros(len(names), bool)
        before = self._kept
        if before is None or not len(names):
            return known, empty
        rows = _rows_of(names, Names(content=before["names"]))
        there = np.flatnonzero(rows >= 0)
        for name in ("sizes", "changed", "touched"):
            there = there[before[name][rows[there]] == getattr(files, name)[there]]
        known[there] = True
        for name, column in zip(self._columns, empty, strict=True):
            column[there] = before[name][rows[there]]
        return known, empty

    def keep(self, names: Names, files: FileImages, columns: tuple[NDArray[Any], ...], rows: NDArray[np.int64]) -> None:
        """Keep what is known of the files at some rows, and behind it what was kept of others before."""
        texts = list(names)
        content = {"names": Names(texts[at] for at in rows).content}
        content |= {name: getattr(files, name)[rows] for name in ("sizes", "changed", "touched")}
        content |= {name: column[rows] for name, column in zip(self._columns, columns, strict=True)}
        keep(_KIND, self.key, _joined(self._kept, content))


def _rows_of(names: Names, before: Names) -> NDArray[np.int64]:
    """For each name its row among the earlier ones; -1 where it has none."""
    if np.array_equal(names.content, before.content):
        return np.arange(len(names))
    place = {name: row for row, name in enumerate(before)}
    return np.array([place.get(name, -1) for name in names], np.int64)


def _joined(before: Mapping[str, NDArray[Any]] | None, now: Arrays) -> Arrays:
    """What is known now, and what was known of other files of the folder: of another part of it, or of another list."""
    if before is None:
        return now
    new, old = set(Names(content=now["names"])), list(Names(content=before["names"]))
    others = np.array([row for row, name in enumerate(old) if name not in new], np.int64)
    joined = {name: np.concatenate([now[name], before[name][others]]) for name in now if name != "names"}
    return {"names": np.concatenate([now["names"], Names(old[row] for row in others).content]), **joined}
