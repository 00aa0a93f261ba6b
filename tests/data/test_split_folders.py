"""Folders that are splits, look like splits, or are none: never a split as a class, never one left out in silence."""

from __future__ import annotations

import shlex
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

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


def settings_of(overrides: str) -> dict[str, Any]:
    """What overrides of a message set, as a shell and Hydra read them."""
    parsed = map(OverridesParser.create().parse_override, shlex.split(overrides))
    return {item.key_or_group.removeprefix("dataset."): item.value() for item in parsed}


@pytest.mark.parametrize(
    "other",
    [
        "dev",
        "test_set",
        "holdout",
        "TestImages",
        "val2017",
        "flowers-test",
        "Test 2",
        "TESTSET",
        "valdata",
        "evaluate",
        "unseen",
    ],
)
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
        (("fold1", "fold2"), "dataset.train=fold1 dataset.test=fold2"),
        (("trainset", "testset"), "dataset.train=trainset dataset.test=testset"),
        (("TRAINDATA", "TESTDATA"), "dataset.train=TRAINDATA dataset.test=TESTDATA"),
        (("Trainingsbilder", "Testbilder"), "dataset.train=Trainingsbilder dataset.test=Testbilder"),
        (("mytrain", "mytest"), "dataset.train=mytrain dataset.test=mytest"),
        (("imgtrain", "imgval"), "dataset.train=imgtrain dataset.val=imgval"),
        (("training data (old)", "unlabelled test"), "'dataset.train=\"training data (old)\"' 'dataset.test=unlabelled test'"),
        (("imagesTr-train", "imagesTr-val"), "dataset.train=imagesTr-train dataset.val=imagesTr-val"),
    ],
)
def test_splits_by_other_names_are_no_classes(tmp_path: Path, names: tuple[str, str], said: str) -> None:
    root = make(tmp_path, *(f"{top}/{label}" for top in names for label in "ab"))
    message = stop(root)
    assert "look like splits" in message and said in message and "dataset.train=null" in message
    assert splits(root, **settings_of(said))["train"] == 4
    assert folder(root=str(root), train=None).class_names == sorted(names)


