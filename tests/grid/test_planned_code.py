"""Code that is edited between a grid's plan and the start of a cell is named before that starts, once for each edit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wisesr.grid.cell_dirs import Cell
from wisesr.grid.outcome import CellOutcome
from wisesr.grid.planned_code import PlannedCode
from wisesr.results.code import Code, read_code_of, write_code
from wisesr.results.state import State


def cells_of(config: dict[str, Any], folder: Path) -> list[Cell]:
    """Two of the head `one`, one of the head `two`."""
    made = []
    for number, name in enumerate(("one", "one", "two")):
        own = config | {"seed": number, "head": {"name": name, "_target_": f"{folder.name}_{name}.Head"}}
        place = folder / f"seed-{number}"
        place.mkdir()
        made.append(Cell(own, place))
    return made


@pytest.fixture
def watched(
    config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[PlannedCode, list[Cell], list[str], dict[str, Path]]:
    monkeypatch.chdir(tmp_path)
    files = {name: tmp_path / f"{tmp_path.name}_{name}.py" for name in ("one", "two", "helper", "apart")}
    for name in ("one", "two"):
        files[name].write_text(f"import {files['helper'].stem}\n")
    for name in ("helper", "apart"):
        files[name].write_text("x = 1\n")
    cells, said = cells_of(config, tmp_path), list[str]()
    return PlannedCode(cells, said.append), cells, said, files


Watched = tuple[PlannedCode, list[Cell], list[str], dict[str, Path]]


def test_nothing_is_said_of_what_no_cell_imports(watched: Watched) -> None:
    planned, cells, said, files = watched
    files["apart"].write_text("x = 22\n")
    for cell in cells:
        planned.tell(cell)
    planned.tell_all()
    assert said == []


def test_an_edit_is_said_once_with_its_file_and_the_cell(watched: Watched) -> None:
    planned, cells, said, files = watched
    planned.tell(cells[0])
    files["helper"].write_text("x = 22\n")
    planned.tell(cells[1])
    planned.tell(cells[2])
    planned.tell_all()
    assert len(said) == 1
    assert cells[1].label in said[0] and files["helper"].name in said[0] and "grid.frozen=true" in said[0]
    files["helper"].write_text("x = 333\n")
    planned.tell(cells[2])
    assert len(said) == 2 and cells[2].label in said[1]
    files["two"].write_text("x = 1\n")
    planned.tell(cells[0])
    assert len(said) == 2, "the other head's"
    planned.tell_all()
    assert len(said) == 3 and files["two"].name in said[2]


def test_what_was_edited_between_look_and_import_is_named_at_the_end(watched: Watched) -> None:
    planned, cells, said, files = watched
    for cell in cells:
        planned.tell(cell)
    now = planned._started[cells[0].directory]
    write_code(cells[0].directory, now)
    write_code(cells[1].directory, Code({**now.files, files["helper"].name: "edited"}))
    planned.tell_ended([CellOutcome(cells[0], State.DONE), CellOutcome(cells[2], State.FAILED)])
    assert said == [] and read_code_of(cells[2].directory) is None
    planned.tell_ended([CellOutcome(cell, State.DONE) for cell in cells])
    assert len(said) == 1 and said[0].startswith("1 cell was computed by code that was edited just then: ")
    assert files["helper"].name in said[0] and cells[1].label in said[0]


def test_cells_that_were_not_planned_are_none_of_its_business(watched: Watched) -> None:
    _, cells, said, files = watched
    planned = PlannedCode([], said.append)
    files["helper"].write_text("x = 22\n")
    planned.tell(cells[0])
    planned.tell_ended([CellOutcome(cells[0], State.DONE)])
    assert said == []
