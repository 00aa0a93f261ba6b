"""Room for rows: what a user lets a machine keep, what a disk has, and what goes first."""

from __future__ import annotations

import errno
import fcntl
import multiprocessing
import os
import random
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from tests.support.rows import PIXELS, assert_right, extended, keys_of, making, row_of, segments
from wisesr.data.rows import room, stock, writer
from wisesr.data.rows.room import LIMIT, NoRoomError, make_room, parse_size
from wisesr.data.rows.store import Kind, Store
from wisesr.errors import UserError
from wisesr.results.lock import acquire_lock

ROW = 24 * 24 * 3


def _kind(name: str) -> Kind:
    return PIXELS._replace(depends_on={"view": name}, text=name)


def _used(place: Path, seconds: dict[str, float]) -> None:
    """Set when parts were used last, by the text of their stores."""
    for part in stock.parts(place):
        os.utime(part.files[1], (seconds[part.text], seconds[part.text]))
        os.utime(part.files[0], (0, 0))


def _locked(folder: Path) -> IO[Any]:
    lock = acquire_lock(folder)
    assert lock is not None
    return lock


def _texts(place: Path) -> set[str]:
    return {part.text for part in stock.parts(place)}


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """Stores a, b, c, the one used least recently first."""
    for number, name in enumerate("abc"):
        extended(tmp_path, keys_of(*range(number, number + 40)), kind=_kind(name), dataset=f"data-{name}")
    _used(tmp_path, {"a": 1e9, "b": 2e9, "c": 3e9})
    return tmp_path


def _bytes(place: Path) -> int:
    return sum(path.stat().st_size for path in place.rglob("*") if path.suffix in (".rows", ".npz"))


def test_what_is_kept_is_listed(three: Path) -> None:
    found = stock.parts(three)
    assert sorted(part.text for part in found) == ["a", "b", "c"] and {part.rows for part in found} == {40}
    assert sum(part.bytes for part in found) == _bytes(three)
    assert {part.words["dataset"] for part in found} == {"data-a", "data-b", "data-c"}
    assert {part.used for part in found} == {1e9, 2e9, 3e9}
    assert not any(map(stock.is_in_use, found))


def test_finding_rows_is_using_them_and_nothing_else_is(three: Path) -> None:
    extended(three, keys_of(900), kind=_kind("a"))
    store = Store(three, _kind("a"))
    rows = store.find(keys_of(3, 4))
    [old, new] = [part for part in stock.parts(three) if part.text == "a"]
    assert old.used > 1e9 and stock.is_in_use(old) and not stock.is_in_use(new)
    assert not stock.remove(old) and stock.remove(new)
    del rows
    assert not stock.is_in_use(old) and stock.remove(old) and not store.folder.exists()


def test_a_process_that_ends_uses_nothing_any_more(three: Path) -> None:
    fork = multiprocessing.get_context("fork")
    ready, end = fork.Event(), fork.Event()
    process = fork.Process(target=_hold, args=(three, ready, end))
    process.start()
    [part] = [part for part in stock.parts(three) if part.text == "b"]
    assert ready.wait(60) and stock.is_in_use(part) and not stock.remove(part)
    process.kill()
    process.join()
    assert not stock.is_in_use(part)
    assert stock.remove(part)


def _hold(place: Path, ready: Any, end: Any) -> None:
    rows = Store(place, _kind("b")).find(keys_of(2))
    ready.set()
    end.wait(60)
    assert rows


def test_looking_and_reading_do_not_disturb_each_other(three: Path) -> None:
    """Whoever looks takes the lock for a moment: who opens rows meanwhile still gets them, and is seen to have them."""
    fork = multiprocessing.get_context("fork")
    stop = fork.Event()
    process = fork.Process(target=_look_all_the_time, args=(three, stop))
    process.start()
    try:
        for _ in range(100):
            rows = Store(three, _kind("c")).find(keys_of(5))
            assert rows is not None
            assert all(stock.is_in_use(part) for part in stock.parts(three) if part.text == "c")
            del rows
    finally:
        stop.set()
        process.join()
    assert process.exitcode == 0


def _look_all_the_time(place: Path, stop: Any) -> None:
    while not stop.is_set():
        for part in stock.parts(place):
            stock.is_in_use(part)


