"""Files of a store that are not what was written: made anew, never believed."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from numpy.typing import NDArray

from tests.support.rows import PIXELS, assert_right, extended, keys_of, making, read, segments
from wisesr.data.rows import writer
from wisesr.data.rows.about import read_about
from wisesr.data.rows.keys import Positions
from wisesr.data.rows.segment import DamagedError, Segment
from wisesr.data.rows.store import Store
from wisesr.errors import UserError

KEYS = keys_of(*range(200))


def _flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 255
    path.write_bytes(content)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _append(path: Path, more: bytes) -> None:
    path.write_bytes(path.read_bytes() + more)


DAMAGE: dict[str, Callable[[Path], Any]] = {
    "rows cut short": _cut,
    "rows empty": lambda rows: rows.write_bytes(b""),
    "rows longer": lambda rows: _append(rows, b"x"),
    "a byte of the first key's row": lambda rows: _flip(rows, int(Segment(rows, 1).index.offsets[0]) + 5),
    "index cut short": lambda rows: _cut(rows.with_suffix(".npz")),
    "index empty": lambda rows: rows.with_suffix(".npz").write_bytes(b""),
    "index gone": lambda rows: rows.with_suffix(".npz").unlink(),
    "index of nothing": lambda rows: rows.with_suffix(".npz").write_bytes(b"garbage" * 100),
    "rows gone": lambda rows: rows.unlink(),
    "about.json of nothing": lambda rows: (rows.parent / "about.json").write_bytes(b"\xff{"),
    "about.json a list": lambda rows: (rows.parent / "about.json").write_text("[1]"),
    "about.json gone": lambda rows: (rows.parent / "about.json").unlink(),
    "all gone": lambda rows: shutil.rmtree(rows.parent),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_it_is_made_anew(tmp_path: Path, what: str) -> None:
    extended(tmp_path, KEYS)
    extended(tmp_path, more := keys_of(500, 501))
    DAMAGE[what](segments(tmp_path)[0])
    assert_right(extended(tmp_path, KEYS), KEYS)
    assert_right(Store(tmp_path, PIXELS).find(more) or extended(tmp_path, more), more)
    assert extended(tmp_path, keys_of(900)) and read_about(Store(tmp_path, PIXELS).folder)["text"] == PIXELS.text


def test_a_row_that_was_not_tested_at_first_is_when_it_is_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Every byte of the file is one of some row: whichever changes, nobody gets it."""
    extended(tmp_path, KEYS)
    [path] = segments(tmp_path)
    tested: set[int] = set()
    for at in random.Random(0).sample(range(path.stat().st_size), 20):
        _flip(path, at)
        rows = Store(tmp_path, PIXELS).find(KEYS)
        if rows is not None:  # not among those that were tested
            with pytest.raises(DamagedError, match="not what was written"):
                for position in range(len(KEYS)):
                    read(rows, position)
            tested.add(at)
        assert not path.exists() and Store(tmp_path, PIXELS).find(KEYS) is None
        assert_right(extended(tmp_path, KEYS), KEYS)
        [path] = segments(tmp_path)
    assert 0 < len(tested) < 20 and "kept rows are not used, and made anew" in caplog.text


def test_whatever_byte_of_an_index_changes(tmp_path: Path) -> None:
    keys, damaged = KEYS[:3], 0
    extended(tmp_path, keys)
    [path] = segments(tmp_path)
    index, true = path.with_suffix(".npz"), Segment(path, 1).index
    whole = index.read_bytes()
    places = random.Random(0).sample(range(len(whole)), 300)
    for at in places:
        _flip(index, at)
        try:
            segment = Segment(path, 1)
            segment.test()
            assert all((one == other).all() for one, other in zip(segment.index, true, strict=True))
        except DamagedError:
            damaged += 1
        index.write_bytes(whole)
    assert damaged > len(places) // 3
    assert_right(Store(tmp_path, PIXELS).find(keys), keys)


def _begun(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store that somebody has begun: 20 of 200 rows, a block each."""

    def fails(positions: Positions) -> Iterator[NDArray[Any]]:
        yield from making(KEYS)(positions[:20])
        raise UserError("ends here")

    store = Store(place, PIXELS)
    with monkeypatch.context() as patch, pytest.raises(UserError):
        patch.setattr(writer, "BLOCK", 1)
        store.extend(KEYS, fails, what="making", about={}, row_bytes=1)
    return store.folder


BEGUN: dict[str, tuple[Callable[[Path], Any], int]] = {
    "nothing": (lambda folder: None, 20),
    "journal cut in the middle of a note": (lambda folder: _cut(folder / writer.JOURNAL), 17),
    "journal goes on with zeros": (lambda folder: _append(folder / writer.JOURNAL, bytes(4000)), 20),
    "journal of something else": (lambda folder: (folder / writer.JOURNAL).write_bytes(b"garbage!" * 500), 0),
    "a place in the journal": (lambda folder: _flip(folder / writer.JOURNAL, 10 * 40 + 17), 10),
    "journal gone": (lambda folder: (folder / writer.JOURNAL).unlink(), 0),
    "rows cut short": (lambda folder: _cut(folder / writer.BUILDING), 19),
    "rows gone": (lambda folder: (folder / writer.BUILDING).unlink(), 0),
    "a byte of a row": (lambda folder: _flip(folder / writer.BUILDING, 9), 0),
}


@pytest.mark.parametrize("what", BEGUN)
def test_what_was_begun_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    change, good = BEGUN[what]
    change(_begun(tmp_path, monkeypatch))
    asked: list[int] = []
    assert_right(extended(tmp_path, KEYS, asked=asked), KEYS)
    assert asked == list(range(good, 200))
