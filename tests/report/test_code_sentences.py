"""Cells are of one code where no file that two of them have differs; one that does stands in red, by name, with the cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.studies import cell_config, write_cell
from wisesr.report.read import read_study
from wisesr.report.study import ReportTable
from wisesr.results.code import Code, write_code

FIT, GAP, WISE, MINE = "wisesr/training/fit.py", "wisesr/heads/gap.py", "wisesr/heads/wise.py", "mine/pool.py"
FILES = {"gap": {FIT: "1" * 64, GAP: "2" * 64}, "wise": {FIT: "1" * 64, WISE: "3" * 64, MINE: "4" * 64}}


def _table(tmp_path: Path, odd: dict[str, str] | None = None, lost: bool = False, **fields: Any) -> ReportTable:
    """Of two heads with three seeds each, wise's last with other files."""
    for head in ("gap", "wise"):
        for seed in range(3):
            is_odd = (head, seed) == ("wise", 2)
            code = Code(FILES[head] | (odd or {} if is_odd else {}))
            known = {"files": len(code.files), "package": "p" * 64, "edited": [], "unfollowed": []} | (fields if is_odd else {})
            made = {"source": code.source, "sources": [code.source], "code": known}
            config = cell_config(tmp_path, head=head, seed=seed)
            cell = write_cell(config, top1=0.7 + 0.02 * seed + 0.04 * (head == "wise") * (seed % 2), provenance=made)
            if not (is_odd and lost):
                write_code(cell, code)
    (table,) = read_study([tmp_path]).tables
    return table


def test_two_heads_of_one_code(tmp_path: Path) -> None:
    """Each has a file that the other has not, and so another hash of all of them."""
    table = _table(tmp_path, package="another: a dataset was added meanwhile")
    assert table.warnings == ()
    assert not any("code" in note for note in table.notes)


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        ({FIT: "9" * 64}, f"in {FIT}: commit 1111111111 (11111111) in 5 cells, commit 1111111111 (99999999) in 1"),
        ({MINE: "9" * 64}, f"in {MINE}: commit 1111111111 (44444444) in 2 cells, commit 1111111111 (99999999) in 1"),
        (
            {MINE: "edited while it was imported"},
            "commit 1111111111 (edited while it was imported) in 1 (resnet18 wise seed 2).",
        ),
        ({MINE: "9" * 64, FIT: "9" * 64}, f"in {MINE}, {FIT}: commit 1111111111 (11111111) in 5 cells"),
    ],
)
def test_a_file_that_differs_stands_in_red(tmp_path: Path, odd: dict[str, str], said: str) -> None:
    (warning,) = _table(tmp_path, odd).warnings
    assert said in warning and "resnet18 wise seed 2" in warning


def test_a_file_that_was_edited_between_attempts_stands_in_red(tmp_path: Path) -> None:
    (warning,) = _table(tmp_path, edited=[MINE]).warnings
    assert warning == f"Code was edited between the attempts of resnet18 wise seed 2, or while they began: {MINE}."


def test_files_that_nobody_knows_any_more_are_a_note(tmp_path: Path) -> None:
    table = _table(tmp_path, {FIT: "9" * 64}, lost=True)
    assert table.warnings == ()
    (note,) = [note for note in table.notes if "code" in note]
    assert note.endswith("code.json is gone of resnet18 wise seed 2.")


@pytest.mark.parametrize("package", ["a" * 64, "b" * 64])
def test_earlier_records_among_later_ones(tmp_path: Path, package: str) -> None:
    """Red is what certainly differs; of a package that is another by now that cannot be said."""
    for head in ("gap", "wise"):
        code = Code(FILES[head])
        made = {"source": code.source, "sources": [code.source], "code": {"files": 2, "package": package}}
        write_code(write_cell(cell_config(tmp_path, head=head), provenance=made), code)
        write_cell(cell_config(tmp_path, head=head, seed=1), provenance={"source": "a" * 64, "sources": ["a" * 64]})
    (table,) = read_study([tmp_path]).tables
    assert not any("code" in warning for warning in table.warnings)
    found = [note for note in table.notes if "code" in note]
    assert len(found) == (package != "a" * 64)
    assert all("resnet18 gap seed 1, resnet18 wise seed 1" in note and "before 2026-11-30" in note for note in found)
