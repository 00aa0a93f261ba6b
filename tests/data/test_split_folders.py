"""Folders that are splits, look like splits, or are none: never a split as a class, never one left out in silence."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.images import paint
from wisesr.data.folder import folder
from wisesr.errors import UserError


def make(root: Path, *folders: str, images: int = 2) -> Path:
    for number, name in enumerate(folders):
        for index in range(images):
            paint(root / name / f"{index}.png", number, index, 16)
    return root


def splits(root: Path, **settings: Any) -> dict[str, int]:
    return dict(Counter(folder(root=str(root), **settings).splits))


@pytest.mark.parametrize(
    ("train", "other", "split"),
    [
        ("TRAIN", "VALID", "test"),  # without a test split, the validation split is it
        ("Training", "Testing", "test"),
        ("train", "TEST", "test"),
        ("training", "Eval", "test"),
    ],
)
def test_split_folders_in_any_case_and_by_usual_names(tmp_path: Path, train: str, other: str, split: str) -> None:
    root = make(tmp_path, *(f"{top}/{label}" for top in (train, other) for label in "ab"))
    assert splits(root) == {"train": 4, split: 4}


def test_three_splits_by_usual_names(tmp_path: Path) -> None:
    root = make(tmp_path, *(f"{top}/{label}" for top in ("Train", "Validation", "Test") for label in "ab"), images=3)
    assert splits(root) == {"train": 6, "val": 6, "test": 6}


def stop(root: Path, **settings: Any) -> str:
    with pytest.raises(UserError) as error:
        folder(root=str(root), **settings)
    return str(error.value).replace(str(root), "ROOT")


@pytest.mark.parametrize("other", ["dev", "test_set", "holdout", "TestImages", "val2017", "flowers-test", "Test 2"])
def test_what_looks_like_a_split_beside_train_is_asked_about(tmp_path: Path, other: str) -> None:
    root = make(tmp_path, "train/a", "train/b", f"{other}/a", f"{other}/b")
    message = stop(root)
    assert f"ROOT/{other} would be left out" in message and f"dataset.leave_out=[{other}]" in message
    assert splits(root, leave_out=[other]) == {"train": 4}
    assert splits(root, test=other) == {"train": 4, "test": 4}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("training_set", "test_set"), "dataset.train=training_set dataset.test=test_set"),
        (("flowers_train", "flowers_test"), "dataset.train=flowers_train dataset.test=flowers_test"),
        (("fold1", "fold2"), "dataset.train=FOLDER dataset.test=FOLDER"),
        (("imagesTr-train", "imagesTr-val"), "dataset.train=imagesTr-train dataset.val=imagesTr-val"),
    ],
)
def test_splits_by_other_names_are_no_classes(tmp_path: Path, names: tuple[str, str], said: str) -> None:
    root = make(tmp_path, *(f"{top}/{label}" for top in names for label in "ab"))
    message = stop(root)
    assert "look like splits" in message and said in message and "dataset.train=null" in message
    assert folder(root=str(root), train=None).class_names == sorted(names)


@pytest.mark.parametrize(
    "names", [("train_station", "airport"), ("test_tube", "beaker"), ("partridge", "folder"), ("setter", "valley")]
)
def test_classes_that_only_sound_like_splits_are_classes(tmp_path: Path, names: tuple[str, str]) -> None:
    assert folder(root=str(make(tmp_path, *names))).class_names == sorted(names)


def test_a_class_that_is_called_train(tmp_path: Path) -> None:
    """Buses, cars and trains: nobody can know, so it is asked."""
    root = make(tmp_path, "bus", "car", "train")
    assert "if train is itself a class, dataset.train=null" in stop(root)
    assert folder(root=str(root), train=None).class_names == ["bus", "car", "train"]


def test_two_folders_for_one_split(tmp_path: Path) -> None:
    root = make(tmp_path, *(f"{top}/{label}" for top in ("train", "val", "eval", "test") for label in "ab"))
    message = stop(root)
    assert "which one is the val split?" in message and "dataset.val=val dataset.leave_out=[eval]" in message
    assert splits(root, leave_out=["eval"]) == {"train": 4, "val": 4, "test": 4}
    assert splits(root, val="eval", leave_out=["val"]) == {"train": 4, "val": 4, "test": 4}


def test_a_named_folder_that_is_not_there(tmp_path: Path) -> None:
    root = make(tmp_path, "train/a", "train/b")
    assert stop(root, test="holdout") == "dataset.test: ROOT has no folder holdout; it holds train"
    assert "dataset.leave_out: ROOT has no folder old" in stop(root, leave_out=["old"])


def test_a_test_folder_without_labels(tmp_path: Path) -> None:
    """Flat, as competitions publish it, or in a single folder that is no class."""
    for name in ("Test", "test/unknown"):
        root = make(tmp_path / name.replace("/", "_"), "train/a", "train/b", name)
        message = stop(root)
        assert "dataset.test=null leaves it out" in message and "draw" in message
        assert splits(root, test=None) == {"train": 4}


@pytest.mark.parametrize("deeper", ["images", "archive/data/images"])
def test_a_root_that_is_too_high(tmp_path: Path, deeper: str) -> None:
    root = make(tmp_path, f"{deeper}/a", f"{deeper}/b")
    (root / "annotations").mkdir()
    (root / "annotations" / "list.txt").write_text("x")
    assert f"dataset.root=ROOT/{deeper}" in stop(root)
    assert folder(root=str(root / deeper)).class_names == ["a", "b"]


def test_splits_one_folder_deeper(tmp_path: Path) -> None:
    root = make(tmp_path, *(f"set/{top}/{label}" for top in ("train", "test") for label in "ab"))
    assert "dataset.root=ROOT/set" in stop(root)
    assert splits(root / "set") == {"train": 4, "test": 4}


def test_a_split_within_itself(tmp_path: Path) -> None:
    """As some archives unpack: train/train/<class>."""
    root = make(tmp_path, *(f"{top}/{top}/{label}" for top in ("train", "test") for label in "ab"))
    assert "dataset.train=train/train" in stop(root)
    assert "dataset.test=test/test" in stop(root, train="train/train")
    assert splits(root, train="train/train", test="test/test") == {"train": 4, "test": 4}


def test_what_is_ignored_is_counted_by_kind(tmp_path: Path) -> None:
    root = make(tmp_path, "train/a", "train/b", "train", "extra", "test/a", "test/b")
    for name in ("README.md", "train/a/notes.txt", "train/b/notes.TXT", "train/a/clip.mp4", "LICENSE"):
        (root / name).write_text("x")
    notes = folder(root=str(root)).notes
    assert notes.ignored == {
        "images beside the class folders": 2,
        "images in extra": 2,
        ".md": 1,
        ".txt": 2,
        ".mp4": 1,
        "without an ending": 1,
    }
    line, hint = notes.sentences()
    assert hint.startswith("to read .mp4: ")
    assert line.startswith("9 files ignored: ") and "2 images beside the class folders" in line and "2 .txt" in line


def test_images_that_a_list_does_not_name_are_counted(tmp_path: Path) -> None:
    root = make(tmp_path, "x", images=5)
    (root / "labels.csv").write_text("filename,class\nx/0.png,a\nx/1.png,b\n")
    assert folder(root=str(root), csv="labels.csv").notes.ignored == {"images that labels.csv does not name": 3}


def test_names_that_unicode_calls_equal_are_one_class(tmp_path: Path) -> None:
    """The umlaut in one character, as Windows and Linux write it, and in two, as macOS does."""
    root = make(tmp_path, "train/M\u00fcll", "train/Mu\u0308ll", "train/Papier", "test/Mu\u0308ll", "test/Papier")
    dataset = folder(root=str(root))
    assert dataset.class_names == ["M\u00fcll", "Papier"] and Counter(dataset.labels.tolist()) == {0: 6, 1: 4}  # type: ignore[union-attr]
    assert "names look the same" in dataset.notes.sentences()[0]


def test_numbers_in_class_names_count_by_their_value(tmp_path: Path) -> None:
    names = [f"class {number}" for number in (1, 2, 3, 10, 11, 100)]
    dataset = folder(root=str(make(tmp_path, *names, images=1)))
    assert dataset.class_names == names
    for name, label in zip(dataset.ids, dataset.labels, strict=True):
        assert name.startswith(f"{names[label]}/")


def test_dangling_links_are_called_that(tmp_path: Path) -> None:
    root = make(tmp_path, "a", "b")
    (root / "a" / "9.png").symlink_to("/mnt/nas/9.png")
    assert stop(root).startswith("1 dangling link below ROOT, such as a/9.png -> /mnt/nas/9.png: fetch the files")
    assert list(folder(root=str(root), on_bad_image="skip").left_out) == ["a/9.png"]


def test_a_class_of_files_that_cannot_be_read_here(tmp_path: Path) -> None:
    root = make(tmp_path, "a", "b")
    (root / "c").mkdir()
    (root / "c" / "1.nef").write_text("x")
    message = stop(root)
    assert "class 'c' has no images" in message and "end in .nef" in message


def test_columns_that_are_not_used_are_named(tmp_path: Path) -> None:
    """A column that would have been a group, for instance: images of one patient in two splits."""
    root = make(tmp_path, "x", images=4)
    rows = [f"x/{index}.png,{'ab'[index % 2]},p{index // 2},{30 + index}" for index in range(4)]
    (root / "labels.csv").write_text("\n".join(["filename,class,patient,age", *rows]), encoding="utf-8")
    dataset = folder(root=str(root), csv="labels.csv")
    assert "columns of the list that are not used: patient, age" in dataset.notes.sentences()
    grouped = folder(root=str(root), csv="labels.csv", columns={"group": "patient"})
    assert list(grouped.groups) == ["p0", "p0", "p1", "p1"] and list(grouped.notes.unread) == ["age"]


def test_an_over_long_listed_name_is_a_missing_file(tmp_path: Path) -> None:
    root = make(tmp_path, "x", images=4)
    (root / "labels.csv").write_text(f"filename,class\nx/0.png,a\n{'y' * 300}.png,b\n", encoding="utf-8")
    assert "listed, but there is no such file" in stop(root, csv="labels.csv")
