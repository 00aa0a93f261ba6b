"""Zip and tar files: `zipfile` and `tarfile` read them, and what those would let pass is refused here. No torch."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

from wisesr.data.prepare.entries import CHUNK, Entry, Names, Source, reading, refusal
from wisesr.errors import UserError

Tell = Callable[[int], object]
"""Called with the bytes of the archive that have been read so far."""

_MAX_DIRECTORY = 1 << 26
"""Bytes of a zip's directory, which `zipfile` reads whole; a million entries have about so many."""
_ENCRYPTED = 0x1 | 0x40 | 0x2000  # flags of the format: an entry, strongly, the directory
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
"""Of bzip2 and LZMA `zipfile` unpacks a chunk whole, whatever number of bytes comes out of it."""
_MAX_HEADER = 1 << 13
"""Bytes of a tar's long name or attributes, which `tarfile` reads whole; of all that hold for every entry together."""
_LONG = {
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
}
_PACKINGS: dict[bytes, Callable[[Any], object]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}
"""Beginning of a file -> what unpacks it."""
_OTHERS = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive: unpack it, and name the folder",
    b"Rar!": "a RAR archive: unpack it, and name the folder",
    b"\x28\xb5\x2f\xfd": "packed by zstd: unpack it (unzstd), and name the result",
    b"<": "a page of the web and no archive: the download has ended at a login or an error",
}


@contextmanager
def open_archive(path: Path, lists: Collection[str], tell: Tell) -> Iterator[Source]:
    """A zip, or a tar packed in any way, looked through. It is recognised by its content and not by its name's ending.

    Raises:
        UserError: it is something else, damaged, or holds what no archive may hold.
    """
    with _BoundedFile(io.FileIO(path)) as file:
        head = file.read(tarfile.BLOCKSIZE)
        file.seek(0)
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            source = Source(path.name, "zip", lists, path.stat().st_size)
            _look_through_zip(source, file)
        else:
            source = Source(path.name, "tar", lists, path.stat().st_size)
            _look_through_tar(source, file, _unpacker(path, head), tell)
        yield source


def _unpacker(path: Path, head: bytes) -> Callable[[Any], object]:
    for magic, opener in _PACKINGS.items():
        if head.startswith(magic):
            return opener
    try:  # by the checksum of its first header: tars of before 1988, and of some programs since, have no other mark
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        what = next((text for magic, text in _OTHERS.items() if head.lstrip().startswith(magic)), "neither")
        if not head.strip(b"\0"):
            what = "a tar without a single entry, or another file of zeros" if head else "empty"
        raise UserError(
            f"--from: {path} is {what}. Wanted: a zip, a tar (.tar, .tar.gz, .tar.bz2, .tar.xz) or a folder"
        ) from None
    return lambda file: file


def _look_through_zip(source: Source, file: IO[bytes]) -> None:
    with reading(source.label):
        archive = zipfile.ZipFile(file)
    names, total = Names(source.label), 0
    for info in archive.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)  # whatever system the entry claims to come from
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise refusal(source.label, info.filename, "is a link" if kind == stat.S_IFLNK else "is a pipe or a device")
        if info.flag_bits & _ENCRYPTED:
            raise refusal(source.label, info.filename, "is encrypted")
        if info.compress_type not in _METHODS:
            why = f"is packed by method {info.compress_type}; only stored (0) and deflated (8) ones are read"
            raise refusal(source.label, info.filename, why)
        size = info.file_size
        source.count(info.filename, total := total + size)
        with reading(source.label, info.filename):
            archive.open(info).close()  # holds the entry's own header against the directory
        if kind == stat.S_IFDIR or info.filename.endswith(("/", "\\")):
            names.check(info.filename)
            continue
        info.file_size += 1  # `zipfile` cuts it off at its declared size in silence: one byte more shows that there are more
        source.add(Entry(names.add(info.filename), size, info.header_offset, partial(archive.open, info)))
    names.check_folders()


class _BoundedFile(io.BufferedReader):
    """A zip's file, of which no directory is read that would fill the memory."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MAX_DIRECTORY:
            raise UserError(f"{self.name} has a directory of {size:,} bytes, more than {_MAX_DIRECTORY:,}: it is no dataset")
        return super().read(size)


def _look_through_tar(source: Source, file: IO[bytes], unpack: Callable[[Any], object], tell: Tell) -> None:
    header, names, name = _header_class(source.label), Names(source.label), ""
    with reading(source.label):
        stream = cast(IO[bytes], unpack(file))
        archive = tarfile.TarFile(fileobj=stream, tarinfo=header, encoding="utf-8")
        for member in archive:
            name = member.name
            if not (member.isreg() or member.isdir()) or member.issparse() or member.size < 0:
                kind = "link" if member.issym() or member.islnk() else "pipe, a device, sparse, or of a negative size"
                raise refusal(source.label, name, f"is a {kind}")
            source.count(name, member.offset_data + member.isreg() * member.size)
            names.check(name)
            if member.isreg():
                opener = cast(Any, partial(archive.extractfile, member))
                source.add(Entry(names.add(name), member.size, member.offset, opener))
            member.pax_headers = {}  # nobody needs them, and they would all be kept
            tell(file.tell())
        names.check_folders()
        # `tarfile` takes a broken header for the end; the real one is a block of zeros.
        if header.last != bytes(tarfile.BLOCKSIZE):
            raise UserError(
                f"{source.label} ends behind {name!a} without a tar's end mark: it was cut off or is damaged. Download it again"
            )
        while stream.read(CHUNK):  # to the end, where the packing has its checksum
            source.count(name, stream.tell())
        tell(file.tell())


class _Header(tarfile.TarInfo):
    """A header of a tar, refused before `tarfile` reads into memory what a hostile one says to belong to it."""

    __slots__ = ()
    label = ""
    last = b""
    """The block that was looked at last, for each archive's own class."""
    shared = 0
    """Bytes of the headers that hold for all entries."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Header:
        cls.last = bytes(buf)
        header = super().frombuf(buf, encoding, errors)
        if header.type in _LONG:
            cls.shared += header.size * (header.type == tarfile.XGLTYPE)
            if not 0 <= header.size <= _MAX_HEADER or cls.shared > _MAX_HEADER:
                raise refusal(cls.label, header.name, f"has headers of more than {_MAX_HEADER:,} bytes")
        return header


def _header_class(label: str) -> type[_Header]:
    class Header(_Header):
        __slots__ = ()

    Header.label = label
    return Header
