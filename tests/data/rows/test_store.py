"""Rows of a store: made once, found by whoever asks for some of them, whole whatever else happens."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.rows import PIXELS, assert_right, extended, keys_of, making, read, row_of, segments
from wisesr.data.rows.about import read_about
from wisesr.data.rows.keys import Positions
from wisesr.data.rows.store import Rows, Store
from wisesr.errors import UserError
from wisesr.results.lock import acquire_lock


def test_only_what_is_missing_is_made(tmp_path: Path) -> None:
    """Another order, a part of them and more of them find the same rows."""
    keys, asked = keys_of(*range(20)), list[int]()
    assert_right(extended(tmp_path, keys, asked=asked), keys)
    assert asked == list(range(20))
    for some in (keys[::-1], keys[3:9], keys[[5, 5, 2, 5]], keys[:0]):
        assert_right(Store(tmp_path, PIXELS).find(some), some)
    more, asked = keys_of(30, *range(10), 31, 30, 31), list[int]()
    assert Store(tmp_path, PIXELS).find(more) is None
    assert Store(tmp_path, PIXELS).missing(more).tolist() == [0, 11]
    assert_right(extended(tmp_path, more, asked=asked), more)
    assert asked == [0, 11] and len(segments(tmp_path)) == 2
    assert extended(tmp_path, more, asked=asked).bytes == sum(row_of(key).nbytes for key in more[:12])
    assert asked == [0, 11]


def test_nothing_is_asked_for(tmp_path: Path) -> None:
    rows = Store(tmp_path, PIXELS).find(keys_of())
    assert rows is not None and len(rows) == rows.bytes == 0
    assert len(extended(tmp_path, keys_of())) == 0


def test_another_kind_has_rows_of_its_own(tmp_path: Path) -> None:
    keys = keys_of(1, 2)
    extended(tmp_path, keys)
    for other in (PIXELS._replace(depends_on={"view": "another"}), PIXELS._replace(name="maps"), PIXELS._replace(item=4)):
        assert Store(tmp_path, other).find(keys) is None


def test_values_of_several_bytes(tmp_path: Path) -> None:
    kind = PIXELS._replace(name="maps", dimensions=2, item=4)
    keys, values = keys_of(1, 2, 3), np.random.default_rng(0).normal(size=(3, 5, 2)).astype(np.float32)
    maps = Store(tmp_path, kind).extend(keys, lambda at: iter(values[at]), what="making", about={}, row_bytes=40)
    assert maps is not None and maps.shape(1) == (5, 2)
    found = np.empty((5, 2), np.float32)
    maps.read(1, memoryview(found.reshape(-1).view(np.uint8)))
    np.testing.assert_array_equal(found, values[1])


def test_what_is_known_of_a_store_is_kept(tmp_path: Path) -> None:
    store = Store(tmp_path, PIXELS)
    extended(tmp_path, keys_of(1))
    store.note({"exact": True})
    extended(tmp_path, keys_of(2), dataset="others")
    facts = read_about(store.folder)
    assert facts["exact"] is True and facts["text"] == PIXELS.text and facts["depends_on"] == PIXELS.depends_on
    assert [part["dataset"] for part in facts["parts"].values()] == ["digits", "others"]


def test_processes_and_threads_read_the_same_open_file(tmp_path: Path) -> None:
    keys = keys_of(*range(12))
    rows = extended(tmp_path, keys)
    shutil.rmtree(tmp_path)
    fork = multiprocessing.get_context("fork")
    check = _Check(rows, keys, pickled=False)
    with fork.Pool(2) as pool:
        assert pool.map(check, range(12)) == [True] * 12
    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(check, list(range(12)) * 20))


class _Check:
    """Whether a row is what it must be; in a pool's process by what it was forked with."""

    held: dict[int, Rows] = {}  # noqa: RUF012

    def __init__(self, rows: Rows, keys: NDArray[np.uint8], *, pickled: bool) -> None:
        self.keys, self.number = keys, id(rows)
        self.held[self.number] = rows
        if pickled:
            self.rows = rows

    def __call__(self, position: int) -> bool:
        rows = getattr(self, "rows", None) or self.held[self.number]
        return bool((read(rows, position) == row_of(self.keys[position])).all())


