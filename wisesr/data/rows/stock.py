"""What is kept of rows in a folder, part by part: how much, since when unused, whether in use; and how it goes. No torch.

A part is a segment, or what a writer has begun: rows of several datasets that are resized alike lie in one store, and those of
one may be needed while those of another have not been for a year.
"""

from __future__ import annotations

import fcntl
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

from numpy.lib import format as npy

from wisesr.data.rows.about import read_about, words_of
from wisesr.data.rows.segment import paths_of_rows, remove_files
from wisesr.data.rows.writer import BUILDING, JOURNAL, remove_begun, sweep
from wisesr.results.atomic_files import remove_partial
from wisesr.results.lock import acquire_lock, is_running

KINDS = ("decoded", "maps")
"""Folders of stores: decoded images, feature maps."""


class Part(NamedTuple):
    """A segment, or what a writer has begun of one."""

    folder: Path
    """Of its store."""
    name: str
    """Of the segment; empty of one that was begun."""
    text: str
    """What its store holds: `224 px, squash`."""
    words: Mapping[str, Any]
    """dataset, backbone: whose rows they are."""
    rows: int | None
    """None where nobody can tell."""
    bytes: int
    used: float
    """When it was used last, seconds since 1970."""

    @property
    def kind(self) -> str:
        """One of KINDS."""
        return self.folder.parent.name

    @property
    def key(self) -> str:
        """Of its store."""
        return self.folder.name

    @property
    def files(self) -> tuple[Path, Path]:
        """Rows, and what tells where they lie."""
        if not self.name:
            return self.folder / BUILDING, self.folder / JOURNAL
        return self.folder / f"{self.name}.rows", self.folder / f"{self.name}.npz"


def stores(place: Path) -> Iterator[Path]:
    """Folders of stores below the folder of all that is kept, whether or not anything is in them."""
    for kind in KINDS:
        with suppress(OSError):
            for folder in sorted((place / kind).iterdir()):
                if re.fullmatch("[0-9a-f]{32}", folder.name) and folder.is_dir() and not folder.is_symlink():
                    yield folder


def parts(place: Path) -> list[Part]:
    """All that is kept of rows; what cannot be looked at, or goes meanwhile, is left out."""
    return [part for folder in stores(place) for part in _of_store(folder)]


def _of_store(folder: Path) -> Iterator[Part]:
    text = str(read_about(folder).get("text", ""))
    names = [path.stem for path in paths_of_rows(folder)]
    if (folder / BUILDING).exists():
        names.append("")
    for name in names:
        part = Part(folder, name, text, words_of(folder, name), None, 0, 0.0)
        with suppress(OSError):
            found = [file.stat() for file in part.files if file.exists()]
            if found:  # else it went meanwhile
                used = max(one.st_mtime for one in found)
                yield part._replace(rows=_count(part), bytes=sum(one.st_size for one in found), used=used)


def _count(part: Part) -> int | None:
    """Rows of a segment, without reading more of its index than that."""
    if not part.name:
        return None
    try:
        with zipfile.ZipFile(part.files[1]) as archive, archive.open("offsets.npy") as file:
            npy.read_magic(file)
            return int(npy.read_array_header_1_0(file)[0][0])
    except (OSError, ValueError, KeyError, IndexError, zipfile.BadZipFile):
        return None


def is_in_use(part: Part) -> bool:
    """Whether a process reads it, or writes it; only looks. False where the file system knows no locks."""
    with suppress(OSError):
        if not part.name:
            return is_running(part.folder)
        with ExitStack() as stack:
            return not _alone(part, stack)
    return False


def remove(part: Part, *, force: bool = False) -> bool:
    """Remove a part, and its store where nothing else is left of it.

    Args:
        part: of `parts`.
        force: though it is in use: on Linux processes keep the files that they have open.

    Returns:
        Whether it is gone: not where it is in use, or may not be removed.
    """
    with ExitStack() as stack:
        with suppress(OSError):
            if not _alone(part, stack) and not force:
                return False
        if part.name:
            remove_files(part.files[0])
        else:
            remove_begun(part.folder)
    remove_empty(part.folder)
    return not part.files[0].exists()


def remove_empty(folder: Path) -> None:
    """Remove the folder of a store that holds no rows, unless a process is about to write some, or it holds others' files."""
    with suppress(OSError):
        if paths_of_rows(folder) or (folder / BUILDING).exists():
            return
        lock = acquire_lock(folder)
        if lock is None:
            return
        with lock:
            if paths_of_rows(folder):
                return
            sweep(folder)
            remove_partial(folder)
            for path in (*folder.glob("*.json"), folder / ".lock"):
                path.unlink()
            folder.rmdir()


def _alone(part: Part, stack: ExitStack) -> bool:
    """Hold a part until the stack ends; False if another process does.

    Raises:
        OSError: nobody can here.
    """
    if not part.name:
        lock = acquire_lock(part.folder)
        if lock is not None:
            stack.enter_context(lock)
        return lock is not None
    file = stack.enter_context(_opened(part.files[0]))
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _opened(path: Path) -> IO[bytes]:
    """For writing, which a network's disk demands of who wants a file for itself; else for reading."""
    try:
        return path.open("r+b")
    except PermissionError:
        return path.open("rb")
