"""A damaged cell is called the same, with the same way out, by every command that meets it; and what the way out leads to."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.studies import cell_config, write_cell, write_waiting
from wisesr.cell.run import run
from wisesr.cli import main
from wisesr.damage import examine
from wisesr.errors import UserError
from wisesr.grid.cell_dirs import check_cells
from wisesr.grid.console import make_console
from wisesr.grid.inspection import CellInspector
from wisesr.grid.results_table import print_summary
from wisesr.report.read import read_study
from wisesr.report.study import LeftOut, ReportCell
from wisesr.report.tables.terminal import print_study
from wisesr.results.atomic_files import write_json
from wisesr.results.cell_files import BEST, CONFIG, LAST, PREDICTIONS, RESULT, STARTED
from wisesr.results.cleaned import note_removal
from wisesr.results.installation import write_command
from wisesr.results.metrics import METRICS
from wisesr.results.state import State

GRID = {"force": False, "retry": "none"}


def as_trained(root: Path, **changes: Any) -> Path:
    """A finished cell with all that a training leaves, but for what is in its checkpoints."""
    directory = write_cell(cell_config(root, **changes))
    record = json.loads((directory / RESULT).read_text())
    data = record["provenance"]["data"]["fingerprint"]
    rest = {"weights": None, "threads": 1, "attempts": 1, "sources": ["a" * 64]}
    write_json(directory / STARTED, {"fingerprint": record["fingerprint"], "data": data, **rest})
    write_command(directory, ["train.py"])
    for name in (BEST, LAST):
        shutil.copyfile(directory / PREDICTIONS, directory / name)  # an archive, as a checkpoint is
    return directory


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def edit(path: Path) -> None:
    text = path.read_text()
    assert "label_smoothing: 0.0" in text
    path.write_text(text.replace("label_smoothing: 0.0", "label_smoothing: 0.25"))


def contents(cell: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in cell.iterdir() if path.is_file() and path.name != ".lock"}


def without_the_last_line(path: Path) -> None:
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


def of_another(cell: Path) -> None:
    other = next(path for path in cell.parent.glob("seed-*") if path != cell)
    shutil.copyfile(other / RESULT, cell / RESULT)


def edited_and_cut(cell: Path) -> None:
    edit(cell / CONFIG)
    cut(cell / RESULT)


def cut_and_cleaned(cell: Path) -> None:
    cut(cell / RESULT)
    (cell / LAST).unlink()
    note_removal(cell, {LAST: 1})


Damage = Callable[[Path], object]
DAMAGES: dict[str, tuple[Damage, str, str]] = {
    "edited": (lambda cell: edit(cell / CONFIG), "config.yaml was edited", f"rm CELL/{CONFIG}"),
    "config cut": (lambda cell: cut(cell / CONFIG), "config.yaml", f"rm CELL/{CONFIG}"),
    "config empty": (lambda cell: (cell / CONFIG).write_text(""), "config.yaml is no configuration", f"rm CELL/{CONFIG}"),
    "result cut": (lambda cell: cut(cell / RESULT), "result.json is no JSON: cut short", f"rm CELL/{RESULT}"),
    "result empty": (lambda cell: (cell / RESULT).write_text(""), "result.json is no JSON: cut short", f"rm CELL/{RESULT}"),
    "another's result": (of_another, "result.json is the record of another configuration", f"rm CELL/{RESULT}"),
    "both": (edited_and_cut, "; result.json is no JSON", "rm -r CELL"),
    "result cut, cleaned": (
        cut_and_cleaned,
        "result.json is no JSON",
        "rm -r CELL",
    ),
    "no best": (lambda cell: (cell / BEST).unlink(), "best.ckpt is missing: the figures stand", "rm -r CELL"),
    "best cut": (lambda cell: cut(cell / BEST), "best.ckpt is cut short", "rm -r CELL"),
    "predictions cut": (lambda cell: cut(cell / PREDICTIONS), "predictions.npz is cut short", f"rm CELL/{RESULT}"),
    "no predictions": (lambda cell: (cell / PREDICTIONS).unlink(), "predictions.npz is missing", f"rm CELL/{RESULT}"),
    "metrics empty": (lambda cell: (cell / METRICS).write_text(""), "metrics.csv is empty", f"rm CELL/{RESULT}"),
    "metrics cut": (lambda cell: without_the_last_line(cell / METRICS), "metrics.csv has 2 of 3 epochs", f"rm CELL/{RESULT}"),
}
STANDING = {"no best", "best cut", "predictions cut", "no predictions", "metrics empty", "metrics cut"}


@pytest.fixture
def cell(tmp_path: Path) -> Path:
    as_trained(tmp_path, seed=1)
    return as_trained(tmp_path)


def printed(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    main(list(command))
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("name", DAMAGES)
def test_every_command_says_the_same(
    cell: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS"):
        monkeypatch.delenv(variable, raising=False)
    damage, words, way_out = DAMAGES[name]
    damage(cell)
    found = examine(cell)
    assert found.state is State.DAMAGED and words in found.reason
    assert f"Way out: `{way_out.replace('CELL', str(cell))}`; the command that made it then " in found.reason
    assert (found.record is not None) == (name in STANDING)
    before = contents(cell)

    assert "2 cells: 1 done, 1 damaged" in (status := printed(capsys, "status", str(tmp_path)))
    assert found.reason in status
    (tmp_path.parent / f"{tmp_path.name}-in").mkdir()
    monkeypatch.chdir(tmp_path.parent / f"{tmp_path.name}-in")
    Path("outputs").symlink_to(tmp_path)
    studies = printed(capsys, "status")
    assert f"damaged: outputs/{cell.relative_to(tmp_path)}: " in studies and words in studies and "1 damaged" in studies
    assert f"{cell}: {found.reason}" in printed(capsys, "clean", str(tmp_path), "--dry-run")
    sync = printed(capsys, "sync", str(tmp_path), "--dry-run")
    assert f"damaged: {cell.relative_to(tmp_path)}: {found.reason}" in sync or name in STANDING, sync
    with pytest.raises(UserError) as told:
        run(cell)
    assert str(told.value) == f"{cell} is damaged: {found.reason}"

    study = read_study([tmp_path])
    cells: list[ReportCell | LeftOut] = [*study.cells, *study.damaged]
    (reported,) = [one for one in cells if one.state is State.DAMAGED]
    assert reported.reason == found.reason
    print_study(study, make_console())
    assert f": {found.reason}" in " ".join(capsys.readouterr().out.split())
    (table,) = study.tables
    assert sum(len(entry.cells) for entry in table.entries) == (2 if name in STANDING else 1), "figures that stand are shown"

    configs = [cell_config(tmp_path, seed=seed) for seed in (0, 1, 2)]
    outcomes = CellInspector(GRID).inspect(check_cells(configs), make_console())
    assert [outcome.state for outcome in outcomes] == [State.DAMAGED, State.SKIPPED, State.WAITING], "the others go on"
    assert outcomes[0].reason == found.reason
    print_summary(make_console(), outcomes)
    grid = " ".join(capsys.readouterr().out.split())
    assert grid.count(found.reason) == 1, "in full with the table"
    assert f"{outcomes[0].cell.label} is left alone: damaged (" in grid, "in short before the start"
    assert f"and in `wisesr status {cell}`" in grid
    assert "1 damaged, 1 done already, 1 new" in grid
    assert contents(cell) == before, "nobody has touched it"


@pytest.mark.parametrize("name", ["edited", "config cut", "config empty"])
def test_a_removed_configuration_is_written_again_as_it_was(cell: Path, tmp_path: Path, name: str) -> None:
    before = (cell / CONFIG).read_bytes()
    DAMAGES[name][0](cell)
    (cell / CONFIG).unlink()  # as the way out says
    (outcome,) = CellInspector(GRID).inspect(check_cells([cell_config(tmp_path)]), make_console())
    assert outcome.state is State.SKIPPED and (cell / CONFIG).read_bytes() == before


def test_files_of_somebody_else_are_left_alone(tmp_path: Path) -> None:
    (planned,) = check_cells([cell_config(tmp_path)])
    planned.directory.mkdir(parents=True)
    (planned.directory / "thesis.tex").write_text("precious")
    (outcome,) = CellInspector(GRID).inspect([planned], make_console())
    assert outcome.state is State.DAMAGED and "it holds files, but no config.yaml" in outcome.reason
    assert [path.name for path in planned.directory.iterdir()] == ["thesis.tex"]


def test_what_is_no_damage(cell: Path, tmp_path: Path) -> None:
    """Checkpoints that somebody did not want, copies of results, and files of a cell that runs."""
    cleaned = as_trained(tmp_path, seed=2)
    (cleaned / BEST).unlink()
    note_removal(cleaned, {BEST: 1})
    unkept = as_trained(tmp_path, seed=3, changes={"trainer.keep_checkpoints": "last"})
    (unkept / BEST).unlink()
    bare = as_trained(tmp_path, seed=4)
    for name in (BEST, LAST):
        (bare / name).unlink()
    for directory in (cell, cleaned, unkept, bare, write_cell(cell_config(tmp_path, seed=5))):
        assert examine(directory).state is None
    (cell / BEST).unlink()
    assert examine(cell, running=True).state is None
    (cell / "redo").mkdir()
    shutil.copyfile(cell / RESULT, cell / "redo" / RESULT)
    assert examine(cell).state is None, "its files are about to take the places of these"


def test_a_record_of_a_newer_version_is_neither_damaged_nor_written_over(cell: Path, tmp_path: Path) -> None:
    content = json.loads((cell / RESULT).read_text()) | {"schema": 2}
    write_json(cell / RESULT, content)
    found = examine(cell)
    assert found.state is State.NEWER and "pip install --upgrade wisesr" in found.reason
    for force in (False, True):
        grid = CellInspector(GRID | {"force": force})
        (outcome,) = grid.inspect(check_cells([cell_config(tmp_path)]), make_console())
        assert outcome.state is State.NEWER
    with pytest.raises(UserError, match="was written by a newer version"):
        run(cell)
    assert [left.state for left in read_study([tmp_path]).damaged] == [State.NEWER]
    assert json.loads((cell / RESULT).read_text()) == content


def test_what_is_missing_is_made_anew_where_that_is_asked_for(cell: Path, tmp_path: Path) -> None:
    (cell / BEST).unlink()
    (outcome,) = CellInspector(GRID | {"force": True}).inspect(check_cells([cell_config(tmp_path)]), make_console())
    assert outcome.state is State.WAITING
    cut(cell / RESULT)  # of which `redo/` would have nothing to stand beside
    (outcome,) = CellInspector(GRID | {"force": True}).inspect(check_cells([cell_config(tmp_path)]), make_console())
    assert outcome.state is State.DAMAGED


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda cell: cut(cell / LAST), "last.ckpt is cut short"),
        (lambda cell: cut(cell / STARTED), "started.json is cut short"),
        (lambda cell: (cell / STARTED).write_text("{}"), "started.json is cut short"),
        (lambda cell: (cell / STARTED).write_text("3"), "started.json is cut short"),
        (lambda cell: (cell / BEST).unlink(), "best.ckpt is missing"),
        (lambda cell: edit(cell / CONFIG), "config.yaml was edited: it is not the configuration that the directory is named"),
    ],
)
def test_interrupted_cells(cell: Path, tmp_path: Path, damage: Damage, words: str) -> None:
    (cell / RESULT).unlink()
    assert examine(cell).state is None
    damage(cell)
    assert words in examine(cell).reason
    (outcome,) = CellInspector(GRID).inspect(check_cells([cell_config(tmp_path)]), make_console())
    assert outcome.state is State.DAMAGED and words in outcome.reason


def test_a_cell_that_waits_and_was_edited(tmp_path: Path) -> None:
    cell = write_waiting(cell_config(tmp_path))
    write_command(cell, ["train.py"])
    assert examine(cell).state is None
    edit(cell / CONFIG)
    assert re.search(rf"was edited.* Way out: `rm -r {re.escape(str(cell))}`;", examine(cell).reason)


def test_odd_folders_can_be_pasted(tmp_path: Path) -> None:
    cell = as_trained(tmp_path / "it's $HOME")
    cut(cell / RESULT)
    assert """'"'"'s $HOME""" in examine(cell).reason
