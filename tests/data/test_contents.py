"""What lies in files: found out once, kept by path, size and time, and said before anything is trained."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.configs import composed
from tests.support.copies import intel_names, make_intel
from tests.support.images import noise
from wisesr.build import data
from wisesr.build.data import build_manifest
from wisesr.data import contents, ignored, image_formats, images, listing
from wisesr.data.file_cache import FileCache
from wisesr.data.file_images import FileImages
from wisesr.data.kept import cache_dir
from wisesr.data.manifest import Manifest
from wisesr.errors import UserError
from wisesr.results.lock import acquire_lock
from wisesr.results.provenance import same_data

ORIENTATION = 0x0112


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for what is kept."""
    monkeypatch.setenv("WISESR_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two classes of 12 images, drawn from two seeds."""
    for label, name in enumerate("ab"):
        for index in range(12):
            path = tmp_path / "images" / name / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            noise(100 * label + index).save(path)
    return tmp_path / "images"


def made(root: Path, *overrides: str, **arguments: Any) -> Manifest:
    return build_manifest(composed("dataset=folder", f"dataset.root={root}", *overrides), **arguments)


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


def test_a_decoder_that_is_installed_later_mends_what_could_not_be_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(contents, "read_header", lambda content: None)
        with pytest.raises(UserError, match=r"24 files cannot be read, such as .*: it could not be read at first, and now can"):
            made(root)
    assert len(made(root)) == 24


def test_a_published_dataset_is_a_part_without_them(tmp_path: Path) -> None:
    root = make_intel(tmp_path / "intel")
    first = root / "seg_test" / "seg_test" / intel_names()["test"][0]
    first.unlink()
    first.write_bytes(b"")
    with pytest.raises(UserError, match=r"cannot be read.*dataset.on_bad_image=skip dataset.partial=true$"):
        build_manifest(composed("dataset=intel", f"dataset.root={root}"))


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
