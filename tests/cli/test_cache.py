"""`wisesr cache`: what is kept, told and freed; and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from numpy.typing import NDArray

from tests.support.rows import PIXELS, extended, keys_of, making, segments
from wisesr.cli import main
from wisesr.data.kept import keep
from wisesr.data.rows import stock, writer
from wisesr.data.rows.keys import Positions
from wisesr.data.rows.room import LIMIT
from wisesr.data.rows.store import Kind, Store
from wisesr.errors import UserError
from wisesr.results.lock import acquire_lock
from wisesr.space.cache import cache_files, clear_cache

MAPS = Kind("maps", {"backbone": "toy"}, dimensions=3, item=1, text="toy, 32 px")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Decoded images of two datasets in one store, maps, a manifest; the maps were used last, images of cats first."""
    folder = tmp_path / "kept"
    monkeypatch.setenv("WISESR_CACHE", str(folder))
    extended(folder, keys_of(*range(30)), dataset="cats")
    extended(folder, keys_of(*range(100, 140)), dataset="dogs")
    extended(folder, keys_of(*range(50)), kind=MAPS, dataset="dogs")
    keep("manifests", "0" * 32, {"labels": keys_of(1)})
    for part in stock.parts(folder):
        seconds = 1.7e9 if part.words["dataset"] == "cats" else 1.8e9 if part.kind == "decoded" else 1.9e9
        for path in part.files:
            os.utime(path, (seconds, seconds))
    (folder / "mine.txt").write_text("x")
    return folder


def _left(place: Path) -> list[tuple[str, str]]:
    return sorted((part.kind, str(part.words["dataset"])) for part in stock.parts(place))


def _key(place: Path, kind: str) -> str:
    return next(part.key for part in stock.parts(place) if part.kind == kind)


def _line(text: str, *words: str) -> str:
    [line] = [line for line in text.splitlines() if all(word in line for word in words)]
    return line


def test_what_is_kept_is_told(place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LIMIT, "50GB")
    rows = Store(place, MAPS).find(keys_of(3))
    assert main(["cache"]) == 0
    out = capsys.readouterr().out
    assert _line(out, "decoded images, 24 px, of a test", "cats", " 30 ", "14 Nov 2023", _key(place, "decoded")[:8])
    maps = _line(out, "feature maps, toy, 32 px", "dogs", " 50 ", _key(place, "maps")[:8])
    assert "in use" in maps and out.count("in use") == 1 and rows
    assert _line(out, "decoded images", "dogs", " 40 ") and _line(out, "manifests of datasets")
    whole = sum(part.bytes for part in stock.parts(place))
    assert f"take {whole / 1000:.3g} kB of 50 GB ({LIMIT})." in out and f"in {place}; the disk has" in out


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ([], []),
        (["all"], []),
        (["decoded"], [("maps", "dogs")]),
        (["maps"], [("decoded", "cats"), ("decoded", "dogs")]),
        (["cats"], [("decoded", "dogs"), ("maps", "dogs")]),
        (["cats", "maps", "cats"], [("decoded", "dogs")]),
        (["manifests"], [("decoded", "cats"), ("decoded", "dogs"), ("maps", "dogs")]),
    ],
)
def test_what_is_named_goes(place: Path, words: list[str], left: list[tuple[str, str]]) -> None:
    assert main(["cache", "--clear", *words]) == 0
    assert _left(place) == left and (place / "mine.txt").exists()
    assert (place / "manifests").exists() == (words not in ([], ["all"], ["manifests"]))
    assert {folder.name for folder in stock.stores(place)} == {part.key for part in stock.parts(place)}


