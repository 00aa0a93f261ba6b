"""Zips, tars and folders: `zipfile` and `tarfile` read them, and what those would let pass is refused here. No torch."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

from rich.console import Console

from wisesr.data.prepare.progress_bar import progress
from wisesr.data.prepare.source import CHUNK, Source, normal, reading, refusal
from wisesr.errors import UserError


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
    size = path.stat().st_size
    with path.open("rb") as file:
        is_zip = file.read(2) == b"PK"
        file.seek(0)
        source = Source(path.name, "zip" if is_zip else "tar", size)
        look_through = _look_through_zip if is_zip else _look_through_tar
        with reading(source.label), progress(console, "Looking through it", size) as tell:
            look_through(source, file, tell)
        yield source


def _look_through_zip(source: Source, file: IO[bytes], tell: Callable[[int], object]) -> None:
    archive = zipfile.ZipFile(file)
    for info in archive.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)  # whatever system the entry claims to come from
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise refusal(source.label, info.filename, "is a link, a pipe or a device")
        # Of the others `zipfile` unpacks a chunk whole, whatever number of bytes comes out of it.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise refusal(source.label, info.filename, f"is packed by method {info.compress_type}, neither stored nor deflated")
        with reading(source.label, info.filename):
            archive.open(info.filename).close()  # holds the entry's own header against the directory
        tell(file.tell())
        if kind == stat.S_IFDIR or info.filename.endswith(("/", "\\")):
            normal(source.label, info.filename)
        else:
            source.add(info.filename, info.file_size, partial(archive.open, info))
            info.file_size += 1  # `zipfile` ends an entry at this size in silence: the byte more shows that there are more


def _look_through_tar(source: Source, file: IO[bytes], tell: Callable[[int], object]) -> None:
    archive, name = tarfile.open(fileobj=file, encoding="utf-8"), ""  # noqa: SIM115 (read from until the file is closed)
    for member in archive:
        name = member.name
        if not (member.isreg() or member.isdir()) or member.issparse() or member.size < 0:
            raise refusal(source.label, name, "is a link, a pipe, a device, sparse, or of a negative size")
        if member.isdir():
            normal(source.label, name)
        else:
            source.add(name, member.size, cast(Any, partial(archive.extractfile, member)))
        tell(file.tell())
    stream = cast(IO[bytes], archive.fileobj)
    stream.seek(archive.offset)
    if stream.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):  # `tarfile` takes a broken header for the end
        why = "without a tar's end mark: it was cut off or is damaged. Download it again"
        raise UserError(f"{source.label} ends behind {name!a} {why}")
    while stream.read(CHUNK):  # to the end, where the packing has its checksum
        tell(file.tell())
    tell(file.tell())


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
