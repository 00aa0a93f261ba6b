"""What is kept of a dataset between commands: for as long as it holds, and no longer."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.datasets import made
from tests.support.images import noise
from wisesr.build import data
from wisesr.data import contents, ignored, image_formats, images, listing
from wisesr.data.file_cache import FileCache
from wisesr.data.file_images import FileImages
from wisesr.data.kept import cache_dir
from wisesr.errors import UserError
from wisesr.results.lock import acquire_lock


@pytest.mark.parametrize("what", ["nothing can be written", "garbage", "half a file"])
def test_what_is_kept_may_be_lost_or_damaged(root: Path, kept: Path, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = made(root).fingerprint()
    if what == "nothing can be written":
        blocked = kept.parent / "a file"
        blocked.write_text("x")
        monkeypatch.setenv("WISESR_CACHE", str(blocked))
    for path in kept.rglob("*.npz"):
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2] if what == "half a file" else b"garbage")
    assert made(root).fingerprint() == first


def test_a_decoder_that_is_installed_later_mends_what_could_not_be_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(contents, "read_header", lambda content: None)
        with pytest.raises(UserError, match=r"24 files cannot be read, such as .*: it could not be read at first, and now can"):
            made(root)
    assert len(made(root)) == 24


@pytest.mark.parametrize("place", ["outside", "hidden"])
def test_a_list_that_the_walk_does_not_see_is_read_anew(root: Path, tmp_path: Path, place: str) -> None:
    """Labels that were corrected in a list elsewhere, or in one whose name begins with a dot."""
    path = tmp_path / "lists" / "labels.csv" if place == "outside" else root / ".labels.csv"
    path.parent.mkdir(exist_ok=True)

    def write(third: str) -> None:
        rows = [f"{label}/{at}.png,{third if at % 3 == 2 else label}" for label in "ab" for at in range(12)]
        path.write_text("\n".join(["filename,class", *rows]), encoding="utf-8")

    write("c")
    before = made(root, f"dataset.csv={path}")
    write("d")
    after = made(root, f"dataset.csv={path}")
    assert before.class_names == ["a", "b", "c"] and after.class_names == ["a", "b", "d"]
    assert before.fingerprint() != after.fingerprint()


def test_listed_images_in_a_hidden_folder_are_looked_at_anew(root: Path) -> None:
    (root / ".more").mkdir()
    noise(1, (30, 30)).save(root / ".more" / "0.png")
    rows = [f"{label}/{at}.png,{label}" for label in "ab" for at in range(12)]
    (root / "labels.csv").write_text("\n".join(["filename,class", *rows, ".more/0.png,a"]), encoding="utf-8")
    before = made(root, "dataset.csv=labels.csv")
    noise(2, (60, 60)).save(root / ".more" / "0.png")
    assert made(root, "dataset.csv=labels.csv").fingerprint() != before.fingerprint()


def test_what_is_kept_belongs_to_what_decodes_here(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who installs pillow-heif has the files read that were counted as ignored before."""
    noise(5).save(root / "a" / "phone.png")
    (root / "a" / "phone.png").rename(root / "a" / "phone.own")
    assert made(root).notes.ignored == {".own": 1}
    for module in (images, image_formats, ignored):
        monkeypatch.setattr(module, "endings", lambda: frozenset({".png", ".own"}))
    assert made(root).notes.ignored == {} and "a/phone.own" in made(root).ids


def test_a_file_that_could_be_read_again_is_not_left_out_for_ever(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a network disk that did not answer for a moment: nothing about the file has changed."""
    read = listing.open_rgb

    def fails(path: Path, *rules: Any) -> Any:
        if path.name == "3.png":
            raise UserError("Input/output error")
        return read(path, *rules)

    monkeypatch.setattr(listing, "open_rgb", fails)
    monkeypatch.setattr(data, "_can_be_opened", lambda path: False)
    assert made(root, "dataset.on_bad_image=skip").left_out
    monkeypatch.undo()
    assert not made(root, "dataset.on_bad_image=skip").left_out


def test_a_file_that_is_swapped_for_another_of_its_size_and_time(root: Path) -> None:
    for label in "ab":
        noise(ord(label)).save(root / label / "same.bmp")
        os.utime(root / label / "same.bmp", ns=(5, 5))
    before = made(root)
    (root / "a" / "same.bmp").rename(root / "aside")
    (root / "b" / "same.bmp").rename(root / "a" / "same.bmp")
    (root / "aside").rename(root / "b" / "same.bmp")
    assert made(root).fingerprint() != before.fingerprint()


def test_nobody_says_where_to_keep_anything(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container whose user no list of users has."""
    before = made(root).fingerprint()
    for name in ("WISESR_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)

    def nobody(path: Path) -> Path:
        if str(path).startswith("~"):
            raise RuntimeError("Could not determine home directory.")
        return path

    monkeypatch.setattr(Path, "expanduser", nobody)
    assert made(root).fingerprint() == before


def test_a_reading_is_kept_while_it_goes_on(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a kill costs no more than the last minute of it."""
    monkeypatch.setattr(contents, "_AT_ONCE", 1)
    monkeypatch.setattr(contents, "_KEPT_EVERY", -1.0)
    kept = []
    monkeypatch.setattr(FileCache, "keep", lambda *arguments: kept.append(len(arguments[-1])))
    made(root)
    assert kept == [*range(1, 25), 24]


def test_another_process_that_reads_is_waited_for(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    manifest = made(root, "dataset.fingerprint=listing")
    assert isinstance(manifest.load, FileImages)
    key = FileCache(manifest.load.base, contents.Contents._fields, images.RULES, *images.decoders()).key
    folder = cache_dir() / "locks" / key
    folder.mkdir(parents=True)
    lock = acquire_lock(folder)
    assert lock is not None
    threading.Timer(3.0, lock.close).start()
    assert made(root).hashed and "another process reads the same images" in caplog.text