def test_a_process_that_was_not_forked_opens_the_file_itself(tmp_path: Path) -> None:
    keys = keys_of(*range(12))
    rows = extended(tmp_path, keys)
    content = pickle.dumps(rows)
    assert len(content) < 1000, "the index of a million rows would be sent to each worker"
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(_Check(rows, keys, pickled=True), range(12)) == [True] * 12
    assert_right(pickle.loads(content), keys)
    shutil.rmtree(tmp_path)
    with pytest.raises(FileNotFoundError):
        read(pickle.loads(content), 0)
    assert_right(rows, keys)


def test_a_process_that_wants_the_same_rows_waits_for_them(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keys, asked = keys_of(*range(6)), list[int]()
    begun, go_on = threading.Event(), threading.Event()

    def slowly(positions: Positions) -> Iterator[NDArray[Any]]:
        begun.set()
        assert go_on.wait(30)
        yield from making(keys)(positions)

    with ThreadPoolExecutor(1) as pool, caplog.at_level("INFO", "wisesr"):
        first = pool.submit(Store(tmp_path, PIXELS).extend, keys, slowly, what="making", about={}, row_bytes=1)
        assert begun.wait(30)
        threading.Timer(2.5, go_on.set).start()
        assert_right(extended(tmp_path, keys[2:], asked=asked), keys[2:])
        assert_right(first.result(), keys)
    assert asked == [] and "another process is making rows that this one may need: waiting for it" in caplog.text


def test_an_image_that_cannot_be_read_ends_it_and_leaves_what_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wisesr.data.rows.writer.BLOCK", 1)
    keys, asked = keys_of(*range(6)), list[int]()

    def fails(positions: Positions) -> Iterator[NDArray[Any]]:
        yield from making(keys)(positions[:3])
        raise UserError("3.png is no picture")

    with pytest.raises(UserError, match="is no picture"):
        Store(tmp_path, PIXELS).extend(keys, fails, what="making", about={}, row_bytes=1)
    assert segments(tmp_path) == []
    assert_right(extended(tmp_path, keys, asked=asked), keys)
    assert asked == [3, 4, 5]


def test_what_others_have_begun_is_finished_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test_an_image_that_cannot_be_read_ends_it_and_leaves_what_was_made(tmp_path / "a", monkeypatch)
    keys = keys_of(*range(6))

    def fails(positions: Positions) -> Iterator[NDArray[Any]]:
        yield from making(keys)(positions[:3])
        raise UserError("3.png is no picture")

    with pytest.raises(UserError):
        Store(tmp_path, PIXELS).extend(keys, fails, what="making", about={}, row_bytes=1)
    assert_right(extended(tmp_path, keys_of(7)), keys_of(7))
    assert_right(Store(tmp_path, PIXELS).find(keys[:3]), keys[:3])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_rows_of_another_user() -> None:
    """They are read, and where some are missing nothing fails but the keeping."""
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are for their user alone
        place = Path(name)
        place.chmod(0o755)
        extended(place, keys_of(*range(4)))
        context = multiprocessing.get_context("fork")
        answers = context.SimpleQueue()
        process = context.Process(target=_as_nobody, args=(place, answers))
        process.start()
        process.join(60)
    assert process.exitcode == 0 and answers.get() == "PermissionError"


def _as_nobody(place: Path, answers: Any) -> None:
    os.setgid(65534)
    os.setuid(65534)
    assert_right(Store(place, PIXELS).find(keys_of(2, 0)), keys_of(2, 0))
    try:
        extended(place, keys_of(2, 9))
    except OSError as error:
        answers.put(type(error).__name__)


def test_a_store_that_is_removed_while_a_process_waits_for_it(tmp_path: Path) -> None:
    keys = keys_of(1, 2)
    store = Store(tmp_path, PIXELS)
    store.folder.mkdir(parents=True)
    lock = acquire_lock(store.folder)
    assert lock is not None
    with ThreadPoolExecutor(1) as pool, lock:
        waiting = pool.submit(extended, tmp_path, keys)
        time.sleep(0.3)
        shutil.rmtree(store.folder)
    assert_right(waiting.result(), keys)