def test_removed_by_force_though_it_is_read(three: Path) -> None:
    keys = keys_of(*range(40))
    rows = Store(three, _kind("a")).find(keys)
    [part] = [part for part in stock.parts(three) if part.text == "a"]
    assert stock.remove(part, force=True) and not part.folder.exists()
    assert_right(rows, keys)


def test_removed_by_force_though_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "BLOCK", 1)
    keys, store = keys_of(*range(8)), Store(tmp_path, PIXELS)

    def taken_away(positions: Any) -> Iterator[Any]:
        yield from making(keys)(positions[:4])
        [part] = stock.parts(tmp_path)
        assert stock.is_in_use(part) and not stock.remove(part) and stock.remove(part, force=True)
        yield from making(keys)(positions[4:])

    with pytest.raises(FileNotFoundError):
        store.extend(keys, taken_away, what="making", about={}, row_bytes=ROW)
    assert not store.folder.exists()
    assert_right(extended(tmp_path, keys), keys)


def test_several_that_make_room_for_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that want more than may be kept, while somebody clears: each gets the right rows, and the bound holds."""
    monkeypatch.setenv(LIMIT, str(60 * ROW))
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_want_some, args=(tmp_path, seed)) for seed in range(4)]
    for process in processes:
        process.start()
    while any(process.is_alive() for process in processes):
        kept = stock.parts(tmp_path)
        assert sum(part.bytes for part in kept) <= 60 * ROW + 5000
        for part in kept[:1]:
            stock.remove(part)
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert _bytes(tmp_path) <= 60 * ROW + 5000


def _want_some(place: Path, seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(12):
        keys, kind = keys_of(*draw.sample(range(40), 20)), _kind(draw.choice("abc"))
        try:
            rows = Store(place, kind).extend(keys, making(keys), what="making", about={"dataset": "x"}, row_bytes=ROW)
        except NoRoomError:
            continue
        if rows is not None:  # else it was cleared a moment ago
            assert_right(rows, keys)


def test_files_of_others_stay(three: Path) -> None:
    [part] = [part for part in stock.parts(three) if part.text == "a"]
    (part.folder / "mine.txt").write_text("x")
    assert stock.remove(part) and sorted(path.name for path in part.folder.iterdir()) == ["mine.txt"]


def test_least_recently_used_parts_go_first(
    three: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(LIMIT, str(_bytes(three) + 10 * ROW))
    with caplog.at_level("INFO", "wisesr"):
        extended(three, keys_of(*range(8)), kind=_kind("d"))
        assert _texts(three) == {"a", "b", "c", "d"}
        extended(three, keys_of(*range(20)), kind=_kind("e"))
    assert _texts(three) == {"b", "c", "d", "e"} and not (three / "decoded" / Store(three, _kind("a")).folder.name).exists()
    assert "decoded images of data-a, a: " in caplog.text and f"{LIMIT}=" in caplog.text
    assert _bytes(three) <= int(os.environ[LIMIT])


def test_what_is_in_use_stays_and_another_goes(three: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LIMIT, str(_bytes(three)))
    held = Store(three, _kind("a")).find(keys_of(0))
    _used(three, {"a": 1e9, "b": 2e9, "c": 3e9})
    extended(three, keys_of(*range(8)), kind=_kind("d"))
    assert _texts(three) == {"a", "c", "d"} and held


@pytest.mark.parametrize("limit", ["1kB", "all in use"])
def test_what_would_not_fit_is_not_made_and_nothing_goes_for_it(
    three: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    before = _bytes(three)
    held = [Store(three, _kind(name)).find(keys_of(2)) for name in "abc"] if limit == "all in use" else []
    monkeypatch.setenv(LIMIT, str(before) if held else limit)
    asked: list[int] = []
    with pytest.raises(NoRoomError, match=LIMIT):
        extended(three, keys_of(*range(8)), kind=_kind("d"), asked=asked)
    assert asked == [] and _texts(three) == {"a", "b", "c"} and _bytes(three) == before
    assert not [path for path in three.rglob(".*") if path.is_file() and path.name != ".lock"]
    del held


def test_parts_of_the_same_store_go_too(three: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dataset nobody has looked at for a year makes room for another one of the same size, but not for its own new images."""
    kind, old = _kind("a"), keys_of(*range(40))
    monkeypatch.setenv(LIMIT, str(_bytes(three)))
    some = extended(three, keys_of(0, 1, 500), kind=kind)
    assert [part.rows for part in stock.parts(three) if part.text == "a"] == [40, 1] and _texts(three) == {"a", "c"}
    del some
    _used(three, {"a": 1e9, "c": 3e9})
    extended(three, keys_of(*range(1000, 1050)), kind=kind)
    assert Store(three, kind).find(old) is None and "c" in _texts(three)


