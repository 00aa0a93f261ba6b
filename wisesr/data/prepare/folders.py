"""A folder as a source: an archive that the user, or kagglehub, has unpacked. No torch."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO

from wisesr.data.prepare.copying import FOLDER
from wisesr.data.prepare.safety import MAX_ENTRIES, Lists, check_rows, normal
from wisesr.data.prepare.sources import Entry, Tell
from wisesr.errors import UserError


class FolderSource:
    """All regular files below a folder. Links in it are listed, with the reason why they cannot be taken, and never followed.

    Args:
        path: of the folder; may itself be a link to one.
        skip: folders below it that do not belong to it.
    """

    kind = "folder"
    size = 0
    sha256: str | None = None

    def __init__(self, path: Path, *, skip: Collection[Path] = ()) -> None:
        self._path = path.resolve()
        self._skip = {str(place) for place in skip}
        self._places: dict[str, str] = {}
        self.label = str(path)
        self._texts = Lists(self.label)

    def look(self, lists: Collection[str], tell: Tell) -> list[Entry]:
        """See `Source.look`."""
        entries: list[Entry] = []
        total = 0
        try:
            for found in self._walk():
                entries.append(self._entry(found, lists))
                total += entries[-1].size
                if len(entries) > MAX_ENTRIES:
                    raise UserError(f"--from: {self.label} has more than {MAX_ENTRIES:,} files: it is no dataset as downloaded")
                tell(total, len(entries))
        except OSError as error:
            raise UserError(f"--from: {error.filename} cannot be read: {error.strerror}") from error
        return entries

    def read(self, entries: Collection[Entry]) -> Iterator[tuple[Entry, IO[bytes]]]:
        """See `Source.read`."""
        for entry in entries:
            path = self._places[entry.name]
            try:
                file = self._open(path)
            except OSError as error:
                raise UserError(f"{path} cannot be read: {error.strerror}. Has {self.label} changed?") from error
            with file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise UserError(f"{path} is no file any more. Has {self.label} changed?")
                yield entry, file

    def _open(self, path: str) -> IO[bytes]:
        """Part by part: links that have come since the look are not followed at any of them; a pipe must not be waited for."""
        *folders, name = os.path.relpath(path, self._path).split("/")
        folder = os.open(self._path, FOLDER)
        try:
            for part in folders:
                above, folder = folder, os.open(part, FOLDER, dir_fd=folder)
                os.close(above)
            return os.fdopen(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder), "rb")
        finally:
            os.close(folder)

    def _walk(self) -> Iterator[os.DirEntry[str]]:
        """All that is no folder, at any depth; what a folder holds in the order of names."""
        folders = [str(self._path)]
        while folders:
            below = []
            for found in sorted(os.scandir(folders.pop()), key=lambda entry: entry.name):
                if not found.is_dir(follow_symlinks=False):
                    yield found
                elif found.path not in self._skip:
                    below.append(found.path)
            folders += reversed(below)

    def _entry(self, found: os.DirEntry[str], lists: Collection[str]) -> Entry:
        raw = found.path[len(str(self._path)) :].lstrip("/")
        status = found.stat(follow_symlinks=False)
        refused = "" if stat.S_ISREG(status.st_mode) else _KINDS.get(stat.S_IFMT(status.st_mode), "is no file")
        try:
            name = normal(raw)
        except UserError as error:
            name, refused = raw, str(error)
        if self._places.setdefault(name, found.path) != found.path:
            refused = f"is there twice, the other time as {self._places[name]}"
        content = None
        if not refused and found.name in lists:
            self._texts.check(name, status.st_size)
            with self._open(found.path) as file:
                content = file.read(status.st_size)
            check_rows(self.label, name, content)
        return Entry(name, status.st_size, content, refused)


_KINDS = {
    stat.S_IFLNK: "is a symbolic link, which is not followed",
    stat.S_IFIFO: "is a pipe",
    stat.S_IFSOCK: "is a socket",
    stat.S_IFCHR: "is a device",
    stat.S_IFBLK: "is a device",
}
