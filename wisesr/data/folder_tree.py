"""What lies below a dataset's root, by folder, and how a user's words lead to a place in it. No torch."""

from __future__ import annotations

import hashlib
import posixpath
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

State = Sequence[int]
"""Of a file: bytes, time of the last change of its content, and of the file itself, both ns."""


def same_name(name: str) -> str:
    """A name as it is compared: in Unicode's normal form C. macOS writes an umlaut in two characters, others in one."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def is_below(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies below it; both below the root, which is ""."""
    return not folder or path == folder or path.startswith(folder + "/")


def join(folder: str, name: str) -> str:
    """The path below the root of what a folder holds."""
    return f"{folder}/{name}" if folder else name


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
    unreadable: dict[str, str] = field(default_factory=dict)
    """Folders that cannot be looked into, and links to what cannot be looked at: name -> why."""
    loops: list[str] = field(default_factory=list)
    """Links to a folder above."""
    too_often: list[str] = field(default_factory=list)
    """Links that were followed several times already, by other links that lead here."""
    special: list[str] = field(default_factory=list)
    """Neither files nor folders: pipes, sockets, devices."""

    def names(self) -> Iterator[str]:
        """Of all that is there."""
        for kind in (self.folders, self.files, self.dangling, self.unreadable, self.loops, self.too_often, self.special):
            yield from kind

    def without(self, names: Collection[str]) -> Folder:
        """The folder but for some of its entries."""
        kept = [place for place, name in enumerate(self.files) if name not in names]
        return Folder(
            files=[self.files[place] for place in kept],
            sizes=[self.sizes[place] for place in kept],
            changed=[self.changed[place] for place in kept],
            touched=[self.touched[place] for place in kept],
            folders=[name for name in self.folders if name not in names],
            dangling={name: target for name, target in self.dangling.items() if name not in names},
            unreadable={name: why for name, why in self.unreadable.items() if name not in names},
            loops=[name for name in self.loops if name not in names],
            too_often=[name for name in self.too_often if name not in names],
            special=[name for name in self.special if name not in names],
        )


@dataclass
class Tree:
    """All folders below a root, by their path below it ("" is the root), in the order of their names."""

    base: Path
    folders: dict[str, Folder]
    left_out: Sequence[str] = ()
    """What the user does without, below the root."""

    def files(self, below: str = "") -> Iterator[str]:
        """Paths below the root of all files in and below a folder, in the order of `sorted(Path(...))`."""
        waiting = [below]  # the next one last
        while waiting:
            path = waiting.pop()
            own, start = self.folders.get(path), f"{path}/" if path else ""
            if own is None:
                yield path
            elif not own.folders:
                yield from (start + name for name in sorted(own.files))
            else:
                waiting += [start + name for name in sorted([*own.files, *own.folders], reverse=True)]

    def dangling(self, below: str = "") -> dict[str, str]:
        """Links to nothing in and below a folder: path below the root -> where they point to."""
        return {
            join(path, name): target
            for path, folder in self.folders.items()
            if folder.dangling and is_below(path, below)
            for name, target in sorted(folder.dangling.items())
        }

    def unreadable(self, below: str = "") -> dict[str, str]:
        """What cannot be read in and below a folder: path below the root -> why."""
        return {
            join(path, name): why
            for path, folder in self.folders.items()
            if folder.unreadable and is_below(path, below)
            for name, why in sorted(folder.unreadable.items())
        }

    @cached_property
    def states(self) -> dict[str, State]:
        """Path of a file below the root -> what tells it from another one of that name."""
        return {
            f"{path}/{name}" if path else name: state
            for path, folder in self.folders.items()
            for name, *state in zip(folder.files, folder.sizes, folder.changed, folder.touched, strict=True)
        }

    def find(self, name: str) -> str | None:
        """The path below the root of what a user names, "" of the root; None where there is nothing of that name.

        `extra/`, `./extra`, `train\\cow`, an absolute path and either of Unicode's forms lead to it. Links and folders that
        cannot be read are there as well.
        """
        base = posixpath.normpath(self.base)
        for written in (name, name.replace("\\", "/")):
            path = posixpath.normpath(posixpath.join(base, written))
            if name.strip() and is_below(path, base.rstrip("/")):
                found = self._lookup(path[len(base) :].strip("/"))
                if found is not None:
                    return found
        return None

    def _lookup(self, path: str) -> str | None:
        at = ""
        for part in filter(None, path.split("/")):
            folder = self.folders.get(at)
            names = list(folder.names()) if folder is not None else []
            alike = (own for own in names if same_name(own) == same_name(part))
            found = part if part in names else next(alike, None)
            if found is None:
                return None
            at = join(at, found)
        return at

    def without(self, paths: Collection[str]) -> Tree:
        """The tree but for some of its files, links and folders with all that is below them."""
        if not paths:
            return self
        folders = {path: own for path, own in self.folders.items() if not any(is_below(path, gone) for gone in paths)}
        for path in paths:
            parent, name = posixpath.split(path)
            if parent in folders:
                folders[parent] = folders[parent].without({name})
        return replace(self, folders=folders)

    def leaving_out(self, paths: Sequence[str]) -> Tree:
        """The tree without what the user does without."""
        return replace(self.without(paths), left_out=tuple(paths))

    def stamp(self) -> str:
        """32 hexadecimal digits over all names, sizes and times: the same as long as nothing was touched."""
        digest = hashlib.blake2b(digest_size=16)
        for path, folder in self.folders.items():
            links = [*folder.dangling.items(), ("", ""), *folder.unreadable.items()]
            names = "\0".join([path, *folder.files, "", *folder.folders, "", *map("\0".join, links)])
            digest.update(names.encode("utf-8", "surrogateescape") + b"\0\0")
            for column in (folder.sizes, folder.changed, folder.touched):
                digest.update(np.array(column, np.int64).tobytes())
        return digest.hexdigest()
