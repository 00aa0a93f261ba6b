"""A folder of rows of one kind: opened by whoever reads, extended by one process at a time, never changed otherwise. No torch.

The folder's name is a hash of everything that its rows depend on beside the image, so that rows of other data, another size,
other weights or another version of a library are never found. `about.json` tells it in words.
"""

from __future__ import annotations

import errno
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wisesr.data.kept import key_of
from wisesr.data.progress import show, tell
from wisesr.data.rows.about import note_about, note_part
from wisesr.data.rows.keys import Keys, Positions, find_rows, sorting_order, without_repeats
from wisesr.data.rows.room import make_room
from wisesr.data.rows.segment import DamagedError, Segment, paths_of_rows, remove_files
from wisesr.data.rows.stock import remove_empty
from wisesr.data.rows.writer import PROMISED, Writer, new_name, remove_begun, sweep
from wisesr.results.atomic_files import remove_partial
from wisesr.results.lock import acquire_lock

log = logging.getLogger("wisesr")

_VERSION = 1
_SOON, _LONGEST = 2.0, 6 * 3600.0
"""Seconds to wait for a process that makes rows of the same kind: before it is said, and at most."""
_TRIES = 10
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)

Make = Callable[[Positions], Iterator[NDArray[Any]]]
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

    def __init__(self, segments: Sequence[Segment], at: NDArray[np.int32]) -> None:
        self._segments, self._at = segments, at

    def __len__(self) -> int:
        return len(self._at)

    @property
    def lacking(self) -> Positions:
        """Positions that have no row."""
        return np.flatnonzero(self._at[:, 0] < 0)

    def shape(self, position: int) -> tuple[int, ...]:
        """Of the row of an image.

        Raises:
            OSError: its file, in a process that was not forked, cannot be opened.
        """
        segment, row = self._at[position]
        return self._segments[int(segment)].shape(int(row))

    def read(self, position: int, into: memoryview) -> None:
        """Fill the row of an image into writable memory of its size, as bytes.

        Raises:
            OSError: it cannot be read any more, or is not what was written.
        """
        segment, row = self._at[position]
        self._segments[int(segment)].read(int(row), into)

    @property
    def bytes(self) -> int:
        """That the rows take together, each once."""
        count = 0
        for number, segment in enumerate(self._segments):
            ours = np.zeros(len(segment), bool)
            ours[self._at[self._at[:, 0] == number, 1]] = True
            count += int(segment.sizes[ours].sum())
        return count