@pytest.mark.parametrize(
    "names",
    [
        *[("train_station", "airport"), ("test_tube", "beaker"), ("partridge", "folder"), ("setter", "valley")],
        *[
            ("dev", "ops"),
            ("tests", "docs"),
            ("part1", "part2"),
            ("fold 1", "fold 2"),
            ("trainer", "tester"),
            ("festival", "contest"),
        ],
        *[("evaluate", "plan"), ("testimony", "datum")],
    ],
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
    assert "which one is the val split?" in message and "dataset.val=val 'dataset.leave_out=[eval]'" in message
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
        assert "dataset.test=null leaves it out, and draws a test split" in message
        assert splits(root, test=None) == {"train": 4}


def test_what_becomes_of_a_split_that_is_left_out_is_said(tmp_path: Path) -> None:
    root = make(tmp_path, "train/a", "train/b", "val/a", "val/b", "test")
    assert "dataset.test=null leaves it out, and val is the test split then" in stop(root)
    assert splits(root, test=None) == {"train": 4, "test": 4}
    root = make(tmp_path / "other", "train/a", "train/b", "Val", "test/a", "test/b")
    assert "dataset.val=null leaves it out, and the epoch is chosen on images that are held out" in stop(root)
    assert splits(root, val=None) == {"train": 4, "test": 4}


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
    """As some archives unpack: train/train/<class>, or deeper."""
    root = make(tmp_path, *(f"{top}/{top}/{label}" for top in ("train", "test") for label in "ab"))
    assert "dataset.train=train/train dataset.test=test/test" in stop(root)
    assert "dataset.test=test/test" in stop(root, train="train/train")
    assert splits(root, train="train/train", test="test/test") == {"train": 4, "test": 4}
    root = make(tmp_path / "deep", "train/x/y/a", "train/x/y/b")
    assert stop(root).endswith("dataset.train=train/x/y")


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
    line, hint, stray = notes.sentences()
    assert "belongs to no class: move it into one" in stray and "dataset.leave_out=[train/0.png,train/1.png]" in stray
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
    root = make(tmp_path / "apart", "train/\u00c4", "train/\u00d6", "test/A\u0308", "test/O\u0308")
    assert folder(root=str(root)).class_names == ["\u00c4", "\u00d6"] and splits(root) == {"train": 4, "test": 4}


def test_folders_are_found_in_either_of_unicodes_forms(tmp_path: Path) -> None:
    root = make(tmp_path, *(f"{top}/{label}" for top in ("U\u0308bung", "Pru\u0308fung", "A\u0308lter") for label in "ab"))
    assert splits(root, train="\u00dcbung", test="Pr\u00fcfung", leave_out=["\u00c4lter"]) == {"train": 4, "test": 4}


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
    assert "class 'c' has no images" in message and "end in .nef" in message and "'dataset.leave_out=[c]'" in message


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


def test_several_folders_beside_train_are_asked_about_at_once(tmp_path: Path) -> None:
    root = make(tmp_path, *(f"{top}/{label}" for top in ("train", "test_1", "test_2") for label in "ab"))
    message = stop(root)
    assert "dataset.test=test_1 'dataset.leave_out=[test_2]'" in message
    assert "'dataset.leave_out=[test_1,test_2]' does without them" in message
    assert splits(root, test="test_2", leave_out=["test_1"]) == {"train": 4, "test": 4}
    assert splits(root, leave_out=["test_1", "test_2"]) == {"train": 4}
    root = make(tmp_path / "both", *(f"{top}/{label}" for top in ("train", "my_val", "my_test") for label in "ab"))
    assert "with dataset.test=my_test dataset.val=my_val, or" in stop(root)


def test_what_is_left_out_already_stays_left_out_in_a_suggestion(tmp_path: Path) -> None:
    root = make(tmp_path, "train/a", "train/b", "train/x", "test/a", "test/x", "test/y")
    assert "'dataset.leave_out=[train/x,test/x,test/y]' does without them" in stop(root, leave_out=["train/x"])
    assert splits(root, leave_out=["train/x", "test/x", "test/y"]) == {"train": 4, "test": 2}


@pytest.mark.parametrize("written", ["extra", "extra/", "./extra", ".\\extra", "extra/.", "ROOT/extra"])
def test_what_is_left_out_may_be_written_in_several_ways(tmp_path: Path, written: str) -> None:
    root = make(tmp_path, "cat", "dog", "extra")
    dataset = folder(root=str(root), leave_out=[written.replace("ROOT", str(root))])
    assert dataset.class_names == ["cat", "dog"] and dataset.notes.ignored == {"images in extra": 2}


def test_what_is_left_out_may_lie_anywhere(tmp_path: Path) -> None:
    root = make(tmp_path, "train/a", "train/b", "train/b/deep", "train/c", "test/a", images=3)
    gone = ["train/c", "train/b/deep", "test/a/0.png"]
    dataset = folder(root=str(root), leave_out=gone)
    assert dict(Counter(dataset.splits)) == {"train": 6, "test": 2}
    assert dataset.notes.ignored == {"images in train/c": 3, "images in train/b/deep": 3, "image left out by name": 1}


@pytest.mark.parametrize(
    ("leave_out", "said"),
    [
        (["Extra"], "ROOT has no folder Extra; there is extra"),
        (["extre"], "did you mean extra?"),
        (["deep"], "ROOT has no folder deep; there is cat/deep"),
        (["cat", "dog", "extra"], "dataset.leave_out leaves no folder of ROOT: it names cat, dog, extra"),
        (["."], "dataset.leave_out leaves no folder"),
        ([""], "holds an empty name"),
        (["extra", "  "], "holds an empty name"),
    ],
)
def test_what_cannot_be_left_out(tmp_path: Path, leave_out: list[str], said: str) -> None:
    assert said in stop(make(tmp_path, "cat", "cat/deep", "dog", "extra"), leave_out=leave_out)


@pytest.mark.parametrize("settings", [{"leave_out": ["x"]}, {"train": "x"}, {"test": None}, {"val": "dev"}])
def test_settings_about_folders_are_no_settings_of_a_list(tmp_path: Path, settings: dict[str, Any]) -> None:
    root = make(tmp_path, "x", "y")
    (root / "labels.csv").write_text("filename,class\nx/0.png,a\ny/0.png,b\n", encoding="utf-8")
    assert f"dataset.{next(iter(settings))} is about folders" in stop(root, csv="labels.csv", **settings)


def test_the_root_but_for_the_test_folder(tmp_path: Path) -> None:
    """The training images were never put in a folder of their own."""
    root = make(tmp_path, "cat", "dog", "test/cat", "test/dog")
    assert "dataset.train=. takes cat, dog for the classes of the training split" in stop(root)
    dataset = folder(root=str(root), train=".")
    assert dataset.class_names == ["cat", "dog"] and dict(Counter(dataset.splits)) == {"train": 4, "test": 4}
    assert "dataset.train=. takes the others" in stop(root, train=None)
    assert folder(root=str(root), train=None, test=None).class_names == ["cat", "dog", "test"]
    for index in range(3):
        paint(root / "valdata" / "cat" / f"{index}.png", 9, index, 16)
    assert "valdata would be no split: say what it is, with dataset.val=valdata" in stop(root, train=".")
    assert splits(root, train=".", val="valdata") == {"train": 4, "val": 3, "test": 4}


@pytest.mark.parametrize("test", ["sets/test", "cat/held out"])
def test_a_split_in_a_folder_of_another(tmp_path: Path, test: str) -> None:
    """It is no part of that one, and a folder that holds nothing else is no class."""
    root = make(tmp_path, "cat", "dog", f"{test}/cat", f"{test}/dog")
    dataset = folder(root=str(root), train=".", test=test)
    assert dataset.class_names == ["cat", "dog"] and dict(Counter(dataset.splits)) == {"train": 4, "test": 4}


def test_all_folders_are_classes_and_a_split_is_named(tmp_path: Path) -> None:
    root = make(tmp_path, "cat", "dog", "holdout/cat")
    message = stop(root, train=None, test="holdout")
    assert (
        "dataset.train=. takes the others" in message
        and "dataset.train=null dataset.test=null, if holdout is a class" in message
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"train": "x", "test": "x/"}, "dataset.train and dataset.test are both x"),
        ({"train": "y", "val": "x", "test": "./x"}, "dataset.val and dataset.test are both x"),
        ({"train": ""}, "dataset.train is empty"),
        ({"train": "x", "test": "."}, "dataset.test must be a folder below ROOT"),
        ({"train": "X"}, "dataset.train: ROOT has no folder X; there is x"),
    ],
)
def test_splits_that_cannot_be(tmp_path: Path, settings: dict[str, Any], said: str) -> None:
    root = make(tmp_path, *(f"{top}/{label}" for top in "xy" for label in "ab"))
    assert said in stop(root, **settings)


