"""A folder as a source: an archive that the user, or kagglehub, has unpacked. No torch."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path

from wisesr.data.prepare.entries import Entry, Source, normal
from wisesr.errors import UserError


def open_folder(path: Path, lists: Collection[str], skip: Collection[Path]) -> Source:
    """All files below a folder but those below `skip`. Links in it are entries that are refused, and never followed.

    Raises:
        UserError: a folder cannot be read.
    """
    source, names = Source(str(path), "folder", lists), set[str]()
    try:
        for offset, file in enumerate(_files_below(path.resolve(), skip)):
            status, raw = file.lstat(), file.relative_to(path.resolve()).as_posix()
            kind = "is a link, which is not followed" if file.is_symlink() else "is a pipe, a socket or a device"
            refused = "" if stat.S_ISREG(status.st_mode) else kind
            source.count(raw)
            try:
                name = normal(raw)
            except ValueError as error:
                name, refused = raw, str(error)
            if name in names:
                refused = "is there twice, once with backslashes for slashes"
            names.add(name)
            source.add(Entry(name, status.st_size, offset, partial(io.FileIO, file), refused=refused))
    except OSError as error:
        raise UserError(f"--from: {error.filename} cannot be read: {error.strerror}") from error
    return source


def _files_below(folder: Path, skip: Collection[Path]) -> Iterator[Path]:
    """All that is no folder, at any depth, in the order of names."""

    def refuse(error: OSError) -> None:
        raise error

    for place, folders, names in os.walk(folder, onerror=refuse):
        linked = [name for name in folders if Path(place, name).is_symlink()]
        folders[:] = sorted(name for name in folders if name not in linked and Path(place, name) not in skip)
        for name in sorted([*names, *linked]):
            yield Path(place, name)
