"""What lies in image files, found out once: a hash, the orientation, the extent, the range of deep grey values. No torch.

Files are read in parallel, and what was found is kept on disk by path, size and time of change, so that the next command does
not read them again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wisesr.data.file_images import FileImages
from wisesr.data.images import RULES, read_header
from wisesr.data.kept import FileCache, file_cache, one_at_a_time
from wisesr.data.manifest import DIGEST, digest_of
from wisesr.data.packed import Names
from wisesr.errors import UserError
from wisesr.types import usable_cores

Progress = Callable[[Iterable[Any], int, str], Iterable[Any]]
"""Hands on items while they are taken, and shows how many of how many there were, and of what: `grid.console.tracked`."""

DEPTHS: tuple[Literal["8", "16", "32", "float"], ...] = ("8", "16", "32", "float")
"""Of a grey value, as the file's type tells; the number in `Contents.depths` counts from 1, and 0 is no image."""

_AT_ONCE = 64
"""Files that a thread reads in one go."""


class Contents(NamedTuple):
    """Columns, a row a file; all zero where the bytes are no image that could be read."""

    digests: NDArray[np.uint8]
    """(files, 16)"""
    orientations: NDArray[np.uint8]
    """EXIF's, 1 to 8."""
    pixels: NDArray[np.int64]
    """Width times height."""
    depths: NDArray[np.uint8]
    peaks: NDArray[np.float32]
    """The highest grey value, in the file's own units; nan for 8 bits."""
    whites: NDArray[np.float32]
    """The value that is white by the file's own word."""

    def take(self, rows: NDArray[Any]) -> Contents:
        """Some of the rows."""
        return Contents(*(column[rows] for column in self))

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
        )


def read_contents(files: FileImages, names: Names, *, progress: Progress | None = None) -> Contents:
    """What lies in each file; those that are known by path, size and time of change are not read.

    Args:
        files: where they are, with sizes and times.
        names: of the files, below its base.
        progress: shows how far the reading is.

    Raises:
        UserError: a file cannot be opened.
    """
    found, missing, cache = _known(files, names)
    if not len(missing):
        return found
    with one_at_a_time("contents"):
        found, missing, cache = _known(files, names)  # another process may have read them meanwhile
        if len(missing):
            _fill(found, missing, files, names, cache, progress)
    return found


def _known(files: FileImages, names: Names) -> tuple[Contents, NDArray[np.int64], FileCache]:
    """What is kept, and the rows of which nothing is."""
    cache = file_cache(files.base, RULES, Contents._fields)
    known, found = cache.look_up(names, files.sizes, files.changed, Contents.zeros(len(names)))
    return found, np.flatnonzero(~known), cache


def _fill(
    found: Contents, missing: NDArray[np.int64], files: FileImages, names: Names, cache: FileCache, progress: Progress | None
) -> None:
    """Read the missing files into their rows, and keep what was found, also where the reading is interrupted."""
    paths = [files.base / names[int(at)] for at in missing]
    done: list[int] = []
    columns: tuple[NDArray[Any], ...] = tuple(found)
    try:
        rows: Iterable[Any] = _read_all(paths)
        for at, row in zip(missing, progress(rows, len(paths), "reading images once") if progress else rows, strict=True):
            for column, value in zip(columns, row, strict=True):
                column[at] = value
            done.append(int(at))
    finally:
        known = np.setdiff1d(np.arange(len(names)), missing)
        rows_known = np.sort(np.concatenate([known, np.array(done, np.int64)]).astype(np.int64))
        cache.keep(names, files.sizes, files.changed, found, rows_known)


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
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}. See to permissions and disk, or dataset.on_bad_image=skip") from error
    digest, header = np.frombuffer(digest_of(content), np.uint8), read_header(content)
    if header is None:
        return digest, 0, 0, 0, np.nan, 0
    depth = DEPTHS.index(header.depth) + 1
    return digest, header.orientation, header.width * header.height, depth, header.peak, header.white