@pytest.mark.parametrize(
    ("folders", "said", "never"),
    [
        (["notest", "test"], "dataset.train=null", "dataset.train=notest"),
        (["valid", "invalid"], "dataset.train=null", "dataset.train=invalid"),
        (["images/a", "images/b", "test/a", "test/b"], "dataset.train=images", "FOLDER"),
        (["val/a", "val/b", "test/a", "test/b"], "dataset.train=val dataset.val=null", "FOLDER"),
        (["training_set", "test_set"], "hold no folders of classes", "dataset.train=training_set"),
        (["cat", "dog", "testset"], "'dataset.leave_out=[testset]'", "dataset.train=testset"),
    ],
)
def test_what_is_proposed_for_the_training_split(tmp_path: Path, folders: list[str], said: str, never: str) -> None:
    message = stop(make(tmp_path, *folders))
    assert said in message and never not in message and "dataset.train=null takes all folders for classes" in message


def test_a_packed_test_split_is_not_overlooked(tmp_path: Path) -> None:
    root = make(tmp_path, "train/a", "train/b")
    (root / "test-images.tar.gz").write_bytes(b"x")
    assert "unpack it" in stop(root)
    assert splits(root, leave_out=["test-images.tar.gz"]) == splits(root, test=None) == {"train": 4}


