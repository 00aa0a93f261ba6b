"""One walk over a dataset's root: every file that may be the user's, with its size and time of change. No torch.

What begins with a dot, and what systems leave beside pictures (an archive's `__MACOSX`, thumbnails in `@eaDir`, Thumbs.db), is
not the user's. Links are followed; a folder that lies above itself by a link is entered once.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

_SYSTEM_FOLDERS = frozenset(
    (
        "__macosx",
        "@eadir",
        "@tmp",
        "@recycle",
        "@recently-snapshot",
        "#recycle",
        "#snapshot",
        "lost+found",
        "lost.dir",
        "$recycle.bin",
        "recycler",
        "system volume information",
        "network trash folder",
        "temporary items",
        "__pycache__",
    )
)
"""In lower case: of macOS' archives, Synology and QNAP file servers, Linux, Android, Windows, AFP, Python."""
_SYSTEM_FILES = frozenset(("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "zbthumbnail.info", "icon\r"))


State = Sequence[int]
"""Of a file: bytes, time of the last change of its content, and of the file itself, both ns."""


@dataclass
class Folder:
    """A folder's own content, by name."""

    files: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    """Bytes, a file each."""
    changed: list[int] = field(default_factory=list)
    """Time of the last change of the content, ns, a file each."""
    touched: list[int] = field(default_factory=list)
    """Time of the last change of the file itself, ns: renamed, replaced, opened to others."""
    folders: list[str] = field(default_factory=list)
    dangling: dict[str, str] = field(default_factory=dict)
    """Links to nothing: name -> where they point to."""
    special: list[str] = field(default_factory=list)
    """Neither files nor folders: pipes, sockets, devices; and links to a folder above."""


@dataclass
class Tree:
    """All folders below a root, by their path below it ("" is the root), in the order of their names."""

    base: Path
    folders: dict[str, Folder]

    def files(self, below: str = "") -> Iterator[str]:
        """Paths below the root of all files in and below a folder, in the order of `sorted(Path(...))`."""
        own, start = self.folders[below], f"{below}/" if below else ""
        if not own.folders:
            yield from (start + name for name in sorted(own.files))
            return
        inner = set(own.folders)
        for name in sorted([*own.files, *own.folders]):
            if name in inner:
                yield from self.files(start + name)
            else:
                yield start + name

    def dangling(self, below: str = "") -> dict[str, str]:
        """Links to nothing in and below a folder: path below the root -> where they point to."""
        return {
            f"{path}/{name}" if path else name: target
            for path, folder in self.folders.items()
            if is_below(path, below)
            for name, target in sorted(folder.dangling.items())
        }

    @cached_property
    def states(self) -> dict[str, State]:
        """Path of a file below the root -> what tells it from another one of that name."""
        return {
            f"{path}/{name}" if path else name: state
            for path, folder in self.folders.items()
            for name, *state in zip(folder.files, folder.sizes, folder.changed, folder.touched, strict=True)
        }

    def stamp(self) -> str:
        """32 hexadecimal digits over all names, sizes and times: the same as long as nothing was touched."""
        digest = hashlib.blake2b(digest_size=16)
        for path, folder in self.folders.items():
            names = "\0".join([path, *folder.files, "", *folder.folders, "", *map("\0".join, folder.dangling.items())])
            digest.update(names.encode("utf-8", "surrogateescape") + b"\0\0")
            for column in (folder.sizes, folder.changed, folder.touched):
                digest.update(np.array(column, np.int64).tobytes())
        return digest.hexdigest()


def is_below(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies below it; both below the root, which is ""."""
    return not folder or path == folder or path.startswith(folder + "/")


def scan(base: Path) -> Tree:
    """All files below a root.

    Raises:
        OSError: a folder that cannot be read.
    """
    folders: dict[str, Folder] = {}
    _enter(os.fspath(base), "", folders, ())
    return Tree(base, folders)


def _enter(place: str, path: str, folders: dict[str, Folder], above: tuple[tuple[int, int], ...]) -> None:
    state = Path(place).stat()
    here = (state.st_dev, state.st_ino)
    if here in above:
        parent, _, name = path.rpartition("/")
        folders[parent].folders.remove(name)
        folders[parent].special.append(name)
        return
    folder = folders[path] = Folder()
    _read(place, folder)
    for name in list(folder.folders):
        _enter(f"{place}/{name}", f"{path}/{name}" if path else name, folders, (*above, here))


def _read(place: str, folder: Folder) -> None:
    """A folder's own entries, sorted, as the order in which a disk gives them is no property of the data."""
    regular = stat.S_IFREG
    found = []
    with os.scandir(place) as entries:
        for entry in entries:
            name = entry.name
            if name[0] == ".":
                continue
            try:
                if entry.is_dir():
                    if name.lower() not in _SYSTEM_FOLDERS:
                        folder.folders.append(name)
                    continue
                state = entry.stat()
            except OSError:
                if not entry.is_symlink():
                    raise
                folder.dangling[name] = str(Path(entry.path).readlink())
                continue
            if stat.S_IFMT(state.st_mode) != regular:
                folder.special.append(name)
            else:
                found.append((name, state.st_size, state.st_mtime_ns, state.st_ctime_ns))
    folder.folders.sort()
    folder.special.sort()
    if found:
        found.sort()
        if any(len(row[0]) <= 22 and row[0].lower() in _SYSTEM_FILES for row in found):
            found = [row for row in found if row[0].lower() not in _SYSTEM_FILES]
        columns = map(list, zip(*found, strict=True)) if found else ([], [], [], [])
        folder.files, folder.sizes, folder.changed, folder.touched = columns
