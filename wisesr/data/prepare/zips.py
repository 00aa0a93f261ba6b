"""A zip as a source. `zipfile` reads it; what it would let pass is refused here. No torch."""

from __future__ import annotations

import copy
import hashlib
import stat
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO

from wisesr.data.prepare.directory import check_directory
from wisesr.data.prepare.safety import MAX_RATIO, SMALL, Lists, Names, check_ratio, check_rows, reading, refusal
from wisesr.data.prepare.sources import CHUNK, Entry, Tell
from wisesr.errors import UserError

_PACKINGS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
"""Of bzip2 and LZMA `zipfile` unpacks a chunk whole, whatever number of bytes comes out of it."""
_OTHERS = {9: "Deflate64", zipfile.ZIP_BZIP2: "bzip2", zipfile.ZIP_LZMA: "LZMA"}  # 9: Windows' for 2 GB and more
_ENCRYPTED = 0x1 | 0x40 | 0x2000  # flags of the format: an entry, strongly, the directory
_PATCHES = 0x20
_HEADER = 30
"""Bytes of an entry's own header before its name."""


class ZipSource:
    """A zip.

    Args:
        path: of the file.
    """

    kind = "zip"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._infos: dict[str, zipfile.ZipInfo] = {}
        self.label = path.name
        self.size = path.stat().st_size
        self.sha256: str | None = None

    def look(self, lists: Collection[str], tell: Tell) -> list[Entry]:
        """See `Source.look`. What a zip holds stands in its directory; all its bytes are read for the hash only."""
        with reading(self.label):
            check_directory(self._path, self.label)
        with reading(self.label), zipfile.ZipFile(self._path) as archive:
            infos = archive.infolist()
            self._infos = self._check_each(infos)
            self._check_together(infos, archive.start_dir)
            for name, info in self._infos.items():
                with reading(self.label, name):
                    archive.open(info).close()  # holds the entry's own header against the directory
        entries = [Entry(name, info.file_size) for name, info in self._infos.items()]
        contents = {}
        wanted, texts = [entry for entry in entries if entry.name.rpartition("/")[2] in lists], Lists(self.label)
        for entry in wanted:
            texts.check(entry.name, entry.size)
        for entry, stream in self.read(wanted):
            contents[entry.name] = self._list(entry, stream)
        self._hash(len(entries), tell)
        return [entry._replace(content=contents.get(entry.name)) for entry in entries]

    def read(self, entries: Collection[Entry]) -> Iterator[tuple[Entry, IO[bytes]]]:
        """See `Source.read`. `zipfile` holds each against its CRC."""
        with reading(self.label):
            archive = zipfile.ZipFile(self._path)
        with archive:
            for entry in sorted(entries, key=lambda entry: self._infos[entry.name].header_offset):
                info = copy.copy(self._infos[entry.name])
                # `zipfile` cuts an entry off at its declared size in silence: one byte more shows that there are more.
                info.file_size += 1
                with reading(self.label, entry.name):
                    stream = archive.open(info)
                with stream:
                    yield entry, stream

    def _check_each(self, infos: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
        """Every entry alone; the files by their names."""
        names = Names(self.label)
        files: dict[str, zipfile.ZipInfo] = {}
        for info in infos:
            raw = info.orig_filename if "\0" in info.orig_filename else info.filename  # `zipfile` cuts names off at a NUL
            mode = info.external_attr >> 16  # whatever system the entry claims to come from
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                kind = "symbolic link" if stat.S_ISLNK(mode) else "pipe or a device"
                raise refusal(self.label, raw, f"is a {kind}")
            if raw.replace("\\", "/").endswith("/") or stat.S_ISDIR(mode):
                names.folder(raw)
                if info.file_size or info.compress_size > 2:  # two bytes are an empty deflate stream
                    raise refusal(self.label, raw, "is a folder with content")
                continue
            files[names.file(raw)] = info
            self._check_packing(raw, info)
        return files

    def _check_packing(self, raw: str, info: zipfile.ZipInfo) -> None:
        if info.flag_bits & _ENCRYPTED:
            raise refusal(self.label, raw, "is encrypted")
        if info.compress_type not in _PACKINGS or info.flag_bits & _PATCHES:
            kind = _OTHERS.get(info.compress_type, f"method {info.compress_type}")
            raise refusal(self.label, raw, f"is packed in a way that is not read here ({kind})")
        if info.header_offset < 0 or info.compress_size < 0 or info.file_size < 0:
            raise refusal(self.label, raw, "has a negative place or size")
        check_ratio(self.label, raw, info.file_size, info.compress_size)

    def _check_together(self, infos: list[zipfile.ZipInfo], end: int) -> None:
        """Bytes that several entries share make a bomb of any size. `end`: where the directory begins."""
        for info in sorted(infos, key=lambda info: info.header_offset, reverse=True):
            length = _HEADER + len(info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437"))
            if info.header_offset + length + info.compress_size > end:
                raise refusal(self.label, info.filename, "shares bytes with the next one: overlapping entries are a bomb")
            end = info.header_offset
        if (total := sum(info.file_size for info in infos)) > max(SMALL, MAX_RATIO * self.size):
            raise UserError(f"{self.label} unpacks to {total:,} bytes from {self.size:,}, more than {MAX_RATIO} times: a bomb")

    def _list(self, entry: Entry, stream: IO[bytes]) -> bytes:
        with reading(self.label, entry.name):
            content = stream.read(entry.size + 1)
        if len(content) != entry.size:
            raise refusal(self.label, entry.name, f"has other than the {entry.size:,} bytes that it declares")
        check_rows(self.label, entry.name, content)
        return content

    def _hash(self, files: int, tell: Tell) -> None:
        digest, done = hashlib.sha256(), 0
        with reading(self.label), self._path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                done += len(chunk)
                tell(done, files)
        self.sha256 = digest.hexdigest()
