"""Cells that go on with other code than they began with, or their study was frozen with, are told before they start."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.support.cells import make
from tests.support.gpus import GRID
from tests.support.records import finish
from wisesr.build.code import CodeNow
from wisesr.config.identity import cell_dir
from wisesr.errors import UserError
from wisesr.grid.cell_dirs import Cell
from wisesr.grid.frozen import FrozenNow, freeze
from wisesr.grid.other_code import other_code_sentences
from wisesr.grid.outcome import CellOutcome, RunReason
from wisesr.results.code import write_code
from wisesr.results.state import State

FROZEN_GRID = GRID | {"frozen": True}


@pytest.fixture
def cells(config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Cell]:
    """Three of a head of one's own, with two epochs by the code as it is."""
    monkeypatch.chdir(tmp_path)
    Path("mine").mkdir()
    for name, text in {"__init__": "", "pool": "import mine.helper\n", "helper": "x = 1\n"}.items():
        Path("mine", f"{name}.py").write_text(text)
    made = []
    for seed in range(3):
        own = {
            **config,
            "seed": seed,
            "study": "st",
            "output_dir": "out",
            "head": {"name": "mine", "_target_": "mine.pool.Head"},
        }
        made.append(Cell(own, cell_dir(own, f"{seed:064}")))
        half_train(made[-1], made[-1].directory)
    return made


def half_train(cell: Cell, directory: Path) -> None:
    make(dict(cell.config), directory)
    write_code(directory, CodeNow().of(cell.config))
    (directory / "last.ckpt").touch()
    (directory / "metrics.csv").write_text("epoch\n1\n2\n")


def edit() -> None:
    Path("mine", "helper.py").write_text("x = 22\n")


def told(cells: list[Cell], reason: RunReason = RunReason.CONTINUED, grid: dict[str, Any] = GRID) -> list[str]:
    code = FrozenNow() if grid.get("frozen") else CodeNow()
    return list(other_code_sentences([CellOutcome(cell, State.WAITING, run_reason=reason) for cell in cells], code, grid))


def test_nothing_is_said_where_nothing_was_edited(cells: list[Cell]) -> None:
    assert told(cells) == []
    edit()
    assert told(cells, RunReason.NEW) == [], "another process is at them"
    assert list(other_code_sentences([CellOutcome(cells[0], State.SKIPPED)], CodeNow(), GRID)) == []


def test_a_cell_is_named_with_its_epoch_the_files_and_the_way_to_begin_anew(cells: list[Cell]) -> None:
    edit()
    cell, place = cells[1], cells[1].directory
    end = f"after epoch 2 and goes on with other code: mine/helper.py; from the start: rm -r {place}"
    assert told([cell]) == [f"{cell.label} was interrupted {end}"]
    assert told([cell], RunReason.TRIED_AGAIN) == [f"{cell.label} failed {end}"]


def test_cells_with_the_same_files_share_a_sentence(cells: list[Cell]) -> None:
    edit()
    (said,) = told(cells)
    assert said.startswith("3 cells go on with other code: mine/helper.py (")
    assert all(cell.label in said for cell in cells)
    assert shlex.split(said.rpartition("rm -r ")[2]) == [str(cell.directory) for cell in cells]


def test_half_a_redo_is_told_too(cells: list[Cell]) -> None:
    cell = cells[0]
    finish(cell.directory, cell.config)
    redo = GRID | {"force": True}
    assert told([cell], RunReason.REDONE, redo) == [], "it begins anew"
    half_train(cell, cell.directory / "redo")
    assert told([cell], RunReason.REDONE, redo) == []
    edit()
    (said,) = told([cell], RunReason.REDONE, redo)
    assert said.endswith(f"from the start: rm -r {cell.directory / 'redo'}")


def test_a_command_that_forgets_the_frozen_code_is_told(cells: list[Cell]) -> None:
    freeze(cells, FROZEN_GRID, "2026-11-29T08:30:00Z", lambda _: None)
    assert told(cells) == [], "the code is what it was"
    edit()
    assert told(cells, grid=FROZEN_GRID) == [], "they go on with the code that they began with"
    study, continued = told(cells[:1])
    assert study.startswith("study st is frozen (grid.frozen=true), this command is not: 1 cell runs ")
    assert study.endswith("mine/helper.py") and "goes on with other code: mine/helper.py" in continued
    (study,) = told(cells, RunReason.NEW)
    assert "3 cells run the code as it is now" in study


def test_a_head_that_came_after_the_frozen_code_is_no_other(cells: list[Cell]) -> None:
    freeze(cells, FROZEN_GRID, "2026-11-29T08:30:00Z", lambda _: None)
    Path("mine", "later.py").write_text("")
    cell = cells[0]._replace(config={**cells[0].config, "head": {"name": "later", "_target_": "mine.later.Head"}})
    assert told([cell], RunReason.NEW) == []


def test_of_an_edited_copy_that_is_said_and_nothing_else(cells: list[Cell]) -> None:
    folder = freeze(cells, FROZEN_GRID, "2026-11-29T08:30:00Z", lambda _: None).folder(cells[0])
    assert folder is not None
    (folder / "mine" / "helper.py").write_text("x = 22\n")
    with pytest.raises(UserError, match="edited in its copy"):
        told(cells, grid=FROZEN_GRID)
    done = [CellOutcome(cells[0], State.SKIPPED)]
    assert list(other_code_sentences(done, FrozenNow(), FROZEN_GRID)) == [], "nothing is to run from it"
