"""What is said of a dataset before anything is trained: shared images, orientation, ranges, files that cannot be read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.configs import composed
from tests.support.copies import intel_names, make_intel
from tests.support.datasets import made
from tests.support.images import noise
from wisesr.build.data import build_manifest
from wisesr.errors import UserError

ORIENTATION = 0x0112


def notes(root: Path, *overrides: str) -> Mapping[str, Any]:
    return made(root, *overrides).notes.as_dict()


def test_images_that_two_splits_share(root: Path) -> None:
    """By content, whatever the name; the val split counts for itself."""
    for label in "ab":
        for split, numbers in (("train", range(8)), ("val", (8, 9)), ("test", (10, 11))):
            for index in numbers:
                target = root.parent / "split" / split / label / f"{index}.png"
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(root / label / f"{index}.png", target)
    split = root.parent / "split"
    assert notes(split)["shared"] == {}
    shutil.copy(split / "train/a/3.png", split / "test/a/renamed.png")
    shutil.copy(split / "train/a/3.png", split / "val/a/again.png")
    shutil.copy(split / "train/b/0.png", split / "test/b/0.png")
    assert notes(split)["shared"] == {"test in train": 2, "test in val": 1, "val in train": 1}
    first = made(split).notes.sentences()[0]
    assert first == "2 of 6 test images (33.3 %) are also in the train split, byte for byte: what is measured on them is memory"
    with pytest.raises(UserError, match=r"2 of 6 test images .*wisesr data check names them; dataset.on_leak=warn trains all"):
        made(split, "dataset.on_leak=error")
    assert made(split, "dataset.on_leak=error", "dataset.val=null", "dataset.leave_out=[val]", "dataset.test=null")


def test_orientations_are_counted(root: Path) -> None:
    for index, orientation in enumerate((1, 3, 6, 8)):
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        noise(500 + index).save(root / "a" / f"turned{index}.jpg", exif=exif)
    assert notes(root)["turned"] == 3
    assert "3 images turned upright as their EXIF says" in made(root).notes.sentences()


def test_classes_without_test_images_are_named(tmp_path: Path) -> None:
    for split, labels in (("train", "abc"), ("test", "ab")):
        for label in labels:
            for index in range(4):
                path = tmp_path / "images" / split / label / f"{index}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                noise(index + 10 * ord(label) + len(labels) * 1000).save(path)
    manifest = made(tmp_path / "images")
    assert manifest.notes.absent == {"test": ("c",)}
    assert "the test split has no image of 1 class, which its macro F1 leaves out: c" in manifest.notes.sentences()


@pytest.mark.parametrize(
    ("top", "kind", "words"),
    [
        (200, np.uint16, "all 24 grey images of 16 bits are darker than an eighth of their range, at most 200"),
        (4000, np.uint16, "dataset.range=12"),
        (9000, np.uint16, ""),
        (65535, np.uint16, ""),
        (0.9, np.float32, ""),
        (1.5, np.float32, "values above 1, up to 1.5, which become white"),
        (255.0, np.float32, "dataset.range=8"),
    ],
)
def test_a_range_that_does_not_fit(tmp_path: Path, top: float, kind: type, words: str) -> None:
    for label in "ab":
        for index in range(12):
            values = np.random.default_rng([ord(label), index]).uniform(0, top, (20, 20))
            values.flat[0] = top
            path = tmp_path / "images" / label / f"{index}.{'tif' if kind is np.float32 else 'png'}"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(values.astype(kind)).save(path)
    sentences = made(tmp_path / "images").notes.sentences()
    assert words in " ".join(sentences) and bool(sentences) == bool(words)
    settled = {200: "8", 4000: "12", 1.5: "auto", 255.0: "8"}.get(top)
    if settled and settled != "auto":
        again = made(tmp_path / "images", f"dataset.range={settled}")
        assert again.notes.sentences() == [] and again.fingerprint() != made(tmp_path / "images").fingerprint()
        assert np.asarray(again.load(0)).max() == round(255 * top / {"8": 255, "12": 4095}[settled])


def test_a_file_that_cannot_be_opened_is_named_before_training(root: Path) -> None:
    (root / "a" / "3.png").chmod(0)
    if os.access(root / "a" / "3.png", os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(UserError, match=r"a/3.png cannot be read: Permission denied.*on_bad_image=skip"):
        made(root)
    (root / "a" / "3.png").chmod(0o600)
    assert len(made(root)) == 24


def cut(path: Path, length: int) -> None:
    path.write_bytes(path.read_bytes()[:length])


@pytest.fixture
def split(root: Path) -> Path:
    """The images with a test split, as JPEG files."""
    for path in root.rglob("*.png"):
        part = "test" if path.stem in ("10", "11") else "train"
        target = root.parent / "split" / part / path.parent.name / f"{path.stem}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.open(path).save(target)
    return root.parent / "split"


BROKEN = {
    "another page": (lambda path: path.write_text("<!doctype html><p>404"), "not an image that can be read"),
    "nothing": (lambda path: path.write_bytes(b""), "not an image that can be read"),
    "zeros": (lambda path: path.write_bytes(bytes(4000)), "not an image that can be read"),
    "cut short": (lambda path: cut(path, 1500), "truncated"),
    "too large": (lambda path: Image.new("1", (15_000, 13_000)).save(path, "PNG"), "15,000 x 13,000 = 195 million pixels"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_unreadable_test_images_stop_before_anything_is_trained(split: Path, kind: str) -> None:
    """Rather than where they are read first: after the last epoch."""
    spoil, words = BROKEN[kind]
    before = made(split)
    spoil(split / "test" / "b" / "11.jpg")
    for _ in range(2):  # nothing of it is kept that would let it pass
        with pytest.raises(UserError, match=rf"test/b/11.jpg cannot be read: .*{words}") as caught:
            made(split)
        assert str(caught.value).endswith(". Replace what cannot be read, or leave it out with dataset.on_bad_image=skip")
    rest = made(split, "dataset.on_bad_image=skip")
    assert list(rest.left_out) == ["test/b/11.jpg"] and len(rest) == len(before) - 1
    assert made(split, "dataset.fingerprint=listing").counts().sum() == 24  # which reads no file
    noise(77).save(split / "test" / "b" / "11.jpg")
    assert len(made(split)) == 24


def test_several_are_counted_and_the_first_is_named(split: Path) -> None:
    for label, index in (("a", 10), ("a", 11), ("b", 10)):
        (split / "test" / label / f"{index}.jpg").write_bytes(b"")
    (split / "train" / "a" / "0.jpg").write_bytes(b"")
    with pytest.raises(
        UserError, match=r"^4 files cannot be read, such as .*train/a/0.jpg: not an image that can be read\. Rep"
    ):
        made(split, "dataset.on_leak=error")  # that they are equal is no leak


def test_a_check_keeps_what_it_knows(split: Path) -> None:
    """A check tells unreadable files one by one; what is to be said of the others is not lost."""
    (split / "test" / "a" / "10.jpg").write_bytes(b"")
    Image.open(split / "train" / "b" / "1.jpg").save(split / "test" / "b" / "10.jpg", exif=_turned())
    config = composed("dataset=folder", f"dataset.root={split}")
    manifest = build_manifest(config, with_unreadable=True)
    assert len(manifest) == 24 and manifest.notes.turned == 1 and manifest.notes.broken
    with pytest.raises(UserError, match=r"test/a/10.jpg cannot be read"):
        build_manifest(config)
    skip = composed("dataset=folder", f"dataset.root={split}", "dataset.on_bad_image=skip")
    assert len(build_manifest(skip)) == 23 and build_manifest(skip).notes.broken == ""


def _turned() -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    return exif


def test_a_published_dataset_is_a_part_without_them(tmp_path: Path) -> None:
    root = make_intel(tmp_path / "intel")
    first = root / "seg_test" / "seg_test" / intel_names()["test"][0]
    first.unlink()
    first.write_bytes(b"")
    with pytest.raises(UserError, match=r"cannot be read.*dataset.on_bad_image=skip dataset.partial=true$"):
        build_manifest(composed("dataset=intel", f"dataset.root={root}"))


def test_an_unused_split_is_not_spoken_of(tmp_path: Path) -> None:
    """Under protocol=paper the val split is."""
    for split, count in (("train", 6), ("val", 3), ("test", 3)):
        for label in "ab":
            for index in range(count):
                path = tmp_path / "images" / split / label / f"{index}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                noise(index + 100 * ord(label) + (1000 if split == "test" else 0)).save(path)
    root = tmp_path / "images"
    assert set(made(root).notes.shared) == {"val in train"}
    assert made(root, "protocol=paper", "dataset.on_leak=error").notes.shared == {}
