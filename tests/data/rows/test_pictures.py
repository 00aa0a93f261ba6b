"""Decoded images on rows that go away: the same pixels, from where they are or by decoding."""

from __future__ import annotations

import os
import pickle
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.datasets import made
from tests.support.images import noise
from tests.support.rows import segments
from wisesr.data.augmentation import Plain
from wisesr.data.decoded import Pictures, keep_pictures
from wisesr.data.manifest import Manifest
from wisesr.data.rows import stock
from wisesr.data.rows.room import LIMIT
from wisesr.data.views import View


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for label in "ab":
        (tmp_path / "images" / label).mkdir(parents=True)
        for index in range(12):
            noise(index + 100 * ord(label), (40, 30)).save(tmp_path / "images" / label / f"{index}.png")
    return tmp_path / "images"


def _view() -> View:
    view = Plain(size=24, mean=(0.5,) * 3, std=(0.5,) * 3, resize="squash").view(training=False)
    assert view is not None
    return view


def _kept(manifest: Manifest, place: Path) -> Pictures:
    return keep_pictures(manifest, np.arange(len(manifest)), _view(), place, asked=True, about={"dataset": "noise"})


def _assert_same(pictures: Pictures, manifest: Manifest) -> None:
    for position in range(len(manifest)):
        pixels = pictures.pixels(position)
        assert pixels is not None and (pixels == _view().make(manifest.load(position))).all()


def test_a_folder_that_was_moved_a_part_of_it_and_more_of_it(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, decoded = tmp_path / "kept", list[int]()
    monkeypatch.setattr("wisesr.data.decoded._view_of", _counting(decoded))
    _assert_same(_kept(made(root), place), made(root))
    assert len(decoded) == 24
    moved = root.rename(tmp_path / "moved")
    (moved / "a" / "0.png").rename(moved / "b" / "other.png")
    (moved / "b" / "1.png").unlink()
    noise(5, (40, 30)).save(moved / "a" / "new.png")
    _assert_same(_kept(made(moved), place), made(moved))
    assert len(decoded) == 25 and len(segments(place)) == 2


def _counting(decoded: list[int]) -> Callable[..., Any]:
    from wisesr.data.decoded import _view_of

    def counted(manifest: Manifest, position: int, view: View) -> Any:
        decoded.append(position)
        return _view_of(manifest, position, view)

    return counted


GOES: dict[str, Callable[[Path], Any]] = {
    "folder": lambda place: shutil.rmtree(place),
    "rows": lambda place: segments(place)[0].unlink(),
    "end of the rows": lambda place: os.truncate(segments(place)[0], 10),
    "content": lambda place: segments(place)[0].write_bytes(bytes(segments(place)[0].stat().st_size)),
}


@pytest.mark.parametrize(
    ("what", "forked"),
    [*((what, forked) for what in GOES for forked in (False, True) if what != "content"), ("content", False)],
)
def test_what_goes_while_it_is_used(
    root: Path, tmp_path: Path, what: str, forked: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever has the file open reads on where it is only gone; else None says once that the picture is to be decoded."""
    manifest = made(root)
    pictures = _kept(manifest, tmp_path / "kept")
    if not forked:
        pictures = pickle.loads(pickle.dumps(pictures))
    GOES[what](tmp_path / "kept")
    if forked and what in ("folder", "rows"):
        _assert_same(pictures, manifest)
        return
    assert [pictures.pixels(position) for position in range(24)] == [None] * 24
    assert caplog.text.count("decoded images cannot be read any more, and are decoded again") == 1


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("a file in its place", "File exists|Not a directory"),
        ("full", "File too large"),
        ("limit", "they take 41.5 kB, and of WISESR_CACHE_LIMIT=10kB there are 10 kB left for them"),
    ],
)
def test_what_cannot_be_kept_leaves_nothing(
    root: Path, tmp_path: Path, what: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, manifest = tmp_path / "kept", made(root)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    if what == "a file in its place":
        place.write_text("x")
    if what == "limit":
        monkeypatch.setenv(LIMIT, "10kB")
    try:
        if what == "full":
            resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, hard))
        with pytest.raises(OSError, match=words):
            _kept(manifest, place)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(stock.stores(place))
