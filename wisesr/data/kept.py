"""What this machine keeps of datasets between commands: what lies in their files, and their manifests. No torch.

Below `WISESR_CACHE`, else `$XDG_CACHE_HOME/wisesr`, else `~/.cache/wisesr`. All of it can be deleted at any time; a folder that
cannot be written costs time and nothing else. Files are replaced in one go: commands side by side never read half of one.
"""

from __future__ import annotations

import hashlib
import logging
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from wisesr.data.mapped_arrays import map_arrays, write_arrays
from wisesr.results.atomic_files import replacing
from wisesr.results.lock import acquire_lock

log = logging.getLogger("wisesr")

_SOON, _LONGEST = 2.0, 3600.0
"""Seconds to wait for a process that makes the same thing: before it is said, and at most."""
_MOST = 64
"""Files of a kind that are kept, the latest used."""


def cache_dir() -> Path:
    """The folder of all that is kept.

    Raises:
        OSError: nobody says which it is: no variable, and no home.
    """
    own, home = os.environ.get("WISESR_CACHE"), os.environ.get("XDG_CACHE_HOME")
    try:
        return Path(own).expanduser() if own else Path(home or "~/.cache").expanduser() / "wisesr"
    except RuntimeError as error:  # a container's user that no list of users has
        raise OSError(str(error)) from error


def key_of(*parts: object) -> str:
    """32 hexadecimal digits that name something kept."""
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def read_kept(kind: str, key: str) -> dict[str, NDArray[Any]] | None:
    """The arrays that were kept under a name, read-only, in pages that all processes share; None where there are none."""
    with suppress(OSError, ValueError, struct.error, zipfile.BadZipFile, zlib.error):
        path = cache_dir() / kind / f"{key}.npz"
        arrays = map_arrays(path)
        with suppress(OSError):
            os.utime(path)  # the latest used stay
        return arrays
    return None


def keep(kind: str, key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Keep arrays under a name; what cannot be written is not kept, and said at most in the log."""
    try:
        folder = cache_dir() / kind
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / f"{key}.npz", durable=False) as partial, partial.open("wb") as file:
            write_arrays(file, arrays)
        _forget_oldest(folder)
    except OSError as error:
        log.debug("what was found of the data cannot be kept: %s", error)


def _forget_oldest(folder: Path) -> None:
    files = sorted(folder.glob("*.npz"), key=lambda path: path.stat().st_mtime_ns)
    for path in files[:-_MOST]:
        path.unlink(missing_ok=True)


@contextmanager
def one_at_a_time(key: str) -> Iterator[None]:
    """Hold a lock while the block runs, so that processes that need the same thing do not all make it.

    Without one where the folder cannot be written or knows no locks; a longer wait is said.
    """
    lock = None
    with suppress(OSError):
        folder = cache_dir() / "locks" / key
        folder.mkdir(parents=True, exist_ok=True)
        lock = acquire_lock(folder, patience=_SOON)
        if lock is None:
            log.warning("another process reads the same images for the first time: waiting for it")
            lock = acquire_lock(folder, patience=_LONGEST)
    with lock or nullcontext():
        yield
