"""Rows read back by others: Python's csv and json, pyarrow. Names of files with any bytes, names of classes with any sign."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wisesr.cli.predict_output import format_of, partial_of, require_output, write_rows
from wisesr.errors import UserError
from wisesr.inference.prediction import parquet as prediction_parquet
from wisesr.inference.prediction.parquet import ParquetRows
from wisesr.inference.prediction.rows import Answer, CsvRows, JsonRows, Layout

CLASSES = ('a "b", c', "new\nline", "carriage\rreturn", "path", "Küche")
PATHS = ('a, "b".jpg', "new\nline\r.jpg", "\udcff\udc80.jpg", "ü.jpg", " spaces ", "=1+1", "\\xff.jpg", "null")
SOME = np.array([0.1, 0.2, 0.4, 0.05, 0.25], np.float32)
ANSWERS = [
    answer
    for index, path in enumerate(PATHS)
    for answer in (Answer(path, np.roll(SOME, index)), Answer(path, None, 'not, "an" image\nof any kind'))
]
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"])) | st.binary(max_size=8).map(os.fsdecode)


def as_csv(layout: Layout, answers: list[Answer]) -> list[dict[str, str]]:
    file = io.BytesIO()
    CsvRows(file, layout).write(answers)
    text = io.TextIOWrapper(io.BytesIO(file.getvalue()), "utf-8", "surrogateescape", newline="")
    return list(csv.DictReader(text, strict=True))


def as_json(layout: Layout, answers: list[Answer]) -> list[dict[str, object]]:
    file = io.BytesIO()
    JsonRows(file, layout).write(answers)
    return [json.loads(line) for line in file.getvalue().decode("utf-8").split("\n") if line]


def as_parquet(layout: Layout, *batches: list[Answer]) -> list[dict[str, object]]:
    file = io.BytesIO()
    rows = ParquetRows(file, layout)
    for answers in batches:
        rows.write(answers)
    rows.close()
    read: list[dict[str, object]] = parquet.read_table(io.BytesIO(file.getvalue())).to_pylist()
    return read


def ranked(probabilities: np.ndarray) -> list[tuple[str, float]]:
    return sorted(zip(CLASSES, probabilities.tolist(), strict=True), key=lambda pair: -pair[1])


@pytest.mark.parametrize("top", [1, 3, 5, 99])
@pytest.mark.parametrize("every", [False, True])
def test_a_row_for_every_answer_in_all_formats(top: int, every: bool) -> None:
    layout, places = Layout(CLASSES, top, every), min(top, len(CLASSES))
    rows = zip(ANSWERS, as_csv(layout, ANSWERS), as_json(layout, ANSWERS), as_parquet(layout, ANSWERS), strict=True)
    for answer, in_csv, in_json, in_parquet in rows:
        real = in_parquet["path_bytes"] if in_parquet["path_bytes"] is not None else os.fsencode(str(in_parquet["path"]))
        assert in_csv["path"] == in_json["path"] == os.fsdecode(real) == answer.path
        assert (in_csv["error"], in_json["error"] or "", in_parquet["error"] or "") == (answer.problem,) * 3
        predictions = in_json["predictions"]
        assert isinstance(predictions, list)
        if answer.probabilities is None:
            assert set(in_csv.values()) == {"", answer.path, answer.problem} and predictions == []
            assert {value for key, value in in_parquet.items() if key not in ("path", "path_bytes", "error")} == {None}
            continue
        assert len(predictions) == places
        for place, (name, probability) in enumerate(ranked(answer.probabilities)[:places], start=1):
            ending = f"_{place}" if place > 1 else ""
            assert in_csv[f"class{ending}"] == in_parquet[f"class{ending}"] == predictions[place - 1]["class"] == name
            told = (in_csv[f"probability{ending}"], in_parquet[f"probability{ending}"], predictions[place - 1]["probability"])
            assert {np.float32(one) for one in told} == {np.float32(probability)}
        assert f"class_{places + 1}" not in in_csv and f"class_{places + 1}" not in in_parquet
        assert ("probabilities" in in_json) == every == ("probability:path" in in_csv) == ("probability:path" in in_parquet)
        for name, probability in zip(CLASSES, answer.probabilities, strict=True):
            if every:
                column = f"probability:{name}"
                probabilities = in_json["probabilities"]
                assert isinstance(probabilities, dict)
                told = (in_csv[column], in_parquet[column], probabilities[name])
                assert {np.float32(one) for one in told} == {probability}


# Python 3.10's reader of CSV takes no NUL: https://docs.python.org/3/whatsnew/3.11.html#csv
READABLE = ANY_TEXT if sys.version_info >= (3, 11) else ANY_TEXT.filter(lambda text: "\0" not in text)


@given(ANY_TEXT.filter(lambda path: "\0" not in path), READABLE, READABLE)
def test_any_text_comes_back(path: str, name: str, problem: str) -> None:
    layout = Layout((name,))
    answers = [Answer(path, np.ones(1, np.float32)), Answer(path, None, problem)]
    good, bad = as_csv(layout, answers)
    assert good == {"path": path, "class": name, "probability": "1.0", "error": ""}
    assert bad == {"path": path, "class": "", "probability": "", "error": problem}
    good_object, bad_object = as_json(layout, answers)
    assert good_object == {"path": path, "predictions": [{"class": name, "probability": 1.0}], "error": None}
    assert bad_object["error"] == (problem or None)


def test_a_line_of_json_is_one_line_to_every_reader() -> None:
    signs = "".join(chr(code) for code in (*range(1, 32), 0x7F, 0x85, 0x2028, 0x2029))
    file = io.BytesIO()
    JsonRows(file, Layout((f"class{signs}", "b"))).write([Answer(f"a{signs}.png", np.array([0.75, 0.25], np.float32))])
    (line,) = file.getvalue().decode().splitlines()
    found = json.loads(line)
    assert found["path"] == f"a{signs}.png" and found["predictions"][0]["class"] == f"class{signs}"


def test_equal_probabilities_go_by_the_order_of_classes() -> None:
    assert Layout(CLASSES, 3).best(np.full(5, 0.2, np.float32)).tolist() == [0, 1, 2]


def test_parquet_is_written_in_groups_and_whatever_the_batches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(prediction_parquet, "_CELLS", 40)  # of 5 columns: 8 rows
    layout, batches = Layout(CLASSES), [ANSWERS[:3], ANSWERS[3:4], [], ANSWERS[4:12], ANSWERS[12:]]
    rows = as_parquet(layout, *batches)
    assert rows == as_parquet(layout, ANSWERS) and len(rows) == len(ANSWERS)
    path = tmp_path / "a.parquet"
    write_rows(batches, path, "parquet", layout)
    assert parquet.read_metadata(path).num_row_groups == 2


def test_no_answers_are_a_file_all_the_same(tmp_path: Path) -> None:
    for kind, content in (("csv", "path,class,probability,error\n"), ("jsonl", "")):
        write_rows([], tmp_path / "a", kind, Layout(CLASSES))
        assert (tmp_path / "a").read_text() == content
    write_rows([], tmp_path / "a", "parquet", Layout(CLASSES))
    assert parquet.read_table(tmp_path / "a").num_rows == 0


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("end", [KeyboardInterrupt(), UserError("out of memory")])
def test_what_ends_it_early_leaves_whole_rows_beside_the_older_file(tmp_path: Path, kind: str, end: BaseException) -> None:
    def batches() -> object:
        yield ANSWERS[:2]
        yield ANSWERS[2:4]
        assert path.read_text() == "older"
        raise end

    path = tmp_path / "a.csv"
    path.write_text("older")
    with pytest.raises(type(end)):
        write_rows(batches(), path, kind, Layout(CLASSES))  # type: ignore[arg-type]
    assert path.read_text() == "older"
    whole = tmp_path / "whole"
    write_rows([ANSWERS[:2], ANSWERS[2:4]], whole, kind, Layout(CLASSES))
    assert partial_of(path).read_bytes() == whole.read_bytes()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.csv", "a.csv.partial", "whole"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to("real.csv")
    write_rows([], tmp_path / "link.csv", "csv", Layout(CLASSES))
    assert (tmp_path / "link.csv").is_symlink() and (tmp_path / "real.csv").read_text().startswith("path,")


def test_the_format_is_what_is_said_or_what_the_ending_says() -> None:
    assert format_of(None, None) == format_of(None, Path("a.CSV")) == "csv"
    assert format_of(None, Path("a.ndjson")) == format_of("jsonl", Path("a.csv")) == format_of("jsonl", None) == "jsonl"
    assert format_of(None, Path("a.parquet")) == "parquet"
    with pytest.raises(UserError, match=r"--output a\.xlsx: no format is called '\.xlsx'.*\.csv.*--format"):
        format_of(None, Path("a.xlsx"))
    with pytest.raises(UserError, match="--format=parquet needs --output"):
        format_of("parquet", None)


def test_places_that_take_no_file(tmp_path: Path) -> None:
    for place, what in ((tmp_path, "a folder"), (Path(os.devnull), "a device")):
        with pytest.raises(UserError, match=f"--output must be a file, and .* is {what}"):
            require_output(place)
    require_output(tmp_path / "new" / "a.csv")
    assert (tmp_path / "new").is_dir()


def test_standard_output_by_another_name_is_not_replaced(tmp_path: Path) -> None:
    """`--output /dev/stdout >> rows.csv` would put the new rows in the place of those that were in rows.csv."""
    rows = tmp_path / "rows.csv"
    rows.write_text("older\n")
    with rows.open("a") as file:
        for name in (f"/dev/fd/{file.fileno()}", f"/proc/self/fd/{file.fileno()}"):
            with pytest.raises(UserError, match="is a stream; leave it out for standard output"):
                require_output(Path(name))
    (tmp_path / "link.csv").symlink_to(rows)
    require_output(tmp_path / "link.csv")
    assert rows.read_text() == "older\n"


def test_no_rows_are_written_into_a_cell(tmp_path: Path) -> None:
    cell = tmp_path / "study" / "seed-0-0123abcd"
    cell.mkdir(parents=True)
    (cell / "config.yaml").write_text("seed: 0\n")
    (tmp_path / "link").symlink_to(cell)
    for place in (cell / "rows.csv", cell / "best.ckpt", cell / "deeper" / "rows.csv", tmp_path / "link" / "rows.csv"):
        with pytest.raises(UserError, match="lies in the cell"):
            require_output(place)
    require_output(cell.parent / "rows.csv")
    assert [path.name for path in cell.iterdir()] == ["config.yaml"]
