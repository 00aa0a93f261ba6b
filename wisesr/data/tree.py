"""One walk over a dataset's root: every file that may be the user's, with its size and time of change. No torch.

What begins with a dot, and what systems leave beside pictures (an archive's `__MACOSX`, thumbnails in `@eaDir`, Thumbs.db), is
not the user's. Links are followed: those in the root's own folders first, then those in folders that links lead to, and so on.
A link to a folder above is not entered; one that several others lead past is followed a few times, since links that lead
round among k folders would make k! ways through them. What cannot be read is kept, as the user may leave it out.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from wisesr.data.folder_tree import Folder, Tree, join

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
        "system volume information",
        "__pycache__",
    )
)
"""In lower case: of macOS' archives, Synology and QNAP file servers, Linux, Android, Windows, Python."""
_WORDS_OF_SYSTEMS = frozenset(("recycler", "temporary items", "network trash folder"))
"""Of Windows and AFP. They might be a user's words, and are his unless they hold no file."""
_SYSTEM_FILES = frozenset(("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "zbthumbnail.info", "icon\r"))
_TIMES = 4
"""How often one link is followed. Above 1, as two splits may be links to one folder that holds links itself."""
_REPEATS = 5_000
"""How many links in all are followed again."""
_NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


def left_by_systems(path: str) -> bool:
    """Whether a path, with forward slashes, is what begins with a dot or what a system leaves beside pictures."""
    *folders, name = path.lower().split("/")
    hidden = any(part.startswith(".") or part in _SYSTEM_FOLDERS for part in (*folders, name))
    return hidden or name in _SYSTEM_FILES


_Identity = tuple[int, int]
"""Device and inode: a folder, whatever way led to it."""


class _Way(NamedTuple):
    """A folder to be entered."""

    place: str
    path: str
    """Below the root."""
    above: tuple[_Identity, ...]


@dataclass
class _Walk:
    """What a walk has seen so far."""

    waiting: deque[_Way]
    """Behind links."""
    folders: dict[str, Folder] = field(default_factory=dict)
    followed: Counter[tuple[_Identity, str]] = field(default_factory=Counter)
    """Links, by the folder that holds them and their name."""
    repeats: int = 0

    def may_follow(self, link: tuple[_Identity, str]) -> bool:
        """Whether a link is followed, once more perhaps."""
        again = link in self.followed
        if again and (self.followed[link] >= _TIMES or self.repeats >= _REPEATS):
            return False
        self.followed[link] += 1
        self.repeats += again
        return True


def scan(base: Path) -> Tree:
    """All files below a root.

    Raises:
        OSError: the root itself cannot be read.
    """
    walk = _Walk(deque([_Way(os.fspath(base), "", ())]))
    while walk.waiting:
        _enter(walk.waiting.popleft(), walk)
    folders = dict(sorted(walk.folders.items())) if walk.followed else walk.folders
    tree = Tree(base, folders)
    doubtful = [path for path in folders if path.rpartition("/")[2].lower() in _WORDS_OF_SYSTEMS]
    return tree.without([path for path in doubtful if next(tree.files(path), None) is None])


def _enter(way: _Way, walk: _Walk) -> None:
    """A folder and all below it but for what lies behind links; without recursion, as folders nest deeper than calls can."""
    open_folders = [_look_into(way, walk)]
    while open_folders:
        inner = next(open_folders[-1], None)
        if inner is None:
            open_folders.pop()
        else:
            open_folders.append(_look_into(inner, walk))


def _look_into(way: _Way, walk: _Walk) -> Iterator[_Way]:
    """A folder's own entries; gives the folders in it that are to be entered now, one by one."""
    parent, _, name = way.path.rpartition("/")
    try:
        state = os.stat(way.place)  # noqa: PTH116 (200,000 Path objects take as long as the walk)
        here = (state.st_dev, state.st_ino)
        if here in way.above:
            walk.folders[parent].folders.remove(name)
            walk.folders[parent].loops.append(name)
            return
        folder, links = _read(way.place)
    except OSError as error:
        if not way.path:
            raise
        walk.folders[parent].folders.remove(name)
        walk.folders[parent].unreadable[name] = error.strerror or str(error)
        return
    walk.folders[way.path] = folder
    for name in list(folder.folders):
        inner = _Way(f"{way.place}/{name}", join(way.path, name), (*way.above, here))
        if name not in links:
            yield inner
        elif walk.may_follow((here, name)):
            walk.waiting.append(inner)
        else:
            folder.folders.remove(name)
            folder.too_often.append(name)


def _read(place: str) -> tuple[Folder, set[str]]:
    """A folder's own entries, sorted, as the order in which a disk gives them is no property of the data; which are links."""
    regular = stat.S_IFREG
    found, folder, links = [], Folder(), set()
    with os.scandir(place) as entries:
        for entry in entries:
            name = entry.name
            if name[0] == ".":
                continue
            try:
                if entry.is_dir():
                    if name.lower() not in _SYSTEM_FOLDERS:
                        folder.folders.append(name)
                        if entry.is_symlink():
                            links.add(name)
                    continue
                state = entry.stat()
            except OSError as error:
                _note_unreachable(entry, error, folder)
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
    return folder, links


def _note_unreachable(entry: os.DirEntry[str], error: OSError, folder: Folder) -> None:
    """Keep a link that leads nowhere, or to where nobody may look; raise where the folder's own entries cannot be looked at."""
    gone = error.errno in _NOTHING_THERE
    if entry.is_symlink():
        target = str(Path(entry.path).readlink())
        if gone:
            folder.dangling[entry.name] = target
        else:
            folder.unreadable[entry.name] = f"it leads to {target}: {error.strerror}"
    elif not gone:  # else it was removed a moment ago
        raise error
