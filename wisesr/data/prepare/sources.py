"""What a dataset can be prepared from: a zip, a tar or a folder, behind one small interface. No torch."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import IO, NamedTuple, Protocol

from wisesr.errors import UserError

Tell = Callable[[int, int], None]
"""Called with bytes and files so far."""

CHUNK = 1 << 18


class Entry(NamedTuple):
    """A file of a source."""

    name: str
    """Below the source's top, with forward slashes, normalised."""
    size: int
    """Bytes, unpacked."""
    content: bytes | None = None
    """Of the lists that were asked for."""
    refused: str = ""
    """Why it may not be taken; only folders have such entries, an archive that has one is refused."""


class Source(Protocol):
    """A zip, a tar or a folder.

    Attributes:
        kind: `zip`, `tar`, `folder`.
        label: what messages call it: its name.
        size: bytes that the first look reads; 0 for a folder.
        sha256: of the archive's file, after the first look; None for a folder.
    """

    kind: str
    label: str
    size: int
    sha256: str | None

    def look(self, lists: Collection[str], tell: Tell) -> list[Entry]:
        """Look at everything before anything is written.

        Args:
            lists: names, without folders, of the files whose content is wanted now.
            tell: bytes of the archive and entries seen so far.

        Raises:
            UserError: it is damaged, or holds what no archive may hold.
        """

    def read(self, entries: Collection[Entry]) -> Iterator[tuple[Entry, IO[bytes]]]:
        """The content of entries that `look` has seen, in the order in which the source has them.

        Each stream ends before the next begins. A stream may hold other than `Entry.size` bytes: whoever reads it must count.

        Raises:
            UserError: the source has changed, or is damaged.
        """


def open_source(path: Path, *, skip: Collection[Path] = ()) -> Source:
    """The source at a path, by its content and not by its name's ending.

    Args:
        path: of a zip, a tar (packed by gzip, bzip2, xz or not at all) or a folder.
        skip: folders below a folder that do not belong to it.

    Raises:
        UserError: there is nothing, or something else.
    """
    # They import this module.
    from wisesr.data.prepare.folders import FolderSource
    from wisesr.data.prepare.tars import TarSource
    from wisesr.data.prepare.zips import ZipSource

    try:
        if path.is_dir():
            return FolderSource(path, skip=skip)
        if not path.is_file():
            raise UserError(f"--from: there is no file or folder {path}")
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise UserError(f"--from: {path} cannot be read: {os.strerror(error.errno or 0)}") from error
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return ZipSource(path)
    for magic, packing in _TARS.items():
        if head.startswith(magic):
            return TarSource(path, packing)
    if _is_tar(head):
        return TarSource(path, "")
    raise UserError(f"--from: {path} is {_what(head)}. Wanted: a zip, a tar (.tar, .tar.gz, .tar.bz2, .tar.xz) or a folder")


def _is_tar(head: bytes) -> bool:
    """By the checksum of its first header: tars of before 1988, and of some programs since, have no other mark."""
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


_TARS = {b"\x1f\x8b": "gz", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz"}
_OTHERS = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive: unpack it, and name the folder",
    b"Rar!": "a RAR archive: unpack it, and name the folder",
    b"\x28\xb5\x2f\xfd": "packed by zstd: unpack it (unzstd), and name the result",
    b"<": "a page of the web and no archive: the download has ended at a login or an error",
}


def _what(head: bytes) -> str:
    if not head:
        return "empty"
    if not head.strip(b"\0"):
        return "a tar without a single entry, or another file of zeros"
    return next((words for magic, words in _OTHERS.items() if head.lstrip().startswith(magic)), "neither")
