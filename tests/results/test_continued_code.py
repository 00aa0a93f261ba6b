"""Which code an interrupted cell's epochs are of, whatever an attempt noted that has finished none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wisesr.results import continued_code
from wisesr.results.code import Code, read_code_of
from wisesr.results.continued_code import code_of_epochs, other_code, write_attempt

ONE = Code({"helper.py": "1", "base.py": "1"})
TWO = Code({"helper.py": "2", "base.py": "1", "new.py": "1"}, ("helper.py:3 (exec)",), ("helper.py", "new.py"))


def finish_epoch(cell: Path, number: int) -> None:
    (cell / "last.ckpt").touch()
    os.utime(cell / "last.ckpt", (number, number))


def attempt(cell: Path, code: Code) -> None:
    write_attempt(cell, code, code_of_epochs(cell))


def test_before_an_epoch_is_finished_there_is_no_code(tmp_path: Path) -> None:
    assert code_of_epochs(tmp_path) is None
    attempt(tmp_path, ONE)
    assert code_of_epochs(tmp_path) is None
    attempt(tmp_path, TWO)
    finish_epoch(tmp_path, 1)
    assert code_of_epochs(tmp_path) == TWO, "the only one that has finished any"


def test_who_puts_a_file_back_before_an_epoch_ends_has_a_cell_of_one_code(tmp_path: Path) -> None:
    attempt(tmp_path, ONE)
    finish_epoch(tmp_path, 1)
    for _ in range(2):  # begun twice, ended before it had trained
        attempt(tmp_path, TWO)
        assert read_code_of(tmp_path) == TWO
        assert code_of_epochs(tmp_path) == ONE
        assert other_code(tmp_path, [], TWO) == "helper.py, new.py"
        assert other_code(tmp_path, [], ONE) == ""


@pytest.mark.parametrize("written", ["last.ckpt", "best.ckpt"])
def test_an_epoch_of_other_code_stays_one(tmp_path: Path, written: str) -> None:
    """A kill may come between best.ckpt and last.ckpt."""
    attempt(tmp_path, ONE)
    finish_epoch(tmp_path, 1)
    attempt(tmp_path, TWO)
    (tmp_path / written).touch()
    assert code_of_epochs(tmp_path) == TWO
    assert other_code(tmp_path, [], TWO) == "helper.py, new.py", "those before are of other code"
    assert other_code(tmp_path, [], ONE) == "helper.py, new.py"


def test_of_earlier_versions_only_the_package_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(continued_code, "package_hash", lambda: "whole")
    finish_epoch(tmp_path, 1)
    assert other_code(tmp_path, ["whole"], ONE) == other_code(tmp_path, [ONE.source], ONE) == ""
    assert other_code(tmp_path, ["older"], ONE).startswith("wisesr")
