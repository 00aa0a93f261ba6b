"""What this machine keeps of datasets between commands: what lies in their files, and their manifests. No torch.

Below `WISESR_CACHE`, else `$XDG_CACHE_HOME/wisesr`, else `~/.cache/wisesr`. All of it can be deleted at any time; a folder that
cannot be written costs time and nothing else. Files are replaced in one go: commands side by side never read half of one.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from wisesr.data.packed import Names
from wisesr.results.atomic_files import read_arrays, replacing
from wisesr.results.lock import acquire_lock

log = logging.getLogger("wisesr")

_LONGEST = 3600.0
"""Seconds to wait for a process that makes the same thing."""
_MOST = 64
"""Files of a kind that are kept, the latest used."""

Columns = TypeVar("Columns", bound=tuple[NDArray[Any], ...])


def cache_dir() -> Path:
    """The folder of all that is kept."""
    own, home = os.environ.get("WISESR_CACHE"), os.environ.get("XDG_CACHE_HOME")
    return Path(own).expanduser() if own else Path(home or "~/.cache").expanduser() / "wisesr"


def key_of(*parts: object) -> str:
    """32 hexadecimal digits that name something kept."""
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def read_kept(kind: str, key: str) -> dict[str, NDArray[Any]] | None:
    """The arrays that were kept under a name; None where there are none."""
    path = cache_dir() / kind / f"{key}.npz"
    arrays = read_arrays(path)
    if arrays is not None:
        with suppress(OSError):
            os.utime(path)  # the latest used stay
    return arrays


def keep(kind: str, key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Keep arrays under a name; what cannot be written is not kept, and said at most in the log."""
    folder = cache_dir() / kind
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / f"{key}.npz", durable=False) as partial, partial.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        _forget_oldest(folder)
    except OSError as error:
        log.debug("%s cannot keep what was found of the data: %s", folder, error)


def _forget_oldest(folder: Path) -> None:
    files = sorted(folder.glob("*.npz"), key=lambda path: path.stat().st_mtime_ns)
    for path in files[:-_MOST]:
        path.unlink(missing_ok=True)


@contextmanager
def one_at_a_time(kind: str) -> Iterator[None]:
    """Hold a lock while the block runs, so that processes that need the same thing do not all make it; without one where the
    folder cannot be written or knows no locks.
    """
    lock = None
    with suppress(OSError):
        folder = cache_dir() / kind
        folder.mkdir(parents=True, exist_ok=True)
        lock = acquire_lock(folder, patience=_LONGEST)
    with lock or nullcontext():
        yield


class FileCache:
    """Columns of the files of one folder, each valid for a path, a size and a time of change."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._arrays = read_kept("contents", key)

    def look_up(
        self, names: Names, sizes: NDArray[np.int64], changed: NDArray[np.int64], empty: Columns
    ) -> tuple[NDArray[np.bool_], Columns]:
        """Which files are known, and the columns, filled in for those and else as in `empty`."""
        known = np.zeros(len(names), bool)
        before = self._arrays
        if before is None or not len(names):
            return known, empty
        rows = _rows_of(names, Names(content=before["names"]))
        there = np.flatnonzero(rows >= 0)
        same = (before["sizes"][rows[there]] == sizes[there]) & (before["changed"][rows[there]] == changed[there])
        there = there[same]
        known[there] = True
        for number, column in enumerate(empty):
            column[there] = before[f"column{number}"][rows[there]]
        return known, empty

    def keep(
        self, names: Names, sizes: NDArray[np.int64], changed: NDArray[np.int64], columns: tuple[NDArray[Any], ...], rows: Any
    ) -> None:
        """Keep what is known of the files at some rows, with what was kept of others before."""
        texts = list(names)
        content = {"names": np.asarray(Names(texts[at] for at in rows).content)}
        content |= {"sizes": sizes[rows], "changed": changed[rows]}
        content |= {f"column{number}": column[rows] for number, column in enumerate(columns)}
        keep("contents", self._key, _joined(self._arrays, content))


def _rows_of(names: Names, before: Names) -> NDArray[np.int64]:
    """For each name its row among the earlier ones; -1 where it has none."""
    if np.array_equal(names.content, before.content):
        return np.arange(len(names))
    place = {name: row for row, name in enumerate(before)}
    return np.array([place.get(name, -1) for name in names], np.int64)


def _joined(before: Mapping[str, NDArray[Any]] | None, now: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """What is known now, and behind it what was known of other files of the folder (of another part of it, or of lists)."""
    if before is None:
        return now
    new, old = set(Names(content=now["names"])), list(Names(content=before["names"]))
    others = np.array([row for row, name in enumerate(old) if name not in new], np.int64)
    joined = {name: np.concatenate([now[name], before[name][others]]) for name in now if name != "names"}
    return {"names": np.concatenate([now["names"], Names(old[row] for row in others).content]), **joined}


def file_cache(base: Path, *version: object) -> FileCache:
    """What is kept of the files below a folder, as a version of the code found it out."""
    return FileCache(key_of(os.path.realpath(base), *version))
