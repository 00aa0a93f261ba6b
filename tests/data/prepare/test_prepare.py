"""The three datasets from every kind of download: which files are taken, where they go, what is told."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path

import pytest

from tests.support.downloads import (
    KINDS,
    below,
    csv_text,
    files_of,
    intel_files,
    make,
    mit_files,
    pack,
    picture,
    sub_imagenet_files,
)
from wisesr.data.folder import folder
from wisesr.data.mit_indoor import mit_indoor, official
from wisesr.data.sub_imagenet import sub_imagenet
from wisesr.errors import UserError

LISTS = {
    "TrainImages.txt": "\n".join(official("train")).encode(),
    "TestImages.txt": "\n".join(official("test")).encode(),
}
JUNK = {"__MACOSX/._archive": b"x", ".DS_Store": b"x", "seg_train/seg_train/sea/._0.jpg": b"x", "seg_pred/seg_pred/3.jpg": b"x"}


@pytest.mark.parametrize("kind", KINDS)
def test_intel(tmp_path: Path, kind: str) -> None:
    source = pack(below("a/b", intel_files() | JUNK | {"readme.txt": b"x"}), tmp_path / "download", kind)
    printed = make("intel", source, tmp_path / "data" / "intel")
    assert files_of(tmp_path / "data" / "intel") == intel_files()
    assert "in its folder a/b: 18 images of intel" in printed
    for left_out in ("hidden files (3)", "seg_pred (1)", "other files (1)"):
        assert left_out in printed
    assert "12 images to train and 6 to test" in printed
    assert f"dataset=intel dataset.root={tmp_path / 'data' / 'intel'} dataset.partial=true" in printed
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["intel"], "nothing is left beside it"


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "folder"])
def test_mit_indoor_takes_the_listed_images(tmp_path: Path, kind: str) -> None:
    """With the lists beside `indoorCVPR_09`, as on Kaggle, or without, as in the official archive."""
    listed = mit_files(1)
    others = {"indoorCVPR_09/Images/bakery/of_no_list.jpg": b"x", "indoorCVPR_09annotations/Annotations/bakery/a.xml": b"x"}
    source = pack(listed | others | (LISTS if kind == "zip" else {}), tmp_path / "download", kind)
    printed = make("mit_indoor", source, tmp_path / "mit")
    assert files_of(tmp_path / "mit") == listed | LISTS
    assert "images that neither list names (1)" in printed
    manifest = mit_indoor(root=str(tmp_path / "mit"), partial=True)
    assert len(manifest) == len(listed) == len(manifest.indices("train")) + len(manifest.indices("test"))


def test_mit_indoor_whole(tmp_path: Path) -> None:
    """All 6,700 names of the official lists, accepted without --partial; then there is nothing to do."""
    source = tmp_path / "download" / "Images"
    first = tmp_path / "one.jpg"
    first.write_bytes(picture(0))
    for name in [*official("train"), *official("test")]:
        path = source / name
        if not path.parent.exists():
            path.parent.mkdir(parents=True)
        os.link(first, path)
    printed = make("mit_indoor", tmp_path / "download", tmp_path / "mit", take_part=False)
    assert "5,360 images to train and 1,340 to test" in printed and "partial" not in printed
    note = json.loads((tmp_path / "mit" / ".wisesr.json").read_text())
    assert note["images"] == {"train": 5360, "test": 1340} and note["root"] == "Images" and note["source"]["sha256"] is None
    assert "there is nothing to do" in make("mit_indoor", tmp_path / "nowhere", tmp_path / "mit", take_part=False)


@pytest.mark.parametrize("prefix", ["", "indoorCVPR_09/indoorCVPR_09/Images/"])
def test_mit_indoor_at_any_depth(tmp_path: Path, prefix: str) -> None:
    files = {prefix + name.removeprefix("indoorCVPR_09/Images/"): content for name, content in mit_files(1).items()}
    make("mit_indoor", pack(files, tmp_path / "download.zip", "zip"), tmp_path / "mit")
    assert files_of(tmp_path / "mit") == mit_files(1) | LISTS


def test_other_lists_of_mit_indoor_are_an_error(tmp_path: Path) -> None:
    lists = {
        "TrainImages.txt": LISTS["TrainImages.txt"],
        "TestImages.txt": LISTS["TestImages.txt"].replace(b"bakery/", b"bar/", 1),
    }
    source = pack(mit_files(1) | lists, tmp_path / "download.zip", "zip")
    with pytest.raises(UserError, match=r"TestImages\.txt is not the official list of the test split \(1,340 names\)"):
        make("mit_indoor", source, tmp_path / "mit")


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "folder"])
@pytest.mark.parametrize("place", ["", "images", "both"])
def test_sub_imagenet(tmp_path: Path, kind: str, place: str) -> None:
    """Files beside the lists, in a folder of their own, or in one for each list: they go to where the lists say."""
    wanted = sub_imagenet_files()
    folders = {name: "test" if name[-6] in "89" else "train" for name in wanted}
    moved = {
        (name if name.endswith("csv") or not place else f"{place if place != 'both' else folders[name]}/{name}"): content
        for name, content in wanted.items()
    }
    source = pack(below("archive", moved | {"n01/of_no_list.JPEG": b"x"}), tmp_path / "download", kind)
    printed = make("sub_imagenet", source, tmp_path / "sub")
    assert files_of(tmp_path / "sub") == wanted
    assert "18 images of sub_imagenet" in printed and "images that neither list names (1)" in printed
    manifest = sub_imagenet(root=str(tmp_path / "sub"), partial=True)
    assert manifest.class_names == ["n01", "n02", "n03"] and len(manifest.indices("train")) == 12


def test_names_with_backslashes_are_folders(tmp_path: Path) -> None:
    files = {name.replace("/", "\\"): content for name, content in intel_files().items()}
    for kind in ("tar", "folder"):
        make("intel", pack(files, tmp_path / f"download.{kind}", kind), tmp_path / kind)
        assert files_of(tmp_path / kind) == intel_files()


def test_entries_for_folders(tmp_path: Path) -> None:
    """As they are written on Windows, by their ending, and by their mode only."""
    with zipfile.ZipFile(pack(intel_files(), tmp_path / "download.zip", "zip"), "a") as archive:
        archive.writestr("seg_train\\", b"")
        archive.writestr("seg_train/seg_train/", b"")
        archive.writestr("seg_test", b"")
        archive.infolist()[-1].external_attr = 0o040755 << 16
    make("intel", tmp_path / "download.zip", tmp_path / "intel")
    assert files_of(tmp_path / "intel") == intel_files()


def test_a_tar_without_a_mark(tmp_path: Path) -> None:
    content = bytearray(pack(intel_files(), tmp_path / "old.tar", "tar").read_bytes())
    content[257:265] = bytes(8)
    content[148:156] = b" " * 8
    content[148:156] = f"{sum(content[:512]):06o}\0 ".encode()
    (tmp_path / "old.tar").write_bytes(content)
    make("intel", tmp_path / "old.tar", tmp_path / "intel")
    assert files_of(tmp_path / "intel") == intel_files()


# What is not found, or found twice.


@pytest.mark.parametrize(
    ("name", "files", "words"),
    [
        ("intel", {"photos/sea/1.jpg": b"x"}, "does not hold seg_train/seg_train/<class>/<image> .* It holds: 'photos' "),
        ("intel", below("a", intel_files()) | below("b", intel_files()), "in 2 places: a, b. "),
        ("intel", {"readme.txt": b""}, "does not hold"),
        ("mit_indoor", {"Images/bakery/of_no_list.jpg": b"x"}, "does not hold Images/<class>/<image> of the official lists"),
        ("mit_indoor", below("a", mit_files(1)) | mit_files(1), r"in 2 places: a/indoorCVPR_09/Images, indoorCVPR_09/Images"),
        ("sub_imagenet", {"train.csv": b"x", "a/test.csv": b"x"}, "does not hold train.csv and test.csv side by side"),
        ("sub_imagenet", {"train.csv": b"a,b\n", "test.csv": b"x"}, "train.csv: no column is called 'filename'"),
        (
            "sub_imagenet",
            {"train.csv": csv_text([("n01/a.JPEG", "n01")]), "test.csv": csv_text([("n01/b.JPEG", "n01")]), "x/b.JPEG": b""},
            r"no file is what train.csv lists. Looked for, below any folder: n01/a.JPEG. It holds: ",
        ),
        (
            "sub_imagenet",
            sub_imagenet_files() | below("copy", sub_imagenet_files()),
            "side by side in 2 places: its top, copy",
        ),
        (
            "sub_imagenet",
            sub_imagenet_files() | {"x/n01/n01_0.JPEG": b"x"},
            r"train.csv lists, .* are found in 2 places: its top \(12\); x \(1\)",
        ),
        (
            "sub_imagenet",
            {"train.csv": csv_text([("a/0.JPEG", "a"), ("b/0.JPEG", "b"), ("a/0.JPEG", "a")])}
            | {"test.csv": csv_text([("a/1.JPEG", "a")]), "a/0.JPEG": b"", "b/0.JPEG": b"", "a/1.JPEG": b""},
            "images are listed twice: a/0.JPEG",
        ),
        ("intel", {f"seg_train/seg_train/{name}/1.jpg": b"x" for name in "ab"}, "has no image of the test split"),
        (
            "intel",
            {"seg_train/seg_train/a/1.jpg": b"", "seg_train/seg_train/b/1.jpg": b"", "seg_test/seg_test/c/1.jpg": b""},
            "classes of the test split have no images in the train split: 'c'",
        ),
    ],
)
def test_not_found_or_ambiguous(tmp_path: Path, name: str, files: dict[str, bytes], words: str) -> None:
    source = pack(files, tmp_path / "download.zip", "zip")
    with pytest.raises(UserError, match=words):
        make(name, source, tmp_path / "data" / "here")
    assert [path.name for path in tmp_path.iterdir()] == ["download.zip"]


def test_a_part_needs_the_flag(tmp_path: Path) -> None:
    source = pack(intel_files(), tmp_path / "intel.zip", "zip")
    with pytest.raises(UserError, match=r"intel.zip is not intel as published: train has 12 images, not 14,034; .* --partial"):
        make("intel", source, tmp_path / "intel", take_part=False)
    source = pack(mit_files(1), tmp_path / "mit.zip", "zip")
    with pytest.raises(UserError, match=r"Missing: indoorCVPR_09/Images/airport_inside/.* and 6,561 more"):
        make("mit_indoor", source, tmp_path / "mit", take_part=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["intel.zip", "mit.zip"]


@pytest.mark.parametrize(
    "filename", ["/etc/passwd", "\\etc\\passwd", "..\\x.jpg", "a/../../x.jpg", "../../x.jpg", "..", "a/.."]
)
@pytest.mark.parametrize("name", ["train.csv", "test.csv"])
def test_lists_that_lead_out(tmp_path: Path, filename: str, name: str) -> None:
    """The file may be there, and no number of images would show it."""
    files = sub_imagenet_files()
    files[name] += f"{filename},n01\n".encode()
    line = 14 if name == "train.csv" else 8
    with pytest.raises(
        UserError, match=f"download.zip: {name}, line {line}: filename .* must be a relative path that stays below"
    ):
        make("sub_imagenet", pack(files, tmp_path / "download.zip", "zip"), tmp_path / "sub")
    assert [path.name for path in tmp_path.iterdir()] == ["download.zip"]
    with pytest.raises(UserError, match=f"{name}, line {line}: filename"):
        folder(root=str(pack(files, tmp_path / "unpacked", "folder")), csv=name)


def test_the_note_traces_the_archive(tmp_path: Path) -> None:
    source = pack(below("a", intel_files()), tmp_path / "intel.tar.gz", "tar.gz")
    make("intel", source, tmp_path / "intel")
    note = json.loads((tmp_path / "intel" / ".wisesr.json").read_text())
    assert note["source"] == {
        "name": "intel.tar.gz",
        "kind": "tar",
        "bytes": source.stat().st_size,
        "sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
    }
    assert note["images"] == {"train": 12, "test": 6} and note["files"] == 18 and note["finished"]