def test_a_key_takes_a_whole_store(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = _key(place, "decoded")
    assert main(["cache", "--clear", key[:8]]) == 0
    assert _left(place) == [("maps", "dogs")] and not (place / "decoded" / key).exists()
    out = capsys.readouterr().out
    assert "removed: decoded images of cats, 24 px, of a test: " in out and "are free again." in out


def test_the_least_recently_used_go_first(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sizes = {(part.kind, part.words["dataset"]): part.bytes for part in stock.parts(place)}
    whole = sum(sizes.values())
    assert main(["cache", "--at-most", str(whole)]) == 0 and len(_left(place)) == 3
    assert "nothing has to go" in capsys.readouterr().out
    assert main(["cache", "--at-most", str(whole - 1)]) == 0
    assert _left(place) == [("decoded", "dogs"), ("maps", "dogs")]
    rows = Store(place, PIXELS).find(keys_of(100))
    for part in stock.parts(place):
        os.utime(part.files[1], (1e9, 1e9) if part.kind == "decoded" else None)
    assert main(["cache", "--at-most", f"{sizes['decoded', 'dogs'] / 1e6:.6f}MB"]) == 0
    assert _left(place) == [("decoded", "dogs")]
    assert main(["cache", "--at-most", "0"]) == 1 and "The others are in use" in capsys.readouterr().out
    assert main(["cache", "--at-most", "0", "--force"]) == 0 and _left(place) == [] and rows


def test_what_is_in_use_is_left_alone(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = Store(place, PIXELS).find(keys_of(0, 1))
    assert main(["cache", "--clear", "decoded"]) == 1
    assert "left alone: decoded images of cats, 24 px, of a test: " in (out := capsys.readouterr().out) and ": in use" in out
    assert _left(place) == [("decoded", "cats"), ("maps", "dogs")]
    assert main(["cache", "--clear", "--force"]) == 0 and _left(place) == [] and rows
    assert extended(place, keys_of(0)), "it is made again"


def test_what_is_half_built(place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "BLOCK", 1)
    store, keys = Store(place, PIXELS), keys_of(*range(200, 210))

    def fails(positions: Positions) -> Iterator[NDArray[Any]]:
        yield from making(keys)(positions[:4])
        raise UserError("ends here")

    with pytest.raises(UserError):
        store.extend(keys, fails, what="making", about={"dataset": "birds"}, row_bytes=1)
    main(["cache"])
    out = capsys.readouterr().out
    assert "half-built" in _line(out, "birds") and "the next cell that wants rows of its kind goes on" in out
    lock = acquire_lock(store.folder)
    assert lock is not None
    with lock:
        main(["cache"])
        assert "being made" in _line(capsys.readouterr().out, "birds")
        assert main(["cache", "--clear", "birds"]) == 1
    assert main(["cache", "--clear", "birds"]) == 0
    assert "removed: decoded images of birds, 24 px, of a test, half-built: " in capsys.readouterr().out
    assert _left(place) == [("decoded", "cats"), ("decoded", "dogs"), ("maps", "dogs")]


def test_another_folder(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "scratch"
    extended(other, keys_of(1), dataset="fish")
    assert main(["cache", "--dir", str(other)]) == 0 and "fish" in capsys.readouterr().out
    assert main(["cache", "--clear", "--dir", str(other)]) == 0
    assert segments(other) == [] and len(_left(place)) == 3


def test_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("WISESR_CACHE", str(tmp_path / "kept"))
    for arguments in ([], ["--clear"], ["--at-most", "1GB"]):
        assert main(["cache", *arguments]) == 0 and "Nothing is kept on this machine." in capsys.readouterr().out
    (tmp_path / "kept").mkdir()
    assert main(["cache"]) == 0 and f"Nothing is kept in {tmp_path / 'kept'}." in capsys.readouterr().out
    assert main(["cache", "--clear"]) == 0 and "Nothing was removed." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--clear", "catz"], "no kind, dataset or key is called 'catz'. Did you mean cats"),
        (["--at-most", "much"], "--at-most must be a size, such as 20GB or 1.5TB, not 'much'"),
        (["--dir", "nowhere"], "--dir must be a folder, as of dataset.cache_dir, not nowhere"),
        (["--force"], "add --clear or --at-most SIZE"),
    ],
)
def test_what_is_refused(place: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", *arguments]) == 1
    assert words in capsys.readouterr().err and len(_left(place)) == 3


def test_a_key_that_two_stores_begin_with(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in list(stock.stores(place)):
        folder.rename(folder.with_name("ab" + folder.name[2:]))
    assert main(["cache", "--clear", "ab"]) == 1 and "'ab' is the beginning of 2 keys" in capsys.readouterr().err
    assert len(_left(place)) == 3


def test_a_study_that_is_cleaned_takes_rows_with_it(place: Path) -> None:
    rows = Store(place, PIXELS).find(keys_of(0))
    files = {Path(file.path) for file in cache_files(place)}
    assert not files & {path for path in segments(place) if _dataset(path, place) == "cats"} and len(files) == 5
    assert clear_cache(place) > 0 and _left(place) == [("decoded", "cats")] and rows
    del rows
    clear_cache(place)
    assert _left(place) == [] and (place / "mine.txt").exists() and not list(stock.stores(place))


def _dataset(path: Path, place: Path) -> str:
    return next(str(part.words["dataset"]) for part in stock.parts(place) if path in part.files)


def test_it_needs_no_torch(place: Path) -> None:
    script = "import sys; from wisesr.cli import main; main(['cache']); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60).returncode == 0
