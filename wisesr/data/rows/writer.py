"""Writes a file of rows so that a kill, or a machine that goes off, costs a block. No torch."""

from __future__ import annotations

import os
import secrets
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wisesr.data.mapped_arrays import write_arrays
from wisesr.data.rows.keys import KEY, Keys, sorting_order
from wisesr.data.rows.segment import Index, sizes_of
from wisesr.results.atomic_files import replacing

BLOCK = 32 * 2**20
"""Bytes after which what is written is on the disk for sure, and noted."""
BUILDING, JOURNAL = ".building.rows", ".building.journal"
PROMISED = ".promised"
"""Of a folder that is being written to: bytes that a writer will have written in the end."""
_TESTED = 64
"""Rows that are held against their checksums before a writer goes on behind them."""


class Writer:
    """Writes the next segment of a folder; for whoever holds the folder's lock.

    Whatever kills it, the next one goes on behind the last block that was noted, whoever wanted which rows.
    """

    def __init__(self, folder: Path, *, dimensions: int, item: int) -> None:
        """Open what an earlier one has left, or begin.

        Args:
            folder: of the store.
            dimensions: of a row.
            item: bytes of a value.

        Raises:
            OSError: the folder cannot be written.
        """
        self._folder = folder
        self._record = np.dtype([("key", "u1", (KEY,)), ("offset", "<i8"), ("shape", "<i4", (dimensions,)), ("check", "<u4")])
        before = self._left_behind(item)
        self._noted, self._open = [before], list[tuple[Any, ...]]()
        self._end = self._synced = int(sizes_of(before["shape"], item).sum())
        self._rows = (folder / BUILDING).open("r+b" if self._end else "w+b")
        try:
            self._journal = (folder / JOURNAL).open("r+b" if self._end else "w+b")
        except OSError:
            self._rows.close()
            raise
        for file, length in ((self._rows, self._end), (self._journal, before.nbytes)):
            file.truncate(length)
            file.seek(length)

    @property
    def begun(self) -> Keys:
        """(rows, KEY) of what an earlier one has left."""
        return np.ascontiguousarray(self._noted[0]["key"])

    def write(self, key: NDArray[np.uint8], values: NDArray[Any]) -> None:
        """Append a row; every few of them are brought to the disk.

        Args:
            key: (KEY,)
            values: of the writer's dimensions and bytes each.

        Raises:
            OSError: no room.
        """
        content = np.ascontiguousarray(values).reshape(-1).view(np.uint8).data
        self._rows.write(content)
        self._open.append((key, self._end, values.shape, zlib.crc32(content)))
        self._end += content.nbytes
        if self._end - self._synced >= BLOCK:
            self._sync()

    def _sync(self) -> None:
        """Bring to the disk what was written, then note it."""
        self._rows.flush()
        _to_disk(self._rows.fileno())
        rows = np.array(self._open, self._record) if self._open else np.empty(0, self._record)
        self._journal.write(rows.tobytes())
        self._journal.flush()
        _to_disk(self._journal.fileno())
        self._noted.append(rows)
        self._open, self._synced = [], self._end

    def finish(self, name: str) -> None:
        """Make a segment of all that was written.

        Args:
            name: of it, of `new_name`.

        Raises:
            OSError: no room, or what was written was removed.
        """
        self._sync()
        self.close()
        noted = np.concatenate(self._noted)
        noted = noted[sorting_order(noted["key"])]
        index = Index(*(np.ascontiguousarray(noted[column]) for column in ("key", "offset", "shape", "check")))
        with replacing(self._folder / f"{name}.npz") as partial, partial.open("wb") as file:
            write_arrays(file, index._asdict())
        os.replace(self._folder / BUILDING, self._folder / f"{name}.rows")  # from here on it is there
        (self._folder / JOURNAL).unlink(missing_ok=True)

    def close(self) -> None:
        """Leave what was written for a later one."""
        for file in (self._rows, self._journal):
            with suppress(OSError):  # what was not flushed, where the disk is full
                file.close()

    def _left_behind(self, item: int) -> NDArray[Any]:
        """Rows that a journal notes, up to the first that cannot be so or that the file of rows does not hold."""
        try:
            content, there = (self._folder / JOURNAL).read_bytes(), (self._folder / BUILDING).stat().st_size
        except FileNotFoundError:
            return np.empty(0, self._record)
        noted = np.frombuffer(content[: len(content) // self._record.itemsize * self._record.itemsize], self._record)
        sizes = sizes_of(noted["shape"], item)
        ends = sizes.cumsum()
        right = (noted["shape"] > 0).all(axis=1) & (noted["offset"] == ends - sizes) & (ends <= there)
        noted = noted[: int(np.logical_and.accumulate(right).sum())]
        return noted if self._as_written(noted, sizes) else noted[:0]

    def _as_written(self, noted: NDArray[Any], sizes: NDArray[np.int64]) -> bool:
        with (self._folder / BUILDING).open("rb") as file:
            for row in np.unique(np.linspace(0, len(noted) - 1, _TESTED).astype(int)) if len(noted) else ():
                file.seek(int(noted["offset"][row]))
                if zlib.crc32(file.read(int(sizes[row]))) != noted["check"][row]:
                    return False
        return True


def _to_disk(file: int) -> None:
    os.fdatasync(file) if hasattr(os, "fdatasync") else os.fsync(file)  # macOS has only the latter


def new_name(folder: Path) -> str:
    """A name for the next segment of a folder, which none ever had: who has one open under it never reads another."""
    number = 1 + max((int(path.stem.partition("-")[0]) for path in folder.glob("[0-9]*.npz")), default=0)
    return f"{number:04d}-{secrets.token_hex(4)}"


def remove_begun(folder: Path) -> None:
    """Remove what a writer has begun; for whoever holds the folder's lock."""
    for name in (JOURNAL, BUILDING):
        with suppress(OSError):
            (folder / name).unlink()


def sweep(folder: Path) -> None:
    """Remove what a kill has left that nothing goes on from; for whoever holds the folder's lock."""
    left = [path for path in folder.glob("[0-9]*.npz") if not path.with_suffix(".rows").exists()]
    left += [folder / PROMISED] if (folder / BUILDING).exists() else [folder / PROMISED, folder / JOURNAL]
    for path in left:
        with suppress(OSError):
            path.unlink()
