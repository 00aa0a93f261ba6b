"""A folder of rows of one kind: opened by whoever reads, extended by one process at a time, never changed otherwise. No torch.

The folder's name is a hash of everything that its rows depend on beside the image, so that rows of other data, another size,
other weights or another version of a library are never found. `about.json` tells it in words.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wisesr.data.kept import key_of
from wisesr.data.progress import show, tell
from wisesr.data.rows.segment import KEY, DamagedError, Segment, Writer, remove_begun
from wisesr.results.atomic_files import read_json, remove_partial, write_json
from wisesr.results.lock import acquire_lock

log = logging.getLogger("wisesr")

ABOUT = "about.json"
_IN_USE = ".use"
_VERSION = 1
_SOON, _LONGEST = 2.0, 6 * 3600.0
"""Seconds to wait for a process that makes the same rows: before it is said, and at most."""

Keys = NDArray[np.uint8]
"""(rows, KEY): what rows are found by."""
Make = Callable[[NDArray[np.int64]], Iterator[NDArray[Any]]]
"""Of positions among the keys that were asked for, their rows in order."""


class Kind(NamedTuple):
    """What the rows of a store are."""

    name: str
    """decoded, maps: the folder that stores of a kind lie in."""
    depends_on: Mapping[str, Any]
    """All that their bytes depend on beside the image: plain data."""
    dimensions: int
    """Of a row."""
    item: int
    """Bytes of a value."""
    text: str
    """For a reader: `224 px, squash`."""


class Rows:
    """Rows of some images, by their positions among the keys that were asked for."""

    def __init__(self, segments: Sequence[Segment], at: NDArray[np.int64], in_use: IO[Any] | None) -> None:
        self._segments, self._at, self._in_use = segments, at, in_use

    def __len__(self) -> int:
        return len(self._at)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_in_use": None}

    def shape(self, position: int) -> tuple[int, ...]:
        """Of the row of an image."""
        segment, row = self._at[position]
        return tuple(self._segments[segment].index.shapes[row].tolist())

    def read(self, position: int, into: memoryview) -> None:
        """Fill the row of an image into writable memory of its size, as bytes.

        Raises:
            OSError: it cannot be read any more.
        """
        segment, row = self._at[position]
        self._segments[segment].read(int(row), into)

    @property
    def bytes(self) -> int:
        """That the rows take together, each once."""
        found = np.unique(self._at, axis=0)
        return int(sum(self._segments[segment].sizes[row] for segment, row in found))


class Store:
    """The rows of one kind, below a folder that holds all of them.

    Args:
        place: the folder: `wisesr.data.kept.cache_dir`, or another.
        kind: of the rows.
    """

    def __init__(self, place: Path, kind: Kind) -> None:
        self.kind = kind
        self.folder = place / kind.name / key_of(_VERSION, kind.name, kind.dimensions, kind.item, _plain(kind.depends_on))

    def find(self, keys: Keys) -> Rows | None:
        """The rows of all these keys; None where one is missing."""
        segments = self._segments()
        at = _look_up(segments, keys)
        if len(keys) and (not segments or (at[:, 0] < 0).any()):
            return None
        with suppress(OSError):
            os.utime(self.folder / ABOUT)  # the latest used stay
        return Rows(segments, at, self._mark_in_use())

    def missing(self, keys: Keys) -> NDArray[np.int64]:
        """Positions of the keys that have no row yet, those of equal ones once."""
        at = _look_up(self._segments(), keys)
        lacking = np.flatnonzero(at[:, 0] < 0)
        _, first = np.unique(_as_values(keys[lacking]), return_index=True)
        return lacking[np.sort(first)]

    def extend(self, keys: Keys, make: Make, *, what: str, about: Mapping[str, Any]) -> Rows | None:
        """Make the rows that are missing, while other processes that want them wait; then all of them, as of `find`.

        Args:
            keys: of the images.
            make: their rows.
            what: is being done, for who watches: "decoding images".
            about: the dataset, the backbone: for the list of what is kept.

        Raises:
            OSError: no room, or a folder that cannot be written; what was begun is gone.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._alone(what):
            remove_partial(self.folder)
            missing = self.missing(keys)
            if len(missing):
                self._note(about)
                self._build(keys, missing, make, what)
        return self.find(keys)

    def _build(self, keys: Keys, missing: NDArray[np.int64], make: Make, what: str) -> None:
        try:
            writer = Writer(self.folder, dimensions=self.kind.dimensions, item=self.kind.item)
            left = missing[~np.isin(_as_values(keys[missing]), _as_values(writer.keys))]
            try:
                for position, row in zip(left, show(make(left), len(left), what), strict=True):
                    writer.write(keys[position], row)
                writer.finish(self._next_name())
            finally:
                writer.close()
        except OSError:
            remove_begun(self.folder)
            raise

    def _next_name(self) -> str:
        return f"{1 + max((int(path.stem) for path in self.folder.glob('[0-9]*.npz')), default=0):04d}"

    def _note(self, about: Mapping[str, Any]) -> None:
        """Tell in words what lies here, with all that is known of earlier uses."""
        before = read_json(self.folder / ABOUT)
        known = before if isinstance(before, dict) else {"created": time.time(), "text": self.kind.text}
        write_json(self.folder / ABOUT, {**known, "kind": self.kind.name, "depends_on": dict(self.kind.depends_on), **about})

    def _segments(self) -> list[Segment]:
        found = []
        for path in sorted(self.folder.glob("[0-9]*.rows")):
            try:
                found.append(Segment(path, self.kind.item))
            except DamagedError as error:
                log.warning("kept rows are not used, and made anew: %s", error)
                for file in (path, path.with_suffix(".npz")):
                    with suppress(OSError):
                        file.unlink()
            except OSError as error:
                log.debug("kept rows cannot be read: %s", error)
        return found

    def _mark_in_use(self) -> IO[Any] | None:
        """A shared lock for as long as the rows live, in whatever processes: `wisesr cache` tells by it."""
        with suppress(OSError):
            file = (self.folder / _IN_USE).open("ab")
            with suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return file
        return None

    @contextmanager
    def _alone(self, what: str) -> Iterator[None]:
        lock = acquire_lock(self.folder, patience=_SOON)
        if lock is None:
            log.info("another process is %s that this one needs: waiting for it", what)
            tell(f"waiting for {what.rpartition(' ')[2]}")
            lock = acquire_lock(self.folder, patience=_LONGEST)
        with lock or nullcontext():
            yield


def is_in_use(folder: Path) -> bool:
    """Whether a process reads or makes rows of a store; only looks."""
    for name in (_IN_USE, ".lock"):
        try:
            with (folder / name).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            continue
        except OSError:
            return True
    return False


def _look_up(segments: Sequence[Segment], keys: Keys) -> NDArray[np.int64]:
    """(keys, 2): segment and row of each; -1 where there is none."""
    at = np.full((len(keys), 2), -1, np.int64)
    wanted = _as_values(keys)
    for number, segment in enumerate(segments):
        there = _as_values(segment.index.keys)
        order = np.argsort(there)
        place = np.searchsorted(there, wanted, sorter=order).clip(max=len(there) - 1)
        row = order[place]
        found = there[row] == wanted
        at[found] = np.stack([np.full(len(keys), number), row], axis=1)[found]
    return at


def _as_values(keys: Keys) -> NDArray[Any]:
    """Keys as values that can be sorted: (rows,). All are of one length, so that zero bytes at an end tell nothing apart."""
    return np.ascontiguousarray(keys).view(f"S{KEY}").reshape(-1)


def _plain(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True)