def test_a_class_that_only_the_test_split_has(tmp_path: Path) -> None:
    root = make(tmp_path, "train/cat", "train/dog", "test/cat", "test/dog", "test/Cat ", "test/unknown")
    message = stop(root)
    assert "train split: 'Cat ', 'unknown' ('Cat ' may be 'cat' there)" in message
    assert splits(root, **settings_of(message.rpartition("). ")[2].partition(" does")[0])) == {"train": 4, "test": 4}
    root = make(tmp_path / "val", "train/cat", "train/dog", "val/Cat", "val/Dog")
    assert stop(root).endswith("Give the folders the same names")


def test_classes_that_hardly_differ_are_remarked(tmp_path: Path) -> None:
    said = folder(root=str(make(tmp_path, "Cat", "cat ", "fish", "\ufb01sh", "dog"))).notes.sentences()[-1]
    assert said.startswith("class names that differ only in case") and "'Cat' and 'cat '" in said and "'\\ufb01sh'" in said
    assert not folder(root=str(make(tmp_path / "other", "cat", "cats", "c a t s.", "dog"))).notes.sentences()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["c/1", "c/2", "c/3"], "holds only 3 files without an ending"),
        (["c/1", "c/2.txt", "c/x.bmpx"], "holds only 1 file without an ending, and an image must have one, as .jpg, files"),
        ([], "ROOT/c is empty"),
    ],
)
def test_what_a_class_holds_instead_of_images(tmp_path: Path, files: list[str], said: str) -> None:
    root = make(tmp_path, "a", "b")
    (root / "c").mkdir()
    for name in files:
        (root / name).write_text("x")
    message = stop(root)
    assert said in message and "'dataset.leave_out=[c]' does without it" in message
    assert folder(root=str(root), leave_out=["c"]).class_names == ["a", "b"]


def test_what_stands_beside_the_split_folders(tmp_path: Path) -> None:
    root = make(tmp_path, "train/a", "train/b")
    paint(root / "stray.png", 0, 0, 16)
    paint(root / "train" / "stray.png", 0, 0, 16)
    assert folder(root=str(root)).notes.ignored == {"image beside the split folders": 1, "image beside the class folders": 1}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("photos.tar.gz", "is an archive: unpack it"),
        ("photos.ZIP", "is an archive: unpack it"),
        ("labels.csv", "dataset.root=ROOT dataset.csv=labels.csv"),
        ("x.txt", "is a file, and must be a folder"),
        ("nothing", "there is no folder"),
        ("link", "is a link to /nowhere/x, which is not there"),
    ],
)
def test_a_root_that_is_no_folder(tmp_path: Path, name: str, said: str) -> None:
    if name == "link":
        (tmp_path / name).symlink_to("/nowhere/x")
    elif name != "nothing":
        (tmp_path / name).write_text("x")
    with pytest.raises(UserError) as error:
        folder(root=str(tmp_path / name))
    assert said in str(error.value).replace(str(tmp_path), "ROOT")


@pytest.mark.parametrize("root", ["", "  "])
def test_an_empty_root_is_not_the_current_folder(root: str) -> None:
    with pytest.raises(UserError, match="dataset.root is empty"):
        folder(root=root)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["a.zip"], "only an archive, a.zip: unpack it"),
        (["1.png", "2.png", "x.md"], "only 2 images side by side"),
        ([], "holds no folders:"),
    ],
)
def test_a_root_without_folders(tmp_path: Path, files: list[str], said: str) -> None:
    for name in files:
        (tmp_path / name).write_text("x")
    assert said in stop(tmp_path)
