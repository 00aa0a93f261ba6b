"""A file of rows and its index, read into whatever memory wants a row. No torch.

Rows lie one behind the other in `<name>.rows`; `<name>.npz`, the index, tells of each its key, its place, its shape and its
checksum. A segment is there as soon as both files are, and never changes; no other ever has its name.

While a process has one open it holds a shared lock (flock) on the file of rows, and so do its forked children: by it others
tell what is in use. It ends with the last of them, however that ends.

Rows are read (pread) and not mapped into memory, though that takes twice a copy's time: 14 us of the processor for a decoded
image of 224 px, mapped 8 us, and 15 us when a process looks at it for the first time (`benchmarks/rows.py`); training takes
milliseconds for it. The system keeps one copy of a file's pages for all processes either way. But mapped pages count in a
process's resident memory: going through 602 MB of rows raises VmHWM, of which a cell's record tells, by 574 MiB, reading them
by none. And a look at pages of a file that was cut short, or has gone from a network's disk, ends the process, where a read
raises an error and the image is decoded instead. A checksum, when a process reads a row for the first time, takes 20 us once.
"""

from __future__ import annotations

import fcntl
import os
import struct
import time
import weakref
import zipfile
import zlib
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wisesr.data.mapped_arrays import map_arrays

_TESTED = 64
"""Rows that are held against their checksums before any is used; each other one is when it is read for the first time."""
_PATIENCE = 2.0
"""Seconds to wait where another process looks whether a segment is in use: that takes it far less."""


class DamagedError(OSError):
    """A segment whose files do not belong together, or do not hold what was written."""


class Index(NamedTuple):
    """What lies where in a file of rows, sorted by key."""

    keys: NDArray[np.uint8]
    """(rows, KEY)"""
    offsets: NDArray[np.int64]
    """(rows,), bytes from the beginning."""
    shapes: NDArray[np.int32]
    """(rows, dimensions)"""
    checks: NDArray[np.uint32]
    """(rows,), CRC-32 of each row's bytes."""


class Segment:
    """Rows that lie in one file, read by any number of processes and threads.

    Those that are forked share the open file; one that gets a segment by pickling opens the file when it needs it.
    """

    def __init__(self, path: Path, item: int) -> None:
        """Open a segment.

        Args:
            path: of its rows.
            item: bytes of a value.

        Raises:
            OSError: it cannot be read.
            DamagedError: its files do not belong together.
        """
        self.path, self._item = path, item
        end, length = int((self.index.offsets + self.sizes).max(initial=0)), os.fstat(self._file).st_size
        if length != end or not end:
            raise DamagedError(f"{path} has {length:,} bytes and not {end:,}")

    def __len__(self) -> int:
        return len(self.index.offsets)

    def __getstate__(self) -> tuple[Path, int]:
        return self.path, self._item

    def __setstate__(self, state: tuple[Path, int]) -> None:
        self.path, self._item = state

    @cached_property
    def _file(self) -> int:
        file = _open_marked(self.path)
        weakref.finalize(self, os.close, file).atexit = False  # threads may still read then
        return file

    @cached_property
    def index(self) -> Index:
        """What lies where.

        Raises:
            OSError: it cannot be read.
            DamagedError: it is not what was written.
        """
        path = self.path.with_suffix(".npz")
        try:
            return Index(**map_arrays(path))
        except (ValueError, TypeError, NotImplementedError, struct.error, zipfile.BadZipFile, zlib.error) as error:
            raise DamagedError(f"{path}: {error}") from error

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """(rows,): bytes of each."""
        return sizes_of(self.index.shapes, self._item)

    @cached_property
    def _tested(self) -> NDArray[np.bool_]:
        return np.zeros(len(self), bool)

    def shape(self, row: int) -> tuple[int, ...]:
        """Of a row."""
        return tuple(self.index.shapes[row].tolist())

    def read(self, row: int, into: memoryview) -> None:
        """Fill a row's bytes into writable memory of exactly that size.

        Raises:
            OSError: it cannot be read.
            DamagedError: it is not what was written, or the file is shorter than it was.
        """
        at, left = int(self.index.offsets[row]), into
        while left.nbytes:
            count = _read(self._file, left, at)
            if not count:
                raise DamagedError(f"{self.path} ends in the middle of a row")
            at, left = at + count, left[count:]
        if not self._tested[row]:
            if zlib.crc32(into) != self.index.checks[row]:
                self.remove()
                raise DamagedError(f"{self.path}: a row is not what was written")
            self._tested[row] = True

    def test(self) -> None:
        """Read some rows, for their checksums' sake.

        Raises:
            OSError: one cannot be read.
            DamagedError: one is not what was written.
        """
        for row in np.unique(np.linspace(0, len(self) - 1, _TESTED).astype(int)).tolist():
            self.read(row, memoryview(bytearray(int(self.sizes[row]))))

    def remove(self) -> None:
        """Remove the files, so that they are made anew; processes that have them open keep what they have."""
        remove_files(self.path)


def sizes_of(shapes: NDArray[np.int32], item: int) -> NDArray[np.int64]:
    """(rows,): bytes of rows of such shapes, (rows, dimensions), of values of `item` bytes."""
    values: NDArray[np.int64] = shapes.prod(axis=1, dtype=np.int64)
    return values * item


def paths_of_rows(folder: Path) -> list[Path]:
    """Of all segments in a folder; none where it is not there, or goes meanwhile."""
    try:
        return sorted(folder.glob("[0-9]*.rows"))
    except FileNotFoundError:
        return []


def remove_files(path: Path) -> None:
    """Remove a segment by the path of its rows, as far as this process may."""
    for file in (path, path.with_suffix(".npz")):
        with suppress(OSError):
            file.unlink()


def _open_marked(path: Path) -> int:
    """A file, open for reading, with a shared lock; without one where the file system knows none.

    Raises:
        OSError: it cannot be read, or was removed meanwhile.
    """
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        deadline = time.monotonic() + _PATIENCE
        while not _mark(file) and time.monotonic() < deadline:
            time.sleep(0.01)
        if not os.path.samestat(os.fstat(file), path.stat()):
            raise FileNotFoundError(f"{path} was replaced")
    except BaseException:
        os.close(file)
        raise
    return file


def _read(file: int, into: memoryview, at: int) -> int:
    """Read bytes from a place of a file, as many as come at once, without moving where others read."""
    if hasattr(os, "preadv"):
        return os.preadv(file, [into], at)
    content = os.pread(file, into.nbytes, at)  # macOS
    into[: len(content)] = content
    return len(content)


def _mark(file: int) -> bool:
    """Take a shared lock; False where somebody holds it alone."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # no locks here: nobody will know, and nothing depends on it
        pass
    return True
