"""Links to a disk that is not mounted and closed folders: asked about where they would be splits or classes, else counted."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.images import paint
from wisesr.data.folder import folder
from wisesr.errors import UserError


def make(root: Path, *folders: str, **links: str) -> Path:
    for number, name in enumerate(folders):
        for index in range(2):
            paint(root / name / f"{index}.png", number, index, 16)
    for name, target in links.items():
        (root / name).symlink_to(target)
    return root


def stop(root: Path, **settings: Any) -> str:
    with pytest.raises(UserError) as error:
        folder(root=str(root), **settings)
    return str(error.value).replace(str(root), "ROOT")


@pytest.mark.parametrize("name", ["test", "TEST", "Validation", "test_set", "my-test.v2"])
def test_a_split_that_is_not_mounted_is_not_drawn_instead(tmp_path: Path, name: str) -> None:
    root = make(tmp_path, "train/a", "train/b", **{name: "/mnt/unmounted/x"})
    assert f"ROOT/{name} is a link to /mnt/unmounted/x, which is not there" in stop(root)
    dataset = folder(root=str(root), leave_out=[name])
    assert set(dataset.splits) == {"train"} and dataset.notes.ignored == {"dangling link": 1}


def test_a_training_split_that_is_not_mounted(tmp_path: Path) -> None:
    assert "ROOT/train is a link to /x/train" in stop(make(tmp_path, "test/a", "test/b", train="/x/train"))


def test_a_split_that_the_user_does_without(tmp_path: Path) -> None:
    root = make(tmp_path, "train/a", "train/b", test="/mnt/unmounted/x")
    assert set(folder(root=str(root), test=None).splits) == {"train"}


def test_a_named_folder_behind_a_dangling_link(tmp_path: Path) -> None:
    root = make(tmp_path, "train/a", "train/b", extra="/mnt/x")
    assert "ROOT/extra is a link to /mnt/x" in stop(root, test="extra")
    assert "has no folder extra/deeper" in stop(root, test="extra/deeper")


def test_classes_that_are_not_mounted(tmp_path: Path) -> None:
    root = make(
        tmp_path, "train/a", "train/b", "test/a", **{"train/cow": "/x/cow", "train/St. Bernard": "/x/b", "test/cow": "/x/c"}
    )
    message = stop(root)
    assert "ROOT/train/St. Bernard is a link to /x/b, which is not there" in message and "(2 others likewise)" in message
    assert "'dataset.leave_out=[train/St. Bernard,train/cow,test/cow]' does without them" in message
    gone = ["train/cow", "train/St. Bernard", "test/cow"]
    assert Counter(folder(root=str(root), leave_out=gone).splits) == {"train": 4, "test": 2}


def test_classes_at_the_root_that_are_not_mounted(tmp_path: Path) -> None:
    root = make(tmp_path, "a", "b", cow="nowhere")
    for settings in ({}, {"train": None}):
        assert "'dataset.leave_out=[cow]' does without it" in stop(root, **settings)


def test_links_to_files_that_are_gone_are_no_folders(tmp_path: Path) -> None:
    links = {"README.md": "../x", "labels.csv": "y", "cover.png": "z", "notes": "/x"}
    assert folder(root=str(make(tmp_path, "train/a", "train/b", **links))).notes.ignored == {"dangling links": 4}


def test_closed_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are read stop, with the reason; those that are left out or none of the dataset are counted."""
    scandir = os.scandir

    def some(place: str) -> Any:
        if place.rpartition("/")[2] == "closed":
            raise PermissionError(13, "Permission denied", place)
        return scandir(place)

    root = make(tmp_path, "train/a", "train/b", "train/b/closed", "closed", "train/closed")
    monkeypatch.setattr(os, "scandir", some)
    assert "ROOT/train/closed is not readable (Permission denied): see to permissions" in stop(root)
    assert "'dataset.leave_out=[train/closed,train/b/closed]'" in stop(root, leave_out=["train/closed"])
    dataset = folder(root=str(root), leave_out=["train/closed", "train/b/closed"])
    assert set(dataset.splits) == {"train"} and len(dataset) == 4
    assert dataset.notes.ignored == {"folders or links that cannot be read": 3}


def test_loops_are_called_that(tmp_path: Path) -> None:
    root = make(tmp_path, "a", "b")
    (root / "a" / "up").symlink_to("..")
    os.mkfifo(root / "b" / "pipe")
    assert folder(root=str(root)).notes.ignored == {"link to a folder above": 1, "pipe, socket or device": 1}
