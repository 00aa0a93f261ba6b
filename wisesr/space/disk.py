"""Bytes on the disk, as `du` counts them: blocks that files take, a file with several names once; links are not followed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple


class File(NamedTuple):
    """A name of a file."""

    path: str
    bytes: int
    """That its blocks take; a sparse file has fewer than its length."""
    inode: tuple[int, int]
    """Device and number: two names of one file have the same."""
    names: int
    """Of the file, wherever they are."""


def files_below(place: Path) -> Iterator[File]:
    """All files in a folder and those below it, or the file itself; what cannot be read is left out. Links count as such."""
    try:
        found = place.lstat()
    except OSError:
        return
    if place.is_symlink() or not place.is_dir():
        yield File(str(place), found.st_blocks * 512, (found.st_dev, found.st_ino), found.st_nlink)
        return
    yield from _in_folder(str(place))


def _in_folder(folder: str) -> Iterator[File]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _in_folder(entry.path)
            continue
        try:
            found = entry.stat(follow_symlinks=False)
        except OSError:  # it has gone meanwhile
            continue
        yield File(entry.path, found.st_blocks * 512, (found.st_dev, found.st_ino), found.st_nlink)


def taken(files: Iterable[File]) -> int:
    """Bytes that files take; one that has several names among them counts once."""
    return sum({file.inode: file.bytes for file in files}.values())


def freed(files: Iterable[File]) -> int:
    """Bytes that there are again once these names are gone: those of files that then have no name left."""
    listed = list({file.path: file for file in files}.values())
    going = Counter(file.inode for file in listed)
    return taken(file for file in listed if going[file.inode] >= file.names)
