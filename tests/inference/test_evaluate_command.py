"""`wisesr evaluate` as a user runs it."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.inference.evaluate_support import head, trained
from tests.support.images import paint
from wisesr.cli import main
from wisesr.results.find import find_cell
from wisesr.results.predictions import read_predictions
from wisesr.results.record_file import load_record
from wisesr.results.store import find_cells

FLATTEN = {"head": head("flatten"), "recipe.epochs": 1}


@pytest.fixture(scope="module")
def outputs(_composed_once: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("outputs")
    for changes in ({}, {"seed": 1}, FLATTEN):
        trained(_composed_once, folder, changes)
    return folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def evaluated(outputs: Path, *arguments: str) -> int:
    return main(["evaluate", *arguments, "--runs", str(outputs), "--device", "cpu"])


def test_a_run_on_its_own_test_split(outputs: Path, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cell = find_cell("tests:toy-wise_dropout-0", outputs)
    before = sorted(path.name for path in cell.iterdir())
    assert evaluated(outputs, "tests:toy-wise_dropout-0", "--output", "out") == 0
    text = capsys.readouterr().out
    assert "18 images of 3 classes, test split of corners" in text
    assert "Equal to result.json, to the bit." in text
    record, whole = load_record(cell), json.loads((place / "out" / "evaluation.json").read_text())
    assert record is not None
    assert whole["figures"]["loss"] == record.best.test_loss and whole["result.json"]["equal"] is True
    assert whole["data"]["fingerprint"] == record.provenance.data.fingerprint and whole["threads"] == 1
    own, written = read_predictions(cell), read_predictions(place / "out")
    assert own is not None and written is not None
    assert all(np.array_equal(a, b) for a, b in zip(own, written, strict=True))
    assert sorted(path.name for path in cell.iterdir()) == before, "nothing is written into a cell"
    rows = list(csv.reader((place / "out" / "confusion.csv").read_text().splitlines()))
    assert sum(int(count) for row in rows[1:] for count in row[1:]) == 18 and rows[0][1:] == ["class0", "class1", "class2"]
    classes = list(csv.DictReader((place / "out" / "per_class.csv").read_text().splitlines()))
    assert [row["images"] for row in classes] == ["6"] * 3
    assert {path.name for path in (place / "out").iterdir()} - {".lock"} == {
        *("evaluation.json", "predictions.npz", "per_class.csv", "confusion.csv", "reliability.svg", "reliability.png"),
    }


def test_the_same_again_replaces_it_and_nothing_else_is(outputs: Path, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "tests:toy-wise_dropout-0"
    (place / "out" / ".evaluation-killed").mkdir(parents=True)
    assert evaluated(outputs, name, "--output", "out") == 0
    first = (place / "out" / "per_class.csv").read_bytes()
    (place / "out" / "per_class.csv").write_text("damaged")
    assert evaluated(outputs, name, "--output", "out") == 0
    assert (place / "out" / "per_class.csv").read_bytes() == first
    assert not list((place / "out").glob(".evaluation-*"))
    capsys.readouterr()
    assert evaluated(outputs, name, "--output", "out", "--split", "val") == 1
    assert "out holds another evaluation (split test): name another folder" in capsys.readouterr().err
    (place / "mine").mkdir()
    (place / "mine" / "notes.txt").write_text("mine")
    assert evaluated(outputs, name, "--output", "mine") == 1
    assert "mine holds notes.txt, and is no evaluation" in capsys.readouterr().err
    cell = find_cell(name, outputs)
    assert evaluated(outputs, name, "--output", str(cell / "here")) == 1
    assert "lies in the cell" in capsys.readouterr().err and not (cell / "here").exists()


def test_the_default_folder_names_what_was_evaluated(outputs: Path, place: Path) -> None:
    copy = place / "outputs"
    shutil.copytree(outputs, copy)
    for more in ([], ["--split", "val"], ["--resolution", "96"]):
        assert evaluated(copy, "tests:toy-wise_dropout-0", *more) == 0
    names = sorted(path.name for path in (copy / "evaluations").iterdir())
    assert [re.sub("[0-9a-f]{8}", "#", name) for name in names] == [
        f"tests-toy-wise_dropout-seed-0-#-{what}" for what in ("test", "test-96px", "val")
    ]


def test_another_folder_with_files_that_are_none(outputs: Path, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for index in range(3):
        paint(place / "photos" / "class1" / f"{index}.png", 1, index)
    (place / "photos" / "class1" / "text.jpg").write_text("none")
    assert evaluated(outputs, "tests:toy-wise_dropout-0", "--data", "photos", "--output", "out") == 1
    text = capsys.readouterr().out
    assert "3 images of 1 class, photos" in text
    assert "Images of 1 of the run's 3 classes, none of class0, class2." in text
    assert "not read: class1/text.jpg: not an image that can be read" in text
    assert (place / "out" / "evaluation.json").exists()
    (place / "labels.csv").write_text("filename,kind\nclass1/0.png,class2\n")
    layout = ["dataset.csv=../labels.csv", "dataset.columns={class: kind}"]
    assert evaluated(outputs, "tests:toy-wise_dropout-0", "--data", "photos", *layout, "--output", "listed") == 0
    written = read_predictions(place / "listed")
    assert written is not None and written.labels.tolist() == [2]


def test_an_evaluation_that_came_to_nothing_leaves_nothing(
    outputs: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "photos" / "class1").mkdir(parents=True)
    (place / "photos" / "class1" / "text.jpg").write_text("none")
    assert evaluated(outputs, "tests:toy-wise_dropout-0", "--data", "photos", "--output", "new/out") == 1
    assert "of 1 image none can be read" in capsys.readouterr().err
    assert [path.name for path in place.iterdir()] == ["photos"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tests:toy-wise_dropout-0", "--split", "all"], "--split=all is for --data"),
        (["tests:toy-wise_dropout-0", "--data", "nowhere"], "--data must be a folder, and there is nothing: nowhere"),
        (["tests:toy-wise_dropout-0", "--data", ".", "--root", "."], "give one of them"),
        (["tests:toy-wise_dropout-0", "dataset.csv=a.csv"], "there is no --data"),
        (["tests:toy-wise_dropout-0", "--data", ".", "dataset.val_fraction=0.2"], "no setting of how a folder is laid out"),
        (["tests:toy-wise_dropout-0", "--resolution", "4"], "--resolution must be at least 8 pixels, not 4"),
        (["tests:toy-wise_dropout-0", "--workers", "-1"], "--workers must be at least 0, not -1"),
        (["tests:toy-flatten-0", "--resolution", "96"], "head flatten at 96 px"),
        (["somewhere/else"], "somewhere/else is no run, and holds none"),
        (["resnet"], "part of no cell's path"),
    ],
)
def test_what_cannot_be_is_told(
    outputs: Path, place: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    (place / "somewhere" / "else").mkdir(parents=True)
    assert evaluated(outputs, *arguments) == 1
    assert message in capsys.readouterr().err
    assert not (outputs / "evaluations").exists()


def test_a_truncated_checkpoint_is_told(outputs: Path, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = place / "outputs"
    shutil.copytree(outputs, copy)
    best = find_cell("tests:toy-wise_dropout-0", copy) / "best.ckpt"
    best.write_bytes(best.read_bytes()[:1000])
    assert evaluated(copy, "tests:toy-wise_dropout-0") == 1
    assert "is damaged: best.ckpt is cut short" in capsys.readouterr().err


def test_a_lost_configuration_is_told(outputs: Path, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = place / "outputs"
    shutil.copytree(outputs, copy)
    cells = find_cells(copy)
    for cell in cells:
        (cell / "config.yaml").unlink()
    assert evaluated(copy, str(cells[0])) == 1
    assert "is damaged: config.yaml is missing. Way out: the command that made it" in capsys.readouterr().err
    assert evaluated(copy, "tests") == 1
    assert f"damaged: {len(cells)} cells: config.yaml is missing. Way out: the command" in (out := capsys.readouterr().out)
    assert out.count("Way out") == 1 and "failed: " not in out


def test_a_study_is_one_table_and_failures_stop_nothing(
    outputs: Path, place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    copy = place / "outputs"
    shutil.copytree(outputs, copy)
    flatten = find_cell("tests:toy-flatten-0", copy)
    (flatten / "best.ckpt").write_bytes(b"")
    waiting = flatten.parent.parent / "toy-gap" / "seed-0-00000000"
    waiting.mkdir(parents=True)
    shutil.copy(flatten / "config.yaml", waiting)
    assert evaluated(copy, "tests") == 1
    text = capsys.readouterr().out
    assert re.search(r"wise_dropout +2 seeds +18 +\d\.\d{4} ± \d\.\d{4} .*equal", text), text
    assert text.count("equal to result.json") == 2 and "best.ckpt" in text and "(waiting)" in text
    assert text.count("Way out: ") == 1, "what is damaged is told in full once"
    folder = copy / "evaluations" / "tests-test"
    rows = list(csv.DictReader((folder / "evaluations.csv").read_text().splitlines()))
    assert [(row["head"], row["seed"], row["equal_to_record"]) for row in rows] == [
        ("wise_dropout", "0", "true"),
        ("wise_dropout", "1", "true"),
    ]
    for row in rows:
        assert (folder / row["folder"] / "evaluation.json").exists()
        record = load_record(find_cell(f"tests:toy-wise_dropout-{row['seed']}", copy))
        assert record is not None and float(row["loss"]) == record.best.test_loss
    whole = json.loads((folder / "evaluations.json").read_text())
    assert len(whole["cells"]) == 2 and len(whole["failed"]) == 1 and list(whole["unfinished"].values()) == ["waiting"]
    best = find_cell("tests:toy-flatten-0", outputs) / "best.ckpt"
    shutil.copy(best, flatten / "best.ckpt")
    assert evaluated(copy, str(copy / "tests"), "--resolution", "96") == 1
    assert "head flatten at 96 px" in capsys.readouterr().out
    assert (copy / "evaluations" / "tests-test-96px" / "evaluations.csv").exists()


def test_help_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(["evaluate", "--help"])
    assert done.value.code == 0
    text = capsys.readouterr().out
    assert "exit code" in text and "wisesr evaluate mystudy --resolution 448" in text


def test_a_study_is_not_written_into_a_cell(outputs: Path, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither by its path nor through a link, and no empty folder is left there."""
    cell = find_cell("tests:toy-wise_dropout-0", outputs)
    before = sorted(path.name for path in cell.iterdir())
    (place / "link").symlink_to(cell)
    for folder in (cell, cell / "again" / "deeper", place / "link" / "again"):
        assert evaluated(outputs, "tests", "--output", str(folder)) == 1
        assert "lies in the cell" in capsys.readouterr().err
        assert evaluated(outputs, "tests:toy-wise_dropout-0", "--output", str(folder)) == 1
        assert "lies in the cell" in capsys.readouterr().err
    assert sorted(path.name for path in cell.iterdir()) == before
