"""A cell that has lost its `config.yaml` is damaged for every command, until the one that made it writes it again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.studies import cell_config, write_cell
from tests.test_damage import GRID, as_trained, contents, cut, printed
from wisesr.cell.run import run
from wisesr.cli import main
from wisesr.damage import examine
from wisesr.errors import UserError
from wisesr.grid.cell_dirs import check_cells
from wisesr.grid.console import make_console
from wisesr.grid.inspection import CellInspector
from wisesr.report.read import read_study
from wisesr.results.cell_files import BEST, CONFIG, RESULT, STARTED
from wisesr.results.find import find_cell
from wisesr.results.installation import COMMAND
from wisesr.results.state import State
from wisesr.results.store import cell_around, find_cells, is_cell

MISSING = "config.yaml is missing. Way out: the command that made it writes it again"


@pytest.fixture
def cell(tmp_path: Path) -> Path:
    as_trained(tmp_path, seed=1)
    lost = as_trained(tmp_path)
    (lost / CONFIG).unlink()
    return lost


def test_every_command_knows_of_it(cell: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(cell)
    assert examine(cell).state is State.DAMAGED and examine(cell).reason == MISSING and examine(cell).record is None
    assert "2 cells: 1 done, 1 damaged" in (status := printed(capsys, "status", str(tmp_path)))
    assert f"({cell}): {MISSING}" in status
    assert MISSING in printed(capsys, "status", str(cell))
    assert f"Left alone, damaged: {cell}: {MISSING}" in printed(capsys, "clean", str(tmp_path), "--dry-run")
    assert MISSING in printed(capsys, "sync", str(tmp_path), "--dry-run")
    study = read_study([tmp_path])
    assert [(left.state, left.reason) for left in study.damaged] == [(State.DAMAGED, MISSING)] and len(study.cells) == 1
    with pytest.raises(UserError, match=r"is damaged: config.yaml is missing\. Way out: the command that made it"):
        run(cell)
    assert main(["clean", str(cell), "--dry-run"]) != 0 and "is one cell" in capsys.readouterr().err
    assert find_cell(str(cell), tmp_path) == cell == cell_around(cell / "page")
    assert contents(cell) == before, "nobody has touched it"


def test_an_unfinished_one(cell: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (cell / RESULT).unlink()
    assert "2 cells: 1 done, 1 damaged" in (status := printed(capsys, "status", str(tmp_path)))
    assert f"damaged: {cell}: {MISSING}" in status


def test_the_command_that_made_it_writes_it_again_and_says_so(
    cell: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = check_cells([cell_config(tmp_path)])
    (outcome,) = CellInspector(GRID).inspect(cells, make_console())
    assert outcome.state is State.SKIPPED and examine(cell).state is None
    assert f"config.yaml was missing, and is written again: {cells[0].label}" in " ".join(capsys.readouterr().out.split())
    CellInspector(GRID).inspect(cells, make_console())
    assert "was missing" not in capsys.readouterr().out


def test_what_else_is_damaged_has_its_own_way_out(cell: Path, tmp_path: Path) -> None:
    cut(cell / RESULT)
    assert f"config.yaml is missing; result.json is no JSON: cut short, or overwritten. Way out: `rm {cell / RESULT}`; " in (
        examine(cell).reason
    )
    (cell / RESULT).unlink()  # as it says
    (outcome,) = CellInspector(GRID).inspect(check_cells([cell_config(tmp_path)]), make_console())
    assert outcome.state is State.WAITING and examine(cell).state is None


def test_whose_files_these_are_nobody_can_tell(cell: Path, tmp_path: Path) -> None:
    cut(cell / RESULT)
    cut(cell / STARTED)
    before = contents(cell)
    assert f"Way out: move {cell} away; the command that made it then trains it again" in (reason := examine(cell).reason)
    (outcome,) = CellInspector(GRID).inspect(check_cells([cell_config(tmp_path)]), make_console())
    assert outcome.state is State.DAMAGED and outcome.reason == reason
    assert contents(cell) == before


def test_what_is_no_cell(cell: Path, tmp_path: Path) -> None:
    """Folders inside of cells, of loggers, of a redo, of a frozen study; and `seed-*` folders without a cell's files."""
    found = find_cells(tmp_path)
    for place in ("redo", "wandb/seed-1/files", "lightning/seed-2"):
        (cell / place).mkdir(parents=True)
        shutil.copyfile(cell / RESULT, cell / place / RESULT)
        shutil.copyfile(cell / STARTED, cell / place / STARTED)
    frozen = tmp_path / "study" / ".code" / "seed-3"
    other = tmp_path / "study" / "seed-4"
    report = tmp_path / "study" / "report"
    for place in (frozen, other, report):
        place.mkdir(parents=True)
    shutil.copyfile(cell / RESULT, frozen / RESULT)
    shutil.copyfile(cell / RESULT, report / RESULT)
    (other / BEST).write_bytes(b"")
    (other / COMMAND).write_text("{}")
    assert find_cells(tmp_path) == found and len(found) == 2
    assert not is_cell(other) and not is_cell(report)


def test_what_it_started_from_stays(tmp_path: Path) -> None:
    source = as_trained(tmp_path)
    later = write_cell(cell_config(tmp_path, study="later", changes={"backbone.weights": str((source / BEST).resolve())}))
    (later / CONFIG).unlink()
    main(["clean", str(source.parent), "--keep", "none", "--yes"])
    assert (source / BEST).exists()
