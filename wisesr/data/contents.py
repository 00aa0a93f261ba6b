"""What lies in image files, found out once: a hash, the orientation, the extent, the range of deep grey values. No torch.

Files are read in parallel, and what was found is kept on disk by path, size and time of change, so that the next command does
not read them again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wisesr.data.file_cache import FileCache
from wisesr.data.file_images import FileImages
from wisesr.data.images import RULES, decoders, read_header
from wisesr.data.kept import one_at_a_time
from wisesr.data.manifest import DIGEST, digest_of
from wisesr.data.packed import Names
from wisesr.data.progress import show
from wisesr.types import usable_cores

DEPTHS: tuple[Literal["8", "16", "32", "float"], ...] = ("8", "16", "32", "float")
"""Of a grey value, as the file's type tells; the number in `Contents.depths` counts from 1, and 0 is no image."""

_KEPT_EVERY = 60.0
"""Seconds after which a kill costs no more than a minute of reading."""
_AT_ONCE = 64
"""Files that a thread reads in one go."""


class Contents(NamedTuple):
    """Columns, a row a file; zero and nan where the bytes are no image."""

    digests: NDArray[np.uint8]
    """(files, 16)"""
    orientations: NDArray[np.uint8]
    """EXIF's, 1 to 8."""
    pixels: NDArray[np.int64]
    """Width times height."""
    depths: NDArray[np.uint8]
    peaks: NDArray[np.float32]
    """The highest grey value, in the file's own units; nan for 8 bits. Of deep colours the highest of a channel, of 255."""
    whites: NDArray[np.float32]
    """The value that is white by the file's own word."""
    lowest: NDArray[np.float32]
    """The lowest grey value; nan for 8 bits, and for colours."""
    bits: NDArray[np.uint8]
    """Of a channel, where Pillow reads 8 of more (`wisesr.data.channel_bits`); else 8."""
    bad: NDArray[np.bool_]
    """Files that cannot be opened or decoded, or hold more pixels than are read. Of files that do not look cut short, damage
    shows when they are decoded, and not here."""

    def take(self, rows: NDArray[Any]) -> Contents:
        """Some of the rows."""
        return Contents(*(column[rows] for column in self))

    @classmethod
    def of_rows(cls, rows: Iterable[tuple[Any, ...]]) -> Contents:
        """What `examine` found, a row each."""
        found = list(rows)
        made = cls.zeros(len(found))
        columns: tuple[NDArray[Any], ...] = tuple(made)
        for at, row in enumerate(found):
            for column, value in zip(columns, row, strict=True):
                column[at] = value
        return made

    @classmethod
    def joined(cls, parts: Sequence[Contents]) -> Contents:
        """Several, one behind the other."""
        return cls(*map(np.concatenate, zip(*parts, strict=True)))

    @classmethod
    def zeros(cls, count: int) -> Contents:
        """Nothing known of so many files."""
        return cls(
            np.zeros((count, DIGEST), np.uint8),
            np.zeros(count, np.uint8),
            np.zeros(count, np.int64),
            np.zeros(count, np.uint8),
            np.full(count, np.nan, np.float32),
            np.zeros(count, np.float32),
            np.full(count, np.nan, np.float32),
            np.zeros(count, np.uint8),
            np.zeros(count, bool),
        )


def read_contents(files: FileImages, names: Names) -> Contents:
    """What lies in each file; those that are known by path, size and time of change are not read again, if they could be.

    Args:
        files: where they are, with sizes and times.
        names: of the files, below its base.
    """
    found, missing, cache = _known(files, names)
    if not len(missing):
        return found
    with one_at_a_time(cache.key):
        found, missing, cache = _known(files, names)  # another process may have read them meanwhile
        if len(missing):
            _fill(found, missing, files, names, cache)
    return found


def _known(files: FileImages, names: Names) -> tuple[Contents, NDArray[np.int64], FileCache]:
    """What is kept, and the rows of which nothing is."""
    cache = FileCache(files.base, Contents._fields, RULES, *decoders())
    known, found = cache.look_up(names, files, Contents.zeros(len(names)))
    return found, np.flatnonzero(~known | found.bad), cache  # a disk may not have answered


def _fill(found: Contents, missing: NDArray[np.int64], files: FileImages, names: Names, cache: FileCache) -> None:
    """Read the missing files into their rows. What was found is kept every minute, and where the reading is interrupted."""
    paths = [files.base / names[int(at)] for at in missing]
    columns: tuple[NDArray[Any], ...] = tuple(found)
    known = np.ones(len(names), bool)
    known[missing] = False
    kept = time.monotonic()
    try:
        rows: Iterable[Any] = _read_all(paths)
        for at, row in zip(missing, show(rows, len(paths), "reading images once"), strict=True):
            for column, value in zip(columns, row, strict=True):
                column[at] = value
            known[at] = True
            if time.monotonic() - kept > _KEPT_EVERY:
                cache.keep(names, files, columns, np.flatnonzero(known))
                kept = time.monotonic()
    finally:
        cache.keep(names, files, columns, np.flatnonzero(known))


def _read_all(paths: Sequence[Path]) -> Iterator[tuple[Any, ...]]:
    """Rows in order. Threads: reading and hashing go on without the interpreter's lock."""
    blocks = [paths[start : start + _AT_ONCE] for start in range(0, len(paths), _AT_ONCE)]
    pool = ThreadPoolExecutor(usable_cores() + 1)  # one more than cores, as disks make wait
    try:
        for rows in pool.map(_read_block, blocks):
            yield from rows
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _read_block(paths: Sequence[Path]) -> list[tuple[Any, ...]]:
    return [_read(path) for path in paths]


def _read(path: Path) -> tuple[Any, ...]:
    try:
        content = path.read_bytes()
    except OSError:
        return np.zeros(DIGEST, np.uint8), 0, 0, 0, np.nan, 0, np.nan, 0, True
    return examine(content)


def examine(content: bytes) -> tuple[Any, ...]:
    """A row of `Contents`, of a file with this content."""
    digest, header = np.frombuffer(digest_of(content), np.uint8), read_header(content)
    if header is None:
        return digest, 0, 0, 0, np.nan, 0, np.nan, 0, True
    values = header.orientation, header.width * header.height, DEPTHS.index(header.depth) + 1, header.peak, header.white
    return digest, *values, header.lowest, header.bits, not header.readable
