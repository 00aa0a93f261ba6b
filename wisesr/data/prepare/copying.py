"""One file below a folder: whole or absent, kept where it is right already, and never through a link. No torch."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from wisesr.data.prepare.sources import CHUNK

NEW = ".wisesr.new"
"""What a file is called, in its folder, before it is whole."""
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
"""How a folder is opened: not through a link."""


def place(base: Path, path: str, chunks: Iterator[bytes]) -> None:
    """Make a file whole; its folders are made where they are not there.

    Args:
        base: a folder.
        path: of the file, below it.
        chunks: its content. A file that has it already is left alone.

    Raises:
        OSError: it cannot be written; ELOOP or ENOTDIR where a link is in the way.
    """
    *folders, name = path.split("/")
    with _folder(base, folders) as folder, _opened(name, folder) as old:
        try:
            if _write_new(chunks, old, folder):
                os.replace(NEW, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(NEW, dir_fd=folder)
            raise


@contextmanager
def _folder(base: Path, parts: Sequence[str]) -> Iterator[int]:
    """A descriptor of a folder, each opened below the one above it."""
    folder = os.open(base, FOLDER)
    try:
        for part in parts:
            above, folder = folder, _open_below(part, folder)
            os.close(above)
        yield folder
    finally:
        os.close(folder)


def _open_below(name: str, folder: int) -> int:
    try:
        return os.open(name, FOLDER, dir_fd=folder)
    except FileNotFoundError:
        os.mkdir(name, dir_fd=folder)
        return os.open(name, FOLDER, dir_fd=folder)


@contextmanager
def _opened(name: str, folder: int) -> Iterator[IO[bytes] | None]:
    """What an earlier attempt has written, if it is a file."""
    try:
        file = os.fdopen(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder), "rb")
    except FileNotFoundError:
        yield None
        return
    with file:
        yield file if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None


def _write_new(chunks: Iterator[bytes], old: IO[bytes] | None, folder: int) -> bool:
    """Write a new file of this content; False where the old one has it already. It is written from the first difference on."""
    same = 0
    for chunk in chunks:
        if old is None or old.read(len(chunk)) != chunk:
            break
        same += len(chunk)
    else:
        if old is not None and not old.read(1):
            return False
        chunk = b""
    with suppress(FileNotFoundError):
        os.unlink(NEW, dir_fd=folder)
    with os.fdopen(os.open(NEW, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666, dir_fd=folder), "wb") as new:
        if old is not None:
            _copy_start(old, same, new)
        new.write(chunk)
        for chunk in chunks:
            new.write(chunk)
    return True


def _copy_start(old: IO[bytes], size: int, new: IO[bytes]) -> None:
    old.seek(0)
    while size > 0:
        piece = old.read(min(CHUNK, size))
        new.write(piece)
        size -= len(piece)
