"""`wisesr predict` as a user runs it, on a cell that was trained."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import wisesr
from tests.support.images import noise
from wisesr.cli import main, predict_progress
from wisesr.cli.predict_progress import with_bar
from wisesr.inference.prediction import parquet as prediction_parquet

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def cell(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    return "toy-wise_dropout"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for index in range(11):
        noise(index, (30 + index, 50)).save(folder / f"{index}.png")
    turned = Image.Exif()
    turned[274] = 6
    noise(99, (60, 30)).save(folder / "turned.jpg", exif=turned)
    Image.fromarray(np.arange(4000, dtype=np.uint16).reshape(50, 80) * 16).save(folder / "deep.png")
    return folder


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("batch_size", [1, 4, 32])
def test_answers_are_those_of_the_run(cell: str, photos: Path, capsys: Captured, batch_size: int) -> None:
    assert main(["predict", cell, "photos", "--probabilities", "--top", "2", f"--batch-size={batch_size}"]) == 0
    out, err = capsys.readouterr()
    rows, run = rows_of(out), wisesr.load(cell)
    assert err == ""
    names = [*(f"{index}.png" for index in range(11)), "deep.png", "turned.jpg"]
    assert [row["path"] for row in rows] == [f"photos/{name}" for name in names]
    for row, name in zip(rows, names, strict=True):
        (alone,) = run.predict(photos / name)
        given = [float(row[f"probability:{name}"]) for name in run.class_names]
        np.testing.assert_allclose(given, alone.probabilities, atol=1e-5)
        order = np.argsort(-alone.probabilities)
        assert (row["class"], row["class_2"]) == (run.class_names[order[0]], run.class_names[order[1]])
        assert (row["probability"], row["error"]) == (row[f"probability:{row['class']}"], "")


def test_bad_files_are_rows_and_lines_and_the_exit_code(cell: str, photos: Path, capsys: Captured) -> None:
    (photos / "bad.jpg").write_text("text")
    (photos / "notes.txt").touch()
    assert main(["predict", cell, "photos/bad.jpg", "nowhere/*.jpg", "photos", "gone.jpg", "--output", "a/rows.jsonl"]) == 1
    out, err = capsys.readouterr()
    rows = [json.loads(line) for line in Path("a/rows.jsonl").read_text().splitlines()]
    assert out == "" and len(rows) == 2 + 14 + 1
    assert [row["path"] for row in rows if row["error"]] == ["photos/bad.jpg", "nowhere/*.jpg", "photos/bad.jpg", "gone.jpg"]
    assert all(bool(row["predictions"]) == (row["error"] is None) for row in rows)
    for line in (
        "photos/bad.jpg: not an image that can be read",
        "nowhere/*.jpg: nothing matches this pattern",
        "gone.jpg: No such file or directory",
        "4 of 17 paths could not be predicted",
        "Skipped 1 file in folders, no images by their endings: .txt 1",
        "13 predictions in a/rows.jsonl",
    ):
        assert line in err
    assert "Traceback" not in err


class _Stdin:
    def __init__(self, text: bytes) -> None:
        self.buffer = io.BytesIO(text)


@pytest.mark.parametrize(("text", "options"), [(b"photos/2.png\nphotos/1.png\n", []), (b"photos/2.png\0photos/1.png", ["-0"])])
def test_a_list_on_standard_input(
    cell: str, photos: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, text: bytes, options: list[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", _Stdin(text))
    assert main(["predict", cell, "photos/3.png", "-", *options]) == 0
    assert [row["path"] for row in rows_of(capsys.readouterr().out)] == ["photos/3.png", "photos/2.png", "photos/1.png"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-", "-"], "can be read once"),
        (["photos", "-0"], "-0 says how"),
        (["photos", "--format", "parquet"], "--format=parquet needs --output"),
        (["photos", "--output", "a.txt"], "no format is called '.txt'"),
        (["photos", "--output", "photos", "--format", "csv"], "is a folder"),
    ],
)
def test_options_that_do_not_go_together(cell: str, photos: Path, capsys: Captured, arguments: list[str], message: str) -> None:
    assert main(["predict", cell, *arguments]) == 1
    out, err = capsys.readouterr()
    assert message in err and err.count("\n") == 1 and out == ""


@pytest.mark.parametrize("option", ["--top=0", "--batch-size=-1", "--workers=two", "--format=xml"])
def test_numbers_that_are_none(cell: str, option: str, capsys: Captured) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["predict", cell, "photos", option])
    assert option.partition("=")[0] in capsys.readouterr().err


def test_a_name_that_is_no_runs(cell: str, photos: Path, capsys: Captured) -> None:
    assert main(["predict", "nobody", "photos"]) == 1
    assert "nobody" in capsys.readouterr().err


def test_without_pyarrow(cell: str, photos: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(prediction_parquet, "import_module", absent)
    assert main(["predict", cell, "photos", "--output", "a.parquet"]) == 1
    assert "pip install 'wisesr[parquet]'" in capsys.readouterr().err
    assert not Path("a.parquet").exists()


def test_ctrl_c_leaves_the_rows_so_far(cell: str, photos: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(batches: Iterator[Any], *others: Any) -> Iterator[Any]:
        yield from (next(batches), next(batches))
        raise KeyboardInterrupt

    monkeypatch.setattr(predict_progress, "with_bar", interrupted)
    assert main(["predict", cell, "photos", "--batch-size=2", "--output=a.csv"]) == 130
    assert "The first 4 rows are in " in capsys.readouterr().err
    assert [row["path"] for row in rows_of(Path("a.csv.partial").read_text())] == [f"photos/{index}.png" for index in range(4)]
    assert not Path("a.csv").exists()


def test_the_bar_counts_and_says_how_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100, color_system=None)
    monkeypatch.setattr("wisesr.grid.console._PATIENCE", 0.0)

    def slow() -> Iterator[list[int]]:
        for _ in range(4):
            time.sleep(0.15)
            yield [0] * 10

    assert len(list(with_bar(slow(), console, lambda: 40))) == 4
    assert re.search(r"predicting .*40/40 +\d+ images/s", screen.getvalue())


def test_no_bar_where_it_is_no_terminal() -> None:
    from rich.console import Console

    screen = io.StringIO()
    list(with_bar([[1]] * 3, Console(file=screen, force_terminal=False), None))
    assert screen.getvalue() == ""


def test_paths_may_follow_an_option(cell: str, photos: Path, capsys: Captured) -> None:
    assert main(["predict", cell, "photos/0.png", "--top", "2", "photos/1.png"]) == 0
    assert [row["path"] for row in rows_of(capsys.readouterr().out)] == ["photos/0.png", "photos/1.png"]
