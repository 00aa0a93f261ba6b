"""Zips, tars and folders: `zipfile` and `tarfile` read them, and what those would let pass is refused here. No torch."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

from rich.console import Console

from wisesr.data.legible import shorten
from wisesr.data.prepare.progress_bar import progress
from wisesr.data.prepare.source import CHUNK, Source, normal, reading, refusal
from wisesr.errors import UserError

MAX_DIRECTORY = 64_000_000
"""Bytes of a zip's directory, which `zipfile` reads whole; those of our datasets have up to 15 MB."""
MAX_HEADER = 65_536
"""Bytes of a long name or of attributes ahead of a tar's entry, which `tarfile` reads whole; real ones have a few thousand."""

_ENCRYPTED = 0x1 | 0x40 | 0x2000
"""Flags of a zip's entry: plainly, strongly, in the directory. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT"""
_UNPACK = "unpack it, and name the folder"
_PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")
"""What gzip, bzip2 and xz begin with."""
_UNKNOWN = {
    b"7z\xbc\xaf\x27\x1c": f"a 7z archive: {_UNPACK}",
    b"Rar!": f"a RAR archive: {_UNPACK}",
    b"\x28\xb5\x2f\xfd": f"packed by zstd: {_UNPACK}",
    b"<": "a page of the web and no archive: the download has ended at a login or an error",
}
_EXTENSIONS = {tarfile.GNUTYPE_LONGNAME: "a long name", tarfile.GNUTYPE_LONGLINK: "a long name of a link"} | dict.fromkeys(
    (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE), "attributes"
)
"""Headers of a tar that belong to the next one."""
_NO_FILE = "is a link, a pipe, a device, sparse, or of a negative size"


@contextmanager
def open_source(path: Path, skip: Path, console: Console) -> Iterator[Source]:
    """A zip, a tar packed in any way, or a folder without `skip` in it, looked through. Content tells which it is.

    Raises:
        UserError: it is something else, damaged, or holds what no archive may hold.
        OSError: a folder in it cannot be read.
    """
    if path.is_dir():
        source = Source(str(path), "folder")
        _look_through_folder(source, path.resolve(), skip)
        yield source
        return
    with _Reader(io.FileIO(path)) as file:
        source = Source(path.name, _kind(path.name, file.peek()[: tarfile.BLOCKSIZE]), path.stat().st_size)
        look_through = _look_through_zip if source.kind == "zip" else _look_through_tar
        with reading(source.label), progress(console, "Looking through it", source.size) as tell:
            look_through(source, file, tell)
        yield source


class _Reader(io.BufferedReader):
    """Refuses to read very much at once, which only `zipfile` does, for a directory of the size that the zip declares."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MAX_DIRECTORY:
            raise UserError(f"{Path(self.name).name} declares a directory of {size:,} bytes, more than {MAX_DIRECTORY:,}")
        return super().read(size)


def _kind(label: str, head: bytes) -> str:
    """`zip` or `tar`, by the first block: of an unpacked tar it is a header with a checksum. Raises UserError for all else."""
    if head.startswith(b"PK"):
        return "zip"
    with suppress(tarfile.HeaderError):
        if head.startswith(_PACKED) or tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape"):
            return "tar"
    what = next((what for magic, what in _UNKNOWN.items() if head.lstrip().startswith(magic)), "neither a zip nor a tar")
    if not head.strip(b"\0"):
        what = "a tar without a single entry, or another file of zeros" if head else "empty"
    raise UserError(f"{label} is {what}. --from takes a zip, a tar (.tar, .tar.gz, .tar.bz2, .tar.xz) or a folder")


def _look_through_zip(source: Source, file: IO[bytes], tell: Callable[[int], object]) -> None:
    archive = zipfile.ZipFile(file)
    for info in archive.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)  # whatever system the entry claims to come from
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise refusal(source.label, info.filename, "is a link, a pipe or a device")
        if info.flag_bits & _ENCRYPTED:
            raise refusal(source.label, info.filename, f"is encrypted: {_UNPACK}")
        # Of the others `zipfile` unpacks a chunk whole, whatever number of bytes comes out of it.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise refusal(source.label, info.filename, f"is packed by method {info.compress_type}: {_UNPACK}")
        with reading(source.label, info.filename):
            archive.open(info.filename).close()  # holds the entry's own header against the directory
        tell(file.tell())
        if kind == stat.S_IFDIR or info.filename.endswith(("/", "\\")):
            normal(source.label, info.filename)
        else:
            source.add(info.filename, info.file_size, partial(archive.open, info))
            info.file_size += 1  # `zipfile` ends an entry at this size in silence: the byte more shows that there are more


def _look_through_tar(source: Source, file: IO[bytes], tell: Callable[[int], object]) -> None:
    name, header = "", _header_of(source)
    archive = tarfile.open(fileobj=file, encoding="utf-8", tarinfo=header)  # noqa: SIM115 (read from until the file is closed)
    for member in archive:
        name = member.name
        if not (member.isreg() or member.isdir()) or member.issparse() or member.size < 0:
            raise refusal(source.label, name, _NO_FILE)
        if member.isdir():
            normal(source.label, name)
        else:
            source.add(name, member.size, cast(Any, partial(archive.extractfile, member)))
        tell(file.tell())
    stream = cast(IO[bytes], archive.fileobj)
    stream.seek(archive.offset)
    if stream.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):  # `tarfile` takes a broken header for the end
        why = "without a tar's end mark: it was cut off or is damaged. Download it again"
        raise UserError(f"{source.label} ends behind {shorten(name)} {why}")
    while stream.read(CHUNK):  # to the end, where the packing has its checksum
        tell(file.tell())
    tell(file.tell())


def _header_of(source: Source) -> type[tarfile.TarInfo]:
    """What `tarfile` makes of a tar's headers, for this source: refused before any of what belongs to them is read."""

    class Header(tarfile.TarInfo):
        @classmethod
        def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Header:
            header = super().frombuf(buf, encoding, errors)
            if header.type == tarfile.GNUTYPE_SPARSE:
                raise refusal(source.label, header.name, _NO_FILE)
            if header.type in _EXTENSIONS:
                if not 0 <= header.size <= MAX_HEADER:
                    why = f"is {_EXTENSIONS[header.type]} of {header.size:,} bytes, more than {MAX_HEADER:,}"
                    raise refusal(source.label, header.name, why)
                source.weigh(header.name, header.size)
            source.weigh(header.name, tarfile.BLOCKSIZE)
            return header

        def _proc_gnusparse_10(self, following: tarfile.TarInfo, records: dict[str, str], *_: object) -> None:
            """`tarfile`'s own, in Python 3.10 to 3.13, reads a list of any length from the entry's content."""
            raise refusal(source.label, records.get("GNU.sparse.name", following.name), _NO_FILE)

    return Header


def _look_through_folder(source: Source, folder: Path, skip: Path) -> None:
    """All that is no folder, at any depth, in the order of names. Links are entries that are refused, and never followed."""

    def refuse(error: OSError) -> None:
        raise error

    for place, folders, names in os.walk(folder, onerror=refuse):
        linked = [name for name in folders if Path(place, name).is_symlink()]
        folders[:] = sorted(name for name in folders if Path(place, name) != skip)
        for path in (Path(place, name) for name in sorted([*names, *linked])):
            status = path.lstat()
            refused = "" if stat.S_ISREG(status.st_mode) else "is a link, which is not followed, a pipe or a device"
            source.add(path.relative_to(folder).as_posix(), status.st_size, partial(io.FileIO, path), refused)
