"""A file of rows and its index: written so that a kill costs a block, read into whatever memory wants a row. No torch.

Rows lie one behind the other in `<name>.rows`; `<name>.npz`, the index, tells of each its key, its place, its shape and its
checksum. A segment is there as soon as both files are, and never changes.

Rows are read (pread) and not mapped into memory. Either way the system keeps one copy of a file's pages for all processes; but
mapped pages count in a process's resident memory, of which a cell's record tells the peak, and a look at those of a file that
has gone from a network's disk ends the process, where a read raises an error.
"""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wisesr.data.mapped_arrays import map_arrays, write_arrays
from wisesr.results.atomic_files import replacing

KEY = 16
"""Bytes of the key by which a row is found."""
_BLOCK = 32 * 2**20
"""Bytes after which what is written is on the disk for sure, and noted."""
_TESTED = 64
"""Rows that are held against their checksums when a segment is opened: all of them would be read for that."""
_BUILDING, _JOURNAL = ".building.rows", ".building.journal"


class DamagedError(Exception):
    """A segment whose files do not belong together."""


class Index(NamedTuple):
    """What lies where in a file of rows."""

    keys: NDArray[np.uint8]
    """(rows, KEY)"""
    offsets: NDArray[np.int64]
    """(rows,), bytes from the beginning."""
    shapes: NDArray[np.int32]
    """(rows, dimensions)"""
    checks: NDArray[np.uint32]
    """(rows,), CRC-32 of each row's bytes."""

    def sizes(self, item: int) -> NDArray[np.int64]:
        """(rows,): bytes of each, of values of `item` bytes."""
        values: NDArray[np.int64] = self.shapes.prod(axis=1, dtype=np.int64)
        return values * item


class Segment:
    """Rows that lie in one file, read by any number of processes: those that were forked share the open file."""

    def __init__(self, path: Path, item: int) -> None:
        """Open a segment.

        Args:
            path: of its rows.
            item: bytes of a value.

        Raises:
            OSError: it cannot be read.
            DamagedError: its files do not belong together, or their content is not what was written.
        """
        self._path = path
        try:
            self.index = Index(**map_arrays(path.with_suffix(".npz")))
        except (ValueError, TypeError, struct.error, zipfile.BadZipFile, zlib.error) as error:
            raise DamagedError(f"{path.with_suffix('.npz')}: {error}") from error
        self.sizes = self.index.sizes(item)
        """(rows,): bytes of each."""
        self._file: IO[bytes] | None = path.open("rb", buffering=0)
        self._check()

    def __len__(self) -> int:
        return len(self.index.offsets)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_file": None}  # for a process that was not forked

    def read(self, row: int, into: memoryview) -> None:
        """Fill a row's bytes into writable memory of exactly that size.

        Raises:
            OSError: it cannot be read, or the file is shorter than it was.
        """
        if self._file is None:
            self._file = self._path.open("rb", buffering=0)
        at, left = int(self.index.offsets[row]), into
        while left.nbytes:
            count = os.preadv(self._file.fileno(), [left], at)
            if not count:
                raise OSError(f"{self._path} ends in the middle of a row")
            at, left = at + count, left[count:]

    def _check(self) -> None:
        rows = len(self)
        if not rows:
            raise DamagedError(f"{self._path} has no rows")
        end, length = int(self.index.offsets[-1] + self.sizes[-1]), self._path.stat().st_size
        if length != end:
            raise DamagedError(f"{self._path} has {length} bytes and not {end}")
        for row in np.unique(np.linspace(0, rows - 1, _TESTED).astype(int)).tolist():
            content = bytearray(int(self.sizes[row]))
            self.read(row, memoryview(content))
            if zlib.crc32(content) != self.index.checks[row]:
                raise DamagedError(f"{self._path}: row {row} is not what was written")


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
        self._noted = self._left_behind(item)
        end = _end(self._noted, item)
        self._rows = (folder / _BUILDING).open("r+b" if end else "w+b")
        self._rows.truncate(end)
        self._rows.seek(end)
        self._journal = (folder / _JOURNAL).open("r+b" if end else "w+b")
        self._journal.truncate(len(self._noted) * self._record.itemsize)
        self._journal.seek(0, os.SEEK_END)
        self._open: list[tuple[Any, ...]] = []
        self._end = self._synced = end

    @property
    def keys(self) -> NDArray[np.uint8]:
        """(rows, KEY) of what an earlier one has left."""
        keys: NDArray[np.uint8] = self._noted["key"]
        return keys

    def write(self, key: NDArray[np.uint8], values: NDArray[Any]) -> None:
        """Append a row; every few of them are brought to the disk.

        Raises:
            OSError: no room.
        """
        content = np.ascontiguousarray(values).view(np.uint8).reshape(-1).data
        self._rows.write(content)
        self._open.append((key, self._end, values.shape, zlib.crc32(content)))
        self._end += content.nbytes
        if self._end - self._synced >= _BLOCK:
            self.sync()

    def sync(self) -> None:
        """Bring to the disk what was written, and note it."""
        self._rows.flush()
        os.fdatasync(self._rows.fileno())
        rows = np.array(self._open, self._record) if self._open else np.empty(0, self._record)
        self._journal.write(rows.tobytes())
        self._journal.flush()
        os.fdatasync(self._journal.fileno())
        self._noted, self._open, self._synced = np.concatenate([self._noted, rows]), [], self._end

    def finish(self, name: str) -> None:
        """Make a segment of all that was written."""
        self.sync()
        self.close()
        index = Index(*(np.ascontiguousarray(self._noted[column]) for column in ("key", "offset", "shape", "check")))
        with replacing(self._folder / f"{name}.npz") as partial, partial.open("wb") as file:
            write_arrays(file, index._asdict())
        os.replace(self._folder / _BUILDING, self._folder / f"{name}.rows")  # from here on it is there
        (self._folder / _JOURNAL).unlink()

    def close(self) -> None:
        """Leave what was written for a later one."""
        for file in (self._rows, self._journal):
            with suppress(OSError):  # what was not flushed, where the disk is full
                file.close()

    def _left_behind(self, item: int) -> NDArray[Any]:
        """The rows that a journal notes, as far as the file of rows holds them."""
        nothing = np.empty(0, self._record)
        try:
            content, there = (self._folder / _JOURNAL).read_bytes(), (self._folder / _BUILDING).stat().st_size
        except FileNotFoundError:
            return nothing
        whole = len(content) // self._record.itemsize * self._record.itemsize
        noted = np.frombuffer(content[:whole], self._record)
        return noted if _end(noted, item) <= there else nothing


def _end(noted: NDArray[Any], item: int) -> int:
    """Where rows that were noted end, bytes."""
    return int(noted["offset"][-1]) + int(noted["shape"][-1].prod(dtype=np.int64)) * item if len(noted) else 0


def remove_begun(folder: Path) -> None:
    """Remove what a writer has begun; for whoever holds the folder's lock."""
    for name in (_JOURNAL, _BUILDING):
        (folder / name).unlink(missing_ok=True)
