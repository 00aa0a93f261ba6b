"""What lies in files: found out once, and part of the data's fingerprint."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.configs import composed
from tests.support.datasets import made
from tests.support.images import noise
from wisesr.build.data import build_manifest
from wisesr.data import contents
from wisesr.errors import UserError
from wisesr.results.provenance import same_data


class Reads:
    """Counts the files that are read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.paths: list[Path] = []
        read = contents._read

        def counting(path: Path) -> tuple[Any, ...]:
            self.paths.append(path)
            return read(path)

        monkeypatch.setattr(contents, "_read", counting)

    def taken(self) -> int:
        count = len(self.paths)
        self.paths.clear()
        return count


def test_digests_are_those_of_the_files(root: Path) -> None:
    manifest = made(root)
    assert manifest.hashed
    for name, digest in zip(manifest.ids, np.asarray(manifest.digests), strict=True):
        assert digest.tobytes() == hashlib.blake2b((root / name).read_bytes(), digest_size=16).digest()


def test_files_are_read_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And again only where size or time say that they are others; whatever else is asked of the folder."""
    reads = Reads(monkeypatch)
    first = made(root)
    assert reads.taken() == 24
    same = made(root)
    assert reads.taken() == 0 and same.fingerprint() == first.fingerprint()
    assert (same.ids, same.splits, same.class_names) == (first.ids, first.splits, first.class_names)
    np.testing.assert_array_equal(np.asarray(same.labels), np.asarray(first.labels))
    np.testing.assert_array_equal(np.asarray(same.load(3)), np.asarray(first.load(3)))
    made(root, "dataset.split_seed=7")
    assert reads.taken() == 0
    os.utime(root / "a" / "3.png", ns=(1, 1))
    assert made(root).fingerprint() == first.fingerprint() and reads.taken() == 1
    noise(999).save(root / "b" / "new.png")
    assert made(root).fingerprint() != first.fingerprint() and reads.taken() == 1


def test_the_fingerprint_sees_pixels(root: Path) -> None:
    """Of a picture that is changed in a bit: the same name, size and labels."""
    for path in root.rglob("*.png"):
        Image.open(path).save(path.with_suffix(".bmp"))
        path.unlink()
    before = made(root)
    path = root / "a" / "5.bmp"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    after = made(root)
    assert after.fingerprint() != before.fingerprint()
    assert made(root, "dataset.fingerprint=listing").fingerprint() not in (before.fingerprint(), after.fingerprint())


def test_a_listing_knows_sizes_alone(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = Reads(monkeypatch)
    manifest = made(root, "dataset.fingerprint=listing")
    assert reads.taken() == 0 and not manifest.hashed and not manifest.notes.compared
    with pytest.raises(UserError, match=r"on_leak=error compares contents: it needs dataset.fingerprint=contents"):
        made(root, "dataset.fingerprint=listing", "dataset.on_leak=error")


def test_a_copy_elsewhere_has_the_same_fingerprint(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "copy")
    assert made(tmp_path / "copy").fingerprint() == made(root).fingerprint()


def test_an_interrupted_reading_keeps_what_it_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "_AT_ONCE", 1)

    def stops(items: Iterable[Any], total: int, text: str) -> Iterable[Any]:
        for number, item in enumerate(items):
            if number == 10:
                raise KeyboardInterrupt
            yield item

    with pytest.raises(KeyboardInterrupt):
        made(root, progress=stops)
    reads = Reads(monkeypatch)
    made(root)
    assert reads.taken() == 14


def test_how_far_the_reading_is(root: Path) -> None:
    seen: list[tuple[int, str, int]] = []

    def show(items: Iterable[Any], total: int, text: str) -> Iterable[Any]:
        taken = list(items)
        seen.append((total, text, len(taken)))
        return taken

    made(root, progress=show)
    made(root, progress=show)
    assert seen == [(24, "reading images once", 24)]


def test_two_kinds_of_fingerprint_cannot_tell(root: Path) -> None:
    """Whether a disk is read is no part of what was computed: a finished cell is not told that its images have changed."""
    contents_print, listing_print = made(root).fingerprint(), made(root, "dataset.fingerprint=listing").fingerprint()
    assert same_data(contents_print, listing_print) is None
    assert same_data(listing_print, made(root, "dataset.fingerprint=listing").fingerprint())
    noise(7, (50, 50)).save(root / "a" / "0.png")
    assert same_data(listing_print, made(root, "dataset.fingerprint=listing").fingerprint()) is False
    assert any("the files were not read" in said for said in made(root, "dataset.fingerprint=listing").notes.sentences())


def test_a_listing_is_of_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="fingerprint=listing is for files below a folder, which the images of digits are not"):
        build_manifest(composed("dataset=digits", "dataset.fingerprint=listing"))