def test_what_others_are_about_to_write_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LIMIT, "1MB")
    first, second = Store(tmp_path, _kind("a")), Store(tmp_path, _kind("b"))
    for store in (first, second):
        store.folder.mkdir(parents=True)
    with _locked(first.folder), _locked(second.folder):
        make_room(tmp_path, first.folder, 600_000, asked=True)
        make_room(tmp_path, second.folder, 300_000, asked=True)
        with pytest.raises(NoRoomError, match="they take 500 kB, .* there are 400 kB left"):
            make_room(tmp_path, second.folder, 500_000, asked=True)
    with _locked(second.folder):  # the first one was killed
        make_room(tmp_path, second.folder, 500_000, asked=True)


def test_what_was_begun_goes_as_well_unless_somebody_is_at_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "BLOCK", 1)
    keys, store = keys_of(*range(8)), Store(tmp_path, _kind("a"))

    def fails(positions: Any) -> Iterator[Any]:
        yield from making(keys)(positions[:4])
        raise UserError("ends here")

    with pytest.raises(UserError):
        store.extend(keys, fails, what="making", about={"dataset": "digits"}, row_bytes=ROW)
    [part] = stock.parts(tmp_path)
    assert not part.name and part.words == {"dataset": "digits"} and not stock.is_in_use(part)
    assert part.bytes == sum(row_of(key).nbytes for key in keys[:4]) + part.files[1].stat().st_size
    with _locked(store.folder):
        assert stock.is_in_use(part) and not stock.remove(part)
    assert stock.remove(part) and not store.folder.exists()


@pytest.mark.parametrize("asked", [True, False])
def test_a_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: bool) -> None:
    """What nobody asked for takes half of what is free, what somebody asked for nearly all."""
    folder = Store(tmp_path, PIXELS).folder
    folder.mkdir(parents=True)
    monkeypatch.setattr(room, "free_bytes", lambda place: 1000)
    make_room(tmp_path, folder, 900 if asked else 500, asked=asked)
    with pytest.raises(NoRoomError, match="they take 9.. B, and the disk of .* has ... B to spare"):
        make_room(tmp_path, folder, 990 if asked else 900, asked=asked)


def test_no_room_after_all(tmp_path: Path) -> None:
    """The system refuses to write on: what was begun is gone, and what was there before is not."""
    extended(tmp_path, keys_of(1))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            extended(tmp_path, keys_of(*range(100)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.rglob(".building.*")) and not list(tmp_path.rglob("*.partial")) and len(segments(tmp_path)) == 1
    assert_right(extended(tmp_path, keys_of(*range(100))), keys_of(*range(100)))


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there is read; nothing is written, since two could do it at the same time."""
    extended(tmp_path, keys_of(1, 2))

    def refuses(*arguments: Any) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuses)
    assert_right(Store(tmp_path, PIXELS).find(keys_of(2, 1)), keys_of(2, 1))
    with pytest.raises(OSError, match="knows no locks; dataset.cache_dir and WISESR_CACHE name another folder"):
        extended(tmp_path, keys_of(1, 2, 3))
    [part] = stock.parts(tmp_path)
    assert not stock.is_in_use(part) and stock.remove(part)


@pytest.mark.parametrize(
    ("text", "count"), [("20GB", 20 * 10**9), ("1.5 tb", 15 * 10**11), ("500M", 5 * 10**8), ("7", 7), ("3 GiB", 3 * 2**30)]
)
def test_sizes(text: str, count: int) -> None:
    assert parse_size(text, "x") == count


@pytest.mark.parametrize("text", ["", "GB", "-1", "1.GB", "many", "1 i", "nan"])
def test_what_is_no_size(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"--at-most must be a size, such as 20GB"):
        parse_size(text, "--at-most")
    if text:
        monkeypatch.setenv(LIMIT, text)
        with pytest.raises(UserError, match=LIMIT):
            extended(tmp_path, keys_of(1))
