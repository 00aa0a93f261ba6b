"""Finding and reading: everything on disk is reported or named, whatever it holds, and nothing raises but a wrong command."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.studies import cell_config, write_cell, write_failed, write_waiting
from wisesr.errors import UserError
from wisesr.report.read import read_study
from wisesr.report.tables.cells_csv import cells_csv
from wisesr.report.tables.latex import latex
from wisesr.report.tables.markdown import markdown
from wisesr.report.whole_study import Study
from wisesr.results.state import State


def _write_all(study: Study) -> None:
    """Every text that is made of a study."""
    markdown(study)
    cells_csv(study)
    for table in study.tables:
        latex(table)


def test_a_plain_grid(tmp_path: Path) -> None:
    for head, top1 in (("gap", 0.8), ("wise", 0.84)):
        for seed in range(3):
            write_cell(cell_config(tmp_path, head=head, seed=seed), top1=top1 + 0.02 * seed)
    study = read_study([tmp_path])
    assert study.damaged == ()
    assert [(cell.state, cell.place.head, cell.place.seed) for cell in study.cells] == [
        ("done", head, seed) for head in ("gap", "wise") for seed in range(3)
    ]
    (table,) = study.tables
    assert (table.key, table.title, table.baseline) == ("toy-64", "toy, 64 px", "gap")
    assert table.selections == (study.cells[0].finished_record.selection,)
    assert [(entry.head, entry.seeds, entry.best) for entry in table.entries] == [
        ("gap", (0, 1, 2), False),
        ("wise", (0, 1, 2), True),
    ]
    assert [entry.mean for entry in table.entries] == pytest.approx([82.0, 86.0])
    assert table.entries[0].std == pytest.approx(2.0)
    (learning,) = table.notes
    assert "gap 3 of 3" in learning and "wise 3 of 3" in learning
    assert table.warnings == table.left_out == ()


def test_what_is_not_finished_is_named(tmp_path: Path) -> None:
    write_cell(cell_config(tmp_path))
    write_failed(cell_config(tmp_path, head="wise"), "the loss is no number any more")
    write_waiting(cell_config(tmp_path, head="wise", seed=1))
    study = read_study([tmp_path])
    assert {(cell.place.head, cell.place.seed): (cell.state, cell.reason) for cell in study.cells} == {
        ("gap", 0): ("done", ""),
        ("wise", 0): ("failed", "the loss is no number any more"),
        ("wise", 1): ("waiting", ""),
    }
    (table,) = study.tables
    left_out = {(left.state, left.place.head): left.reason for left in table.left_out if left.place}
    assert set(left_out) == {("failed", "wise"), ("waiting", "wise"), ("missing", "gap")}
    assert left_out[State.FAILED, "wise"] == "the loss is no number any more"
    assert any("1 failed" in sentence and "wise" in sentence for sentence in table.warnings)
    _write_all(study)


def test_nothing_to_report(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"no cells below {tmp_path}"):
        read_study([tmp_path])
    with pytest.raises(UserError, match="absent"):
        read_study([tmp_path / "absent"])
    write_cell(cell_config(tmp_path))
    with pytest.raises(UserError, match=r"--baseline.*'gpa'.*\bgap\b"):
        read_study([tmp_path], baseline="gpa")


def test_roots_that_overlap_hold_each_cell_once(tmp_path: Path) -> None:
    directories = [write_cell(cell_config(tmp_path, seed=seed)) for seed in (0, 1)]
    study = read_study([tmp_path, tmp_path / "study", directories[0], tmp_path / "study" / ".." / "study"])
    assert len(study.cells) == 2 and study.damaged == ()
    assert len({cell.name for cell in study.cells}) == 2


def test_a_root_may_be_a_cell(tmp_path: Path) -> None:
    directory = write_cell(cell_config(tmp_path))
    (cell,) = read_study([directory]).cells
    assert cell.name == directory.name


def test_one_computation_is_reported_once(tmp_path: Path) -> None:
    """Of two directories the finished cell is taken, then the newest."""
    one, other = tmp_path / "one", tmp_path / "other"
    old = write_cell(cell_config(one), top1=0.5, provenance={"finished": "2026-01-01T00:00:00Z"})
    new = write_cell(cell_config(other), top1=0.6, provenance={"finished": "2026-01-02T00:00:00Z"})
    waiting = write_waiting(cell_config(one, seed=1))
    done = write_cell(cell_config(other, seed=1), top1=0.7)
    study = read_study([one, other])
    assert [cell.directory for cell in study.cells] == [new, done]
    assert [left.state for left in study.damaged] == ["done", "waiting"]
    for left, kept in zip(study.damaged, (new, done), strict=True):
        assert left.reason.endswith(f" other/{kept.relative_to(other)}")
    assert [left.name for left in study.damaged] == [f"one/{path.relative_to(one)}" for path in (old, waiting)]


def test_one_name_for_two_sets_of_images_drops_neither(tmp_path: Path) -> None:
    """dataset.root is no part of a computation: /a/pets and /b/pets have one fingerprint."""
    for index, top1 in ((0, 0.5), (1, 0.9)):
        data = {"fingerprint": f"{index}" * 64, "images": {"train": 300, "test": 50}, "left_out": []}
        write_cell(cell_config(tmp_path / f"{index}"), top1=top1, provenance={"data": data})
    study = read_study([tmp_path / "0", tmp_path / "1"])
    assert len(study.cells) == 2 and study.damaged == ()
    (table,) = study.tables
    (left,) = table.left_out
    assert "other images" in left.reason and "1 cell " in left.reason


def test_studies_of_one_directory_have_tables_of_their_own(tmp_path: Path) -> None:
    for study in ("first", "second"):
        write_cell(cell_config(tmp_path, study=study))
    study = read_study([tmp_path])
    assert [(table.key, table.title) for table in study.tables] == [
        ("first-toy-64", "first: toy, 64 px"),
        ("second-toy-64", "second: toy, 64 px"),
    ]
    write_cell(cell_config(tmp_path, study="second", seed=1))
    together = read_study([tmp_path / "first", tmp_path / "second"])
    (table,) = together.tables
    assert (table.key, len(together.cells), len(together.damaged)) == ("toy-64", 2, 1)


def _record(directory: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((directory / "result.json").read_text())
    return record


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"schema": 0}', "schema 0; this one reads 1"),
        ('{"schema": 9, "status": "done"}', "schema 9; this one reads 1"),
        ('{"schema": 1, "status": "half"}', "result.json is no record of a finished cell"),
        ('{"schema"', "result.json is no JSON"),
        ("", "result.json is no JSON"),
        ("[]", "result.json is no record: it states no schema"),
        ('{"schema": 1, "status": "done"}', "result.json: no fingerprint"),
        ("[" * 100_000, "result.json is no JSON"),
    ],
)
def test_records_that_cannot_be_read_are_named(tmp_path: Path, content: str, said: str) -> None:
    write_cell(cell_config(tmp_path))
    directory = write_cell(cell_config(tmp_path, seed=1))
    (directory / "result.json").write_text(content)
    study = read_study([tmp_path])
    assert len(study.cells) == 1
    (left,) = study.damaged
    assert left.state == ("newer version" if "schema 9" in said else "damaged")
    assert said in left.reason and left.name == str(directory.relative_to(tmp_path))


@pytest.mark.parametrize("content", ["", "[", "- 1", "a: b", "\x00", "backbone: 3\nhead: 4"])
def test_configurations_that_cannot_be_read_are_named(tmp_path: Path, content: str) -> None:
    write_cell(cell_config(tmp_path))
    directory = write_cell(cell_config(tmp_path, seed=1))
    (directory / "config.yaml").write_text(content)
    study = read_study([tmp_path])
    assert len(study.cells) == 1
    assert [left.state for left in study.damaged] == ["damaged"] and "config" in study.damaged[0].reason


def test_an_edited_configuration_is_told(tmp_path: Path) -> None:
    directory = write_cell(cell_config(tmp_path))
    config = (directory / "config.yaml").read_text()
    (directory / "config.yaml").write_text(config.replace("epochs: 3", "epochs: 5"))
    (left,) = read_study([tmp_path]).damaged
    assert "config.yaml was edited" in left.reason


def test_numbers_that_are_no_float_are_damage(tmp_path: Path) -> None:
    directory = write_cell(cell_config(tmp_path))
    huge = f"1{'0' * 400}"
    text = (directory / "result.json").read_text()
    (directory / "result.json").write_text(re.sub(r'"train_seconds": [\d.]+', f'"train_seconds": {huge}', text))
    waiting = write_waiting(cell_config(tmp_path, seed=1))
    (waiting / "config.yaml").write_text((waiting / "config.yaml").read_text().replace("lr: 0.001", f"lr: {huge}"))
    first, second = sorted(left.reason for left in read_study([tmp_path]).damaged)
    assert "config.yaml" in first and "recipe.optimizer.lr" in first
    assert "result.json" in second and "cost.train_seconds is 1000" in second


def _damaged(record: Any) -> Iterator[Any]:
    """The record with each key absent, and with each value replaced by ones of other kinds."""
    for key in list(record):
        yield {name: value for name, value in record.items() if name != key}
        for other in (None, "x", [], {}, -1, True, float("nan"), 10**400):
            if other != record[key] or isinstance(other, bool):
                yield record | {key: other}
        if isinstance(record[key], dict):
            for inside in _damaged(record[key]):
                yield record | {key: inside}


def _fuzz(tmp_path: Path, step: int) -> int:
    """Reports made of a study with a damaged record; the whole of the other cells stands in each."""
    write_cell(cell_config(tmp_path))
    write_cell(cell_config(tmp_path, head="wise"))
    directory = write_cell(cell_config(tmp_path, head="wise", seed=1))
    record = _record(directory)
    whole = sorted({json.dumps(one) for one in _damaged(record)})[::step]
    for text in whole:
        (directory / "result.json").write_text(text)
        study = read_study([tmp_path])
        assert len(study.cells) + len(study.damaged) == 3, text
        assert [entry.head for table in study.tables for entry in table.entries if 0 in entry.seeds] == ["gap", "wise"], text
        _write_all(study)
    return len(whole)


def test_no_damage_ends_a_report(tmp_path: Path) -> None:
    assert _fuzz(tmp_path, step=17) > 30


@pytest.mark.slow
def test_no_damage_of_any_key_ends_a_report(tmp_path: Path) -> None:
    assert _fuzz(tmp_path, step=1) > 600


def test_files_that_are_folders_or_gone_end_no_report(tmp_path: Path) -> None:
    write_cell(cell_config(tmp_path))
    for seed, name in ((1, "result.json"), (2, "config.yaml"), (3, "predictions.npz"), (4, "status.json"), (5, "metrics.csv")):
        directory = write_cell(cell_config(tmp_path, seed=seed))
        (directory / name).unlink()
        (directory / name).mkdir()
    study = read_study([tmp_path])
    assert {left.name.split("/")[-1][:6] for left in study.damaged} <= {"seed-1", "seed-2", "seed-4"}
    assert {cell.place.seed for cell in study.cells} >= {0, 3, 5}
    _write_all(study)


def test_a_redo_is_no_cell_of_its_own(tmp_path: Path) -> None:
    directory = write_cell(cell_config(tmp_path))
    (directory / "redo").mkdir()
    (directory / "redo" / "config.yaml").write_text((directory / "config.yaml").read_text())
    assert len(read_study([tmp_path]).cells) == 1
