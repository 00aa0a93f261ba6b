"""Classes again beside or below classes, splits in classes, wrappers: asked about, each with overrides that do as they say."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from tests.support.images import paint
from wisesr.data.folder import folder
from wisesr.data.tree import scan
from wisesr.errors import UserError


def make(root: Path, *folders: str) -> Path:
    for number, name in enumerate(folders):
        for index in range(2):
            paint(root / name / f"{index}.png", number, index, 16)
    return root


def crossed(pattern: str, *parts: str) -> list[str]:
    found = [pattern]
    for part in parts:
        found = [name.replace("*", one, 1) for name in found for one in part.split()]
    return found


def stop(root: Path, **settings: Any) -> str:
    with pytest.raises(UserError) as error:
        folder(root=str(root), **settings)
    return str(error.value).replace(str(root), "ROOT")


def done(root: Path, said: str, message: str) -> list[str]:
    """The classes under overrides of a message."""
    assert said in message
    parsed = map(OverridesParser.create().parse_override, shlex.split(said.replace("ROOT", str(root))))
    settings = {item.key_or_group.removeprefix("dataset."): item.value() for item in parsed}
    arguments: dict[str, Any] = {"root": str(root)} | settings
    return list(folder(**arguments).class_names)


def test_the_classes_again_beside_them(tmp_path: Path) -> None:
    root = make(tmp_path, "oak", "fir", "yew", *crossed("trees/*", "Oak fir"))
    message = stop(root)
    assert done(root, "'dataset.leave_out=[trees]'", message) == ["fir", "oak", "yew"]
    assert done(root, "dataset.train=null", message) == ["fir", "oak", "trees", "yew"]
    assert done(root, "dataset.root=ROOT/trees", message) == ["Oak", "fir"]


def test_the_classes_again_in_the_splits(tmp_path: Path) -> None:
    root = make(tmp_path, *crossed("*/*", "train test", "1 2 3"), *crossed("*/more/pics/*", "train test", "1 2 3"))
    message = stop(root)
    assert done(root, "'dataset.leave_out=[train/more,test/more]'", message) == ["1", "2", "3"]
    assert done(root, "dataset.train=train/more/pics dataset.test=test/more/pics", message) == ["1", "2", "3"]
    assert done(root, "dataset.train=./train", message) == ["1", "2", "3", "more"]


def test_one_wrapper_hides_nothing(tmp_path: Path) -> None:
    root = make(tmp_path, *crossed("*/imgs/*", "web cam", "bike mug"))
    message = stop(root)
    assert done(root, "dataset.root=ROOT/cam/imgs", message) == ["bike", "mug"]
    assert done(root, "dataset.train=null", message) == ["cam", "web"]
    assert folder(root=str(root), train="cam/imgs", test="web/imgs").class_names == ["bike", "mug"]
    assert "dataset.train=cam/imgs dataset.test=web/imgs" in message


def test_wrapped_splits(tmp_path: Path) -> None:
    several = make(tmp_path / "several", *crossed("*/files/*/*", "old new", "train val", "a b"))
    assert done(several, "dataset.root=ROOT/new/files", stop(several)) == ["a", "b"]
    classes = make(tmp_path / "classes", *crossed("*/photos/*", "ant bee", "train val"))
    assert "ant and bee hold train and val" in stop(classes) and "make them train/ant" in stop(classes)
    folds = make(tmp_path / "folds", *crossed("fold*/*/*", "1 2 3", "train test", "a b"))
    assert done(folds, "dataset.root=ROOT/fold1", stop(folds)) == ["a", "b"]


@pytest.mark.parametrize("inner", ["val", "Test", "train test", "test_images extra"])
def test_splits_in_classes_beside_images(tmp_path: Path, inner: str) -> None:
    root = make(tmp_path, "ant", "bee", *crossed("*/*", "ant bee", inner))
    assert "beside images, and splits are not read below classes" in stop(root)
    assert folder(root=str(root), train=None).class_names == ["ant", "bee"]


def test_labelled_beside_unlabelled(tmp_path: Path) -> None:
    root = make(tmp_path, "labelled/a", "labelled/b", "rest")
    message = stop(root)
    assert done(root, "dataset.root=ROOT/labelled", message) == ["a", "b"]
    assert done(root, "dataset.train=null", message) == ["labelled", "rest"]


@pytest.mark.parametrize(
    "folders",
    [
        crossed("*/patient*", "ill well", "0 1 2"),
        crossed("*/*", "ill well", "1 2 3"),
        crossed("*/day_*", "ill well", "01 02"),
        ["land/bird", "land/plant", "land/x", "land/y", "land/z", "sea/bird", "sea/plant", "sea/u", "sea/v", "sea/w"],
        ["vehicle", "vehicle/train", "vehicle/bus", "animal"],
        crossed("*/images", "n01 n02 n03"),
        ["BACKGROUND_Google", "Faces", "Faces_easy"],
        ["birds/crow", "birds/gull", "fish"],
    ],
)
def test_what_is_not_asked_about(tmp_path: Path, folders: list[str]) -> None:
    root = make(tmp_path, *folders)
    assert folder(root=str(root)).class_names == sorted({name.partition("/")[0] for name in folders})


@pytest.mark.parametrize("inner", ["class1 class2", "n01440764 n01443537", "grade_0 grade_1"])
def test_classes_may_be_numbered(tmp_path: Path, inner: str) -> None:
    assert "hold folders of the same names" in stop(make(tmp_path, *crossed("*/*", "raw aug", inner)))


def test_a_folder_of_the_same_classes_beside_train_and_val(tmp_path: Path) -> None:
    root = make(tmp_path, *crossed("*/*", "train val phone", "a b"))
    assert stop(root) == (
        "ROOT/phone would be left out: say what it is, with dataset.test=phone, or 'dataset.leave_out=[phone]' does without it"
    )
    assert Counter(folder(root=str(root), test="phone").splits) == {"train": 4, "val": 4, "test": 4}


def test_more_to_train_on_is_left_out_first(tmp_path: Path) -> None:
    root = make(tmp_path, *crossed("*/*", "train train_flipped test", "a b"))
    assert stop(root).endswith(
        "left out: 'dataset.leave_out=[train_flipped]' does without it, or say what it is, with dataset.val=train_flipped"
    )


def test_nothing_but_leaving_out(tmp_path: Path) -> None:
    root = make(tmp_path, *crossed("*/*", "train val test test_b", "a b"))
    assert stop(root) == "ROOT/test_b would be left out: 'dataset.leave_out=[test_b]' does without it"


@pytest.mark.parametrize("train", [".", "./"])
def test_the_root_is_not_the_training_split_where_train_is_in_it(tmp_path: Path, train: str) -> None:
    root = make(tmp_path, *crossed("*/*", "Training test", "a b"))
    assert done(root, "dataset.train=Training", stop(root, train=train)) == ["a", "b"]
    vehicles = make(tmp_path / "vehicles", "train", "bus", "test/train", "test/bus")
    assert train == "./" or "dataset.train=./ takes it for a class" in stop(vehicles, train=train)
    assert folder(root=str(vehicles), train="./").class_names == ["bus", "train"]


def test_a_class_called_train_is_offered_first(tmp_path: Path) -> None:
    message = stop(make(tmp_path, "train", "tram", "ship"))
    assert message.index("dataset.train=null") < message.index("dataset.csv")


def test_folders_nested_deeper_than_calls(tmp_path: Path) -> None:
    """They are removed one by one: what clears temporary folders calls itself for each."""
    root, here, depth = make(tmp_path, "a", "b"), Path.cwd(), 1300
    try:
        os.chdir(root / "a")
        for _ in range(depth):
            Path("d").mkdir()
            os.chdir("d")
        paint(Path("x.png"), 0, 9, 16)
        assert len(list(scan(root).files("a"))) == 3
        assert Counter(folder(root=str(root)).labels.tolist()) == {0: 3, 1: 2}  # type: ignore[union-attr]
    finally:
        Path("x.png").unlink(missing_ok=True)
        while Path.cwd() != root / "a":
            os.chdir("..")
            Path("d").rmdir()
        os.chdir(here)
