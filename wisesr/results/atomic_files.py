"""Files that are either whole or absent, whatever kills the process that writes them."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Write to the path that this yields; it becomes `path` when the block ends without an error.

    Args:
        path: the final name; its folder exists.
        durable: wait until the content is on the disk (not needed for what is rewritten every second).
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        if durable:
            _flush(partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def remove_partial(folder: Path) -> None:
    """Delete what killed processes were writing. Only for who holds the lock of the folder."""
    for path in folder.glob(".*.partial"):
        path.unlink(missing_ok=True)


def write_text(path: Path, text: str, *, durable: bool = True) -> None:
    """A text file, whole or absent, in UTF-8; bytes of a file's name that are none are written as escapes."""
    with replacing(path, durable=durable) as partial:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: Path, value: Any, *, durable: bool = True) -> None:
    """A JSON file, whole or absent. NaN and infinity are refused: they are no JSON, and no result."""
    write_text(path, json.dumps(value, indent=1, allow_nan=False) + "\n", durable=durable)


def read_json(path: Path) -> Any | None:
    """A JSON file's content; None where there is no such file or no JSON in it."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError):
        return None


def write_with(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """A binary file written by `write(file)`, whole or absent."""
    with replacing(path) as partial, partial.open("wb") as file:
        write(file)


def read_arrays(path: Path) -> dict[str, NDArray[Any]] | None:
    """The arrays of an `.npz` file; None where there is no such file, or a damaged one."""
    try:
        with path.open("rb") as file, zipfile.ZipFile(file):  # numpy leaves a file open that is no archive
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