class Store:
    """The rows of one kind, below a folder that holds all of them.

    Args:
        place: the folder: `wisesr.data.kept.cache_dir`, or another.
        kind: of the rows.
    """

    def __init__(self, place: Path, kind: Kind) -> None:
        self.place, self.kind = place, kind
        self.folder = place / kind.name / key_of(_VERSION, kind.name, kind.dimensions, kind.item, _plain(kind.depends_on))

    def find(self, keys: Keys) -> Rows | None:
        """The rows of all these keys, in use as long as they are held; None where one is missing."""
        rows = self._look_up(keys)
        if len(rows.lacking):
            return None
        for segment in rows._segments:
            with suppress(OSError):
                os.utime(segment.path.with_suffix(".npz"))  # the latest used stay
        return rows

    def missing(self, keys: Keys) -> Positions:
        """Positions of the keys that have no row yet, those of equal ones once."""
        return _once(keys, self._look_up(keys).lacking)

    def extend(
        self, keys: Keys, make: Make, *, what: str, about: Mapping[str, Any], row_bytes: int, asked: bool = True
    ) -> Rows | None:
        """Make the rows that are missing, while other processes that want them wait; then all of them, as of `find`.

        Args:
            keys: of the images.
            make: their rows.
            what: is being done, for who watches: "decoding images".
            about: the dataset, the backbone: for the list of what is kept.
            row_bytes: of a row, about: there has to be room for all (`room.make_room`).
            asked: whether a user asked for them, and did not leave it to us.

        Raises:
            OSError: no room, or a folder that cannot be written or knows no locks; what was begun is gone.
        """
        try:
            with self._alone(what):
                there = self._look_up(keys)  # held, so that nobody removes it meanwhile
                missing = _once(keys, there.lacking)
                if len(missing):
                    self._build(
                        keys, missing, make, what, about, lambda rows: self._require_room(rows * row_bytes, asked=asked)
                    )
        except OSError:
            remove_empty(self.folder)
            raise
        return self.find(keys)

    def note(self, facts: Mapping[str, Any]) -> None:
        """Add facts of plain data to what is known.

        Raises:
            OSError: the folder cannot be written.
        """
        note_about(self.folder, facts)

    def _build(
        self, keys: Keys, missing: Positions, make: Make, what: str, about: Mapping[str, Any], require: Callable[[int], None]
    ) -> None:
        name = new_name(self.folder)
        try:
            writer = Writer(self.folder, dimensions=self.kind.dimensions, item=self.kind.item)
            try:
                begun = writer.begun
                left = missing[find_rows(begun[sorting_order(begun)], keys[missing]) < 0]
                require(len(left))
                depends_on = json.loads(_plain(self.kind.depends_on))
                self.note({"kind": self.kind.name, "text": self.kind.text, "depends_on": depends_on})
                note_part(self.folder, name, about)
                for position, row in zip(left, show(make(left), len(left), what), strict=True):
                    writer.write(keys[position], row)
                writer.finish(name)
            finally:
                writer.close()
        except OSError:
            remove_begun(self.folder)
            raise
        finally:
            with suppress(OSError):
                (self.folder / PROMISED).unlink()

    def _require_room(self, needed: int, *, asked: bool) -> None:
        make_room(self.place, self.folder, needed, asked=asked)

    def _look_up(self, keys: Keys) -> Rows:
        """Where each key's row lies, as far as there is one. Damaged segments go; of others only those in use stay open."""
        at, used = np.full((len(keys), 2), -1, np.int32), list[Segment]()
        for path in paths_of_rows(self.folder):
            lacking = np.flatnonzero(at[:, 0] < 0)
            if not len(lacking):
                break
            try:
                segment = Segment(path, self.kind.item)
                row = find_rows(segment.index.keys, keys[lacking])
                if (row < 0).all():
                    continue
                segment.test()
            except DamagedError as error:
                log.warning("kept rows are not used, and made anew: %s", error)
                remove_files(path)
                continue
            except OSError as error:
                log.debug("kept rows cannot be read: %s", error)
                continue
            at[lacking[row >= 0], 0], at[lacking, 1] = len(used), row
            used.append(segment)
        return Rows(used, at)

    @contextmanager
    def _alone(self, what: str) -> Iterator[None]:
        """Hold the store's lock, its folder being there and in order."""
        lock = self._lock(_SOON)
        if lock is None:
            log.info("another process is %s that this one may need: waiting for it", what)
            tell(f"waits for {what.rpartition(' ')[2]}")
            lock = self._lock(_LONGEST)
        if lock is None:
            raise TimeoutError(f"another process has been at {self.folder} for hours")
        with lock:
            remove_partial(self.folder)
            sweep(self.folder)
            yield

    def _lock(self, patience: float) -> IO[Any] | None:
        for _ in range(_TRIES):
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                return acquire_lock(self.folder, patience=patience)
            except FileNotFoundError:  # `wisesr cache` has removed it meanwhile
                continue
            except OSError as error:
                if error.errno in _NO_LOCKS:
                    where = "dataset.cache_dir and WISESR_CACHE name another folder"
                    raise OSError(f"the file system of {self.folder} knows no locks; {where}") from error
                raise
        return None


def _once(keys: Keys, positions: Positions) -> Positions:
    return positions[without_repeats(keys[positions])]


def _plain(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True)
