"""Lists beside the list that is used: one of test images is not dropped, and one without classes is no such list."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.images import paint
from wisesr.data.folder import folder
from wisesr.errors import UserError


def make(root: Path, **lists: str) -> Path:
    for index in range(8):
        paint(root / "pics" / f"{index}.png", index % 2, index, 16)
    for name, text in lists.items():
        (root / f"{name}.csv").write_text(text)
    return root


def rows(numbers: range, top: str = "filename,class", mark: str = ",", tail: str = "") -> str:
    return "\n".join([top, *(f"pics/{index}.png{mark}{'xy'[index % 2]}{tail}" for index in numbers)]) + "\n"


def stop(root: Path, **settings: Any) -> str:
    with pytest.raises(UserError) as error:
        folder(root=str(root), **settings)
    return str(error.value)


@pytest.mark.parametrize(
    ("own", "other"), [("train", "test"), ("labels", "Validation"), ("bees_train", "bees_test"), ("trainset", "test_set")]
)
def test_a_list_of_test_images_is_joined_or_left_out(tmp_path: Path, own: str, other: str) -> None:
    root = make(tmp_path, **{own: rows(range(5)), other: rows(range(5, 8), "filename;no;class", ";1;")})
    message = stop(root, csv=f"{own}.csv")
    assert str(root / f"{other}.csv") in message and f"'dataset.leave_out=[{other}.csv]'" in message
    command = re.search(r": (python -c .*) joins them, then dataset.csv=(\S+);", message)
    assert command
    subprocess.run([sys.executable, *shlex.split(command[1])[1:]], check=True)
    assert Counter(folder(root=str(root), csv=command[2]).splits) == {"train": 5, "test": 3}
    assert set(folder(root=str(root), csv=f"{own}.csv", leave_out=[f"./{other}.csv"]).splits) == {"train"}


def test_two_lists_and_another_mark(tmp_path: Path) -> None:
    root = make(tmp_path, train=rows(range(4)), val=rows(range(4, 6)))
    (root / "test.tsv").write_text("class\tfilename\ny\tpics/7.png\n")
    message = stop(root, csv="train.csv")
    command = shlex.split(message[message.index("python -c") : message.index(" joins them")])
    subprocess.run([sys.executable, *command[1:]], check=True)
    assert Counter(folder(root=str(root), csv="train-all.csv").splits) == {"train": 4, "val": 2, "test": 1}
    assert "val.csv]" in stop(root, csv="train.csv", leave_out=["test.tsv"])
    assert folder(root=str(root), csv="train.csv", leave_out=["test.tsv", "val.csv"]).splits.count("train") == 4


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("test", "filename\npics/7.png\n"),
        ("sample_submission", rows(range(6, 8))),
        ("test", "filename,class\npics/7.png,\n"),
        ("attributes", rows(range(2))),
        ("testimony", rows(range(2))),
        ("train_extra", rows(range(2))),
    ],
)
def test_other_lists_are_none_of_it(tmp_path: Path, name: str, text: str) -> None:
    assert len(folder(root=str(make(tmp_path, train=rows(range(6)), **{name: text})), csv="train.csv")) == 6


def test_a_list_with_splits_of_its_own(tmp_path: Path) -> None:
    table = rows(range(4), "filename,class,split", tail=",train")
    root = make(tmp_path, all=table + rows(range(4, 6), "filename,class,split", tail=",test"), test=rows(range(2)))
    assert Counter(folder(root=str(root), csv="all.csv").splits) == {"train": 4, "test": 2}
    (root / "all.csv").write_text(table + rows(range(4, 6), "filename,class,split", tail=",val"))
    message = stop(root, csv="all.csv")
    assert "write them into one list" in message and message.endswith("the val split is the test split then")
    assert Counter(folder(root=str(root), csv="all.csv", leave_out=["test.csv"]).splits) == {"train": 4, "test": 2}


@pytest.mark.parametrize(
    ("leave_out", "said"),
    [(["pics"], "is about folders"), (["no.csv"], "is about folders"), ([""], "is about folders"), (["t.csv"], "both name")],
)
def test_what_cannot_be_left_out_of_lists(tmp_path: Path, leave_out: list[str], said: str) -> None:
    assert said in stop(make(tmp_path, t=rows(range(6))), csv="t.csv", leave_out=leave_out)
