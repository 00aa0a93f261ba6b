"""Folders of the same names in several folders: nobody can know which are the classes, so it is asked, and once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.images import paint
from wisesr.data.folder import folder
from wisesr.errors import UserError


def make(root: Path, *folders: str) -> Path:
    for number, name in enumerate(folders):
        for index in range(2):
            paint(root / name / f"{index}.png", number, index, 16)
    return root


def stop(root: Path, **settings: Any) -> str:
    with pytest.raises(UserError) as error:
        folder(root=str(root), **settings)
    return str(error.value).replace(str(root), "ROOT")


def crossed(outer: str, inner: str, below: str = "") -> list[str]:
    return [f"{below}{one}/{other}" for one in outer.split() for other in inner.split()]


@pytest.mark.parametrize(
    ("outer", "inner"), [("rgb depth", "apple pear"), ("benign malignant", "40X 100X"), ("a b c", "x y z")]
)
def test_folders_of_the_same_names_are_asked_about(tmp_path: Path, outer: str, inner: str) -> None:
    root = make(tmp_path, *crossed(outer, inner))
    message, first = stop(root), min(outer.split())
    assert "hold folders of the same names" in message and all(name in message for name in (*outer.split(), *inner.split()))
    assert f"dataset.root=ROOT/{first}" in message and "dataset.train=null" in message
    assert sorted(folder(root=str(root / first)).class_names) == sorted(inner.split())
    assert folder(root=str(root), train=None).class_names == sorted(outer.split())


def test_below_a_split_folder_too(tmp_path: Path) -> None:
    root = make(tmp_path, *crossed("img mask", "cow pig", "train/"), *crossed("img mask", "cow pig", "test/"))
    message = stop(root)
    assert "dataset.train=train/img dataset.test=test/img" in message and message.endswith("are: dataset.train=./train")
    assert folder(root=str(root), train="train/img", test="test/img").class_names == ["cow", "pig"]
    assert folder(root=str(root), train="./train").class_names == ["img", "mask"]
    assert stop(root, train="train/") == message


def test_two_named_otherwise_may_be_splits(tmp_path: Path) -> None:
    message = stop(make(tmp_path, *crossed("\u00dcbung Probe", "cow pig")))
    assert "dataset.train=Probe 'dataset.test=\"\u00dcbung\"', or the other way round" in message


@pytest.mark.parametrize(
    "folders",
    [
        ["animals/cat", "animals/dog", "plants/oak", "plants/rose"],
        ["n01/images", "n02/images", "n03/images"],
        ["cat/indoor", "cat/outdoor", "dog"],
        ["cat/1", "cat/2", "dog/2", "dog/3"],
        ["cat", "dog/left", "dog/right", "cow"],
    ],
)
def test_nested_classes_are_classes(tmp_path: Path, folders: list[str]) -> None:
    """One folder or none is shared: at least two of the same names make a question."""
    root = make(tmp_path, *folders)
    assert folder(root=str(root)).class_names == sorted({name.partition("/")[0] for name in folders})


def test_classes_with_images_of_their_own_are_classes(tmp_path: Path) -> None:
    root = make(tmp_path, "cat", "dog", *crossed("cat dog", "left right"))
    assert Counter(folder(root=str(root)).labels.tolist()) == {0: 6, 1: 6}  # type: ignore[union-attr]


@pytest.mark.parametrize("inner", ["train test", "Training Validation", "trainset", "TRAIN_SET TEST_SET"])
def test_a_split_of_each_class_is_not_thrown_away(tmp_path: Path, inner: str) -> None:
    root = make(tmp_path, *crossed("cat dog", inner), "cow")
    message = stop(root)
    assert "splits are not read below classes" in message and "filename,class,split" in message
    assert folder(root=str(root), train=None).class_names == ["cat", "cow", "dog"]


@pytest.mark.parametrize("splits", ["train", "train test", "Train_Images"])
def test_several_datasets_side_by_side(tmp_path: Path, splits: str) -> None:
    root = make(tmp_path, *(f"{top}/{split}/{label}" for top in ("one", "two") for split in splits.split() for label in "ab"))
    message = stop(root)
    assert "dataset.root=ROOT/one" in message and "dataset.train=null" in message


def test_one_dataset_beside_other_images(tmp_path: Path) -> None:
    root = make(tmp_path, *crossed("train test", "a b", "flowers/"), "thumbnails")
    assert "flowers holds test and train: dataset.root=ROOT/flowers" in stop(root)
