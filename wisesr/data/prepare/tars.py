"""A tar as a source, packed or not. `tarfile` reads it from front to back; what it would let pass is refused here. No torch."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import IO, Any, cast

from wisesr.data.prepare.headers import Headers, member_of
from wisesr.data.prepare.packed import AHEAD, Unpacked
from wisesr.data.prepare.safety import MAX_RATIO, SMALL, Lists, Names, check_ratio, check_rows, reading, refusal
from wisesr.data.prepare.sources import Entry, Tell
from wisesr.errors import UserError

_BLOCK = 512


class TarSource:
    """A tar, once read through to look at it and once more to copy from it.

    Args:
        path: of the file.
        packing: `gz`, `bz2`, `xz` or nothing.
    """

    kind = "tar"

    def __init__(self, path: Path, packing: str) -> None:
        self._path, self._packing = path, packing
        self.label = path.name
        self.size = path.stat().st_size
        self.sha256: str | None = None

    def look(self, lists: Collection[str], tell: Tell) -> list[Entry]:
        """See `Source.look`."""
        names, texts = Names(self.label), Lists(self.label)
        entries: list[Entry] = []
        with self._open(lambda count: tell(count, len(entries))) as walk:
            for member in walk:
                self._check(member)
                if member.isdir():
                    names.folder(member.name)
                    continue
                name = names.file(member.name)
                wanted = name.rpartition("/")[2] in lists
                if wanted:
                    texts.check(name, member.size)
                entries.append(Entry(name, member.size, self._list(walk, member) if wanted else None))
            with reading(self.label):
                walk.file.drain()
            self.sha256 = walk.file.packed.sha256()
        return entries

    def read(self, entries: Collection[Entry]) -> Iterator[tuple[Entry, IO[bytes]]]:
        """See `Source.read`."""
        wanted = {entry.name: entry for entry in entries}
        names = Names(self.label)
        with self._open(lambda count: None) as walk:
            for member in walk:
                if not wanted:
                    return
                self._check(member)  # the file may be another one by now
                if member.isdir() or (entry := wanted.pop(names.file(member.name), None)) is None:
                    continue
                yield entry, walk.content(member)
        if wanted:
            raise UserError(f"{self.label} has changed while it was read: {min(wanted)!r} is gone. Give the same command again")

    def _open(self, tell: Callable[[int], None]) -> _Walk:
        with reading(self.label):
            return _Walk(self._path, self._packing, tell)

    def _check(self, member: tarfile.TarInfo) -> None:
        """One entry alone."""
        if member.issym() or member.islnk():
            raise refusal(self.label, member.name, f"is a {'symbolic' if member.issym() else 'hard'} link")
        if member.ischr() or member.isblk() or member.isfifo():
            raise refusal(self.label, member.name, "is a pipe or a device")
        if member.type not in tarfile.SUPPORTED_TYPES or not (member.isreg() or member.isdir()):
            raise refusal(self.label, member.name, f"is of an unknown kind ({member.type!a})")
        if member.size < 0:
            raise refusal(self.label, member.name, "has a negative size")
        if member.size > max(SMALL, MAX_RATIO * self.size):
            check_ratio(self.label, member.name, member.size, self.size)

    def _list(self, walk: _Walk, member: tarfile.TarInfo) -> bytes:
        with reading(self.label, member.name):
            content = walk.content(member).read()
        check_rows(self.label, member.name, content)
        return content


class _Walk:
    """The members of a tar in their order, each one's content to be read before the next.

    Raises:
        UserError: it is damaged or does not end as it should, or a member unpacks to far more bytes than it has.
    """

    def __init__(self, path: Path, packing: str, tell: Callable[[int], None]) -> None:
        self._label, self._packing = path.name, packing
        headers = Headers(path.name)
        self.file = Unpacked(path, packing, tell, headers.content)
        try:
            self._tar = tarfile.TarFile(fileobj=cast(IO[bytes], self.file), tarinfo=member_of(headers), encoding="utf-8")
        except BaseException:
            self.file.close()
            raise

    def __enter__(self) -> _Walk:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def __iter__(self) -> Iterator[tarfile.TarInfo]:
        while (member := self._next()) is not None:
            before, self.file.at = self.file.packed.count, member.name
            yield member
            with reading(self._label, member.name):
                content = member.size if member.isreg() else 0  # a folder may have a size, and has no content
                self.file.seek(max(self.file.tell(), member.offset_data + content))
            if self._packing:
                check_ratio(self._label, member.name, member.size, self.file.packed.count - before + AHEAD)
        # `tarfile` takes a broken header for the end; the real one is a block of zeros.
        if self.file.last != bytes(_BLOCK):
            raise UserError(f"{self._label} ends without a tar's end mark: it was cut off or is damaged. Download it again")

    def content(self, member: tarfile.TarInfo) -> IO[bytes]:
        """Of the member that the walk is at."""
        with reading(self._label, member.name):
            return cast(IO[bytes], self._tar.extractfile(member))

    def _next(self) -> tarfile.TarInfo | None:
        with reading(self._label):
            member = self._tar.next()
        cast(Any, self._tar).members.clear()  # they would all be kept
        return member
