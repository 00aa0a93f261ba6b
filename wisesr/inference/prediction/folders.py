"""A walk through folders that gives each file as it comes to it, in natural order. No torch.

`wisesr.data.tree` makes a whole tree, with the states that a fingerprint needs; here a million files go by and none is kept.
Hidden files, and what systems leave beside pictures, are left out by the same rule. Links are followed: what lies behind those
to folders comes last, and each folder is gone through once, whatever links lead to it.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from wisesr.data.tree import left_by_systems
from wisesr.inference.prediction.patterns import Pattern

_Identity = tuple[int, int]
"""Device and inode: a folder, whatever way led to it."""


class Entry(NamedTuple):
    """What a folder holds."""

    path: str
    parts: tuple[str, ...]
    """The names that lead to it from the pattern's folder."""
    is_folder: bool = False
    is_link: bool = False
    """To a folder."""
    problem: str = ""
    """Why a folder cannot be looked into."""


def files_below(pattern: Pattern) -> Iterator[Entry]:
    """The files that a pattern means, pipes and links to nothing among them, and the folders that it cannot look into."""
    seen: set[_Identity] = set()
    behind_links = deque([Entry(pattern.folder, ())])
    while behind_links:
        open_folders = [_look_into(behind_links.popleft(), seen)]
        while open_folders:  # without recursion, as folders nest deeper than calls can
            entry = next(open_folders[-1], None)
            if entry is None:
                open_folders.pop()
            elif not entry.is_folder:
                if entry.problem or pattern.means(entry.parts):
                    yield entry
            elif pattern.enters(entry.parts):
                if entry.is_link:
                    behind_links.append(entry)
                else:
                    open_folders.append(_look_into(entry, seen))


def _look_into(folder: Entry, seen: set[_Identity]) -> Iterator[Entry]:
    """What is in a folder, in natural order; nothing if it was seen before."""
    try:
        state = os.stat(folder.path or ".")  # noqa: PTH116 (200,000 Path objects take as long as the walk)
        if (state.st_dev, state.st_ino) in seen:
            return
        seen.add((state.st_dev, state.st_ino))
        names, folders, links = _read(folder.path or ".")
    except (FileNotFoundError, NotADirectoryError):  # of a pattern; or it was removed a moment ago
        return
    except OSError as error:
        yield Entry(folder.path, folder.parts, problem=f"this folder cannot be read: {error.strerror}")
        return
    for name in names:
        path = os.path.join(folder.path, name)  # noqa: PTH118
        yield Entry(path, (*folder.parts, name), name in folders, name in links)


def _read(place: str) -> tuple[list[str], set[str], set[str]]:
    """Names in natural order; which of them are folders; which of those are links."""
    names, folders, links = [], set(), set()
    with os.scandir(place) as entries:
        for entry in entries:
            if left_by_systems(entry.name):
                continue
            names.append(entry.name)
            if _is_folder(entry):
                folders.add(entry.name)
                if entry.is_symlink():
                    links.add(entry.name)
    names.sort()
    names.sort(key=natural_text)
    return names, folders, links


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads round, or to where nobody may look: whoever reads it will tell
        return False


def natural_text(name: str) -> str:
    """A key that sorts as `wisesr.wording.natural_key` does the names in one folder, in a fraction of its memory.

    Each run of digits becomes its number of digits and its value, and is set off from what is before it by NUL, which no name
    has. Names that differ only in leading zeros have the same key: sort them as they are before.
    """
    runs = re.findall(r"([^0-9]*)([0-9]*)", name)
    values = ((before, digits.lstrip("0"), bool(digits)) for before, digits in runs)
    return "".join(f"{before}\0{chr(len(value) + 1) if number else chr(0)}{value}" for before, value, number in values)
