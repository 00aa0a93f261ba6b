"""A finished cell done anew: its record stands until the new one is complete, whatever happens in between."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.cells import assert_same, make
from wisesr.cell.run import DONE, FAILED, RunOptions, run
from wisesr.config.files import to_yaml
from wisesr.grid.cell_dirs import check_cells
from wisesr.grid.console import make_console
from wisesr.grid.inspection import CellInspector
from wisesr.results.lock import locked
from wisesr.results.metrics import read_metrics
from wisesr.results.record_file import read_record
from wisesr.results.redo import complete_redo
from wisesr.results.state import State
from wisesr.results.status_file import read_status

FORCE = RunOptions(force=True)


def test_done_anew_from_scratch(done: Path, config: dict[str, Any], tmp_path: Path) -> None:
    before = (done / "result.json").read_bytes()
    same_again = make(config, tmp_path / "other")
    assert run(same_again) == DONE
    (done / "leftover.partial.txt").write_text("a user's own file")
    assert run(done, FORCE) == DONE
    assert (done / "result.json").read_bytes() != before, "another one"
    assert_same(done, same_again)
    assert not (done / "redo").exists()
    assert read_status(done)["state"] is State.DONE
    assert (done / "leftover.partial.txt").exists()
    record = read_record(done)
    assert record and record.provenance.attempts == 1


def test_the_old_record_stands_while_the_new_one_fails(done: Path, config: dict[str, Any]) -> None:
    before = {path.name: path.read_bytes() for path in done.iterdir() if path.is_file() and path.name != ".lock"}
    (done / "redo").mkdir()
    config["dataset"]["root"] = "/nowhere"  # the images have moved: no other computation, but one that fails
    (done / "redo" / "config.yaml").write_text(to_yaml(config | {"dataset": config["dataset"] | {"root": str(done)}}))
    assert run(done, FORCE) == FAILED
    assert {path.name: path.read_bytes() for path in done.iterdir() if path.is_file() and path.name != ".lock"} == before
    assert read_status(done / "redo")["state"] is State.FAILED
    assert run(done) == DONE, "without force it is skipped"


def test_killed_between_old_and_new(done: Path) -> None:
    """At any file: the next process finds the whole new cell."""
    assert run(done, FORCE) == DONE
    new = {path.name: path.read_bytes() for path in done.iterdir() if path.is_file() and path.name != ".lock"}
    for count in range(1, len(new)):
        redo = done / "redo"
        redo.mkdir()
        for name, content in sorted(new.items(), key=lambda item: item[0] == "result.json")[count:]:
            (redo / name).write_bytes(content)
        record = json.loads(new["result.json"])
        (done / "result.json").write_text(json.dumps(record | {"selection": "the old one"}))
        complete_redo(done)
        assert {name: (done / name).read_bytes() for name in new} == new
        assert not redo.exists()


def test_half_a_new_cell_replaces_nothing(done: Path) -> None:
    before = (done / "result.json").read_bytes()
    (done / "redo").mkdir()
    (done / "redo" / "metrics.csv").write_text("epoch\n")
    (done / "redo" / "result.json").write_text("{")
    complete_redo(done)
    assert (done / "result.json").read_bytes() == before
    assert (done / "redo").is_dir()
    assert read_metrics(done)


def test_folders_of_loggers_are_replaced(done: Path) -> None:
    for folder, word in ((done, "old"), (done / "redo", "new")):
        (folder / "tensorboard").mkdir(parents=True)
        (folder / "tensorboard" / word).write_text(word)
    os.link(done / "result.json", done / "redo" / "result.json")
    complete_redo(done)
    assert [path.name for path in (done / "tensorboard").iterdir()] == ["new"]


def test_what_a_kill_interrupted_is_completed_before_the_cell_is_looked_at(done: Path, config: dict[str, Any]) -> None:
    """Else the grid would skip a cell whose files are half old and half new."""
    cell = check_cells([config])[0]
    shutil.copytree(done, cell.directory)
    (cell.directory / "redo").mkdir()
    record = json.loads((done / "result.json").read_text())
    (cell.directory / "redo" / "result.json").write_text(json.dumps(record | {"selection": "the new one"}))
    (cell.directory / "redo" / "metrics.csv").write_text("new\n" * 9)
    (outcome,) = CellInspector({"force": False, "retry": "none"}).inspect([cell], make_console())
    assert outcome.state is State.SKIPPED
    assert (cell.directory / "metrics.csv").read_text() == "new\n" * 9
    assert not (cell.directory / "redo").exists()


def test_checkpoints_that_a_kill_has_left_go_when_the_grid_skips_the_cell(done: Path, config: dict[str, Any]) -> None:
    cell = check_cells([config])[0]
    shutil.copytree(done, cell.directory)
    record = json.loads((done / "result.json").read_text())
    record["config"]["trainer"]["keep_checkpoints"] = "best"
    (cell.directory / "result.json").write_text(json.dumps(record))
    with locked(cell.directory):
        CellInspector({"force": False, "retry": "none"}).inspect([cell], make_console())
        assert (cell.directory / "last.ckpt").exists()
    (outcome,) = CellInspector({"force": False, "retry": "none"}).inspect([cell], make_console())
    assert outcome.state is State.SKIPPED
    assert (cell.directory / "best.ckpt").exists() and not (cell.directory / "last.ckpt").exists()


@pytest.mark.parametrize("uncommitted", [{}, {"sha256": "a" * 64, "bytes": 3}])
def test_a_diff_stays_with_its_record(done: Path, uncommitted: dict[str, Any]) -> None:
    """That of the old record goes where the new one has none."""
    shutil.copytree(done, done / "redo")
    record = json.loads((done / "result.json").read_text())
    record["provenance"]["uncommitted"] = uncommitted
    (done / "redo" / "result.json").write_text(json.dumps(record))
    (done / "redo" / "uncommitted.diff").unlink(missing_ok=True)
    if uncommitted:
        (done / "redo" / "uncommitted.diff").write_text("new")
    (done / "uncommitted.diff").write_text("old")
    complete_redo(done)
    assert [path.read_text() for path in done.glob("uncommitted.diff")] == (["new"] if uncommitted else [])
