"""Two cells' code in `wisesr status --diff`: files by name, and nothing of files that only one of them has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.studies import cell_config, write_cell
from wisesr.cli import main
from wisesr.results.code import Code, write_code

FIT, ONE, TWO = "wisesr/training/fit.py", "mine/one.py", "mine/two.py"


def told(root: Path, codes: list[Code | None], capsys: pytest.CaptureFixture[str], **fields: Any) -> str:
    """Of two cells with this code; None of one that was computed before there was any."""
    for seed, code in enumerate(codes):
        made = {"source": str(seed) * 64, "sources": [str(seed) * 64]}
        if code is not None:
            made = {"source": code.source, "sources": [code.source], "code": {"package": "0" * 64} | fields}
        cell = write_cell(cell_config(root, seed=seed), provenance=made)
        if code is not None:
            write_code(cell, code)
    assert main(["status", str(root), "--diff", "seed-0", "seed-1"]) == 0
    return capsys.readouterr().out


def test_files_of_one_alone_are_no_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = told(tmp_path, [Code({FIT: "1", ONE: "2"}), Code({FIT: "1", TWO: "3"})], capsys)
    assert "same code" not in out and "environment: nothing differs" in out


def test_a_file_of_both_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = told(tmp_path, [Code({FIT: "1", ONE: "2"}), Code({FIT: "2", ONE: "3"})], capsys)
    assert f"They were not computed by the same code: {ONE}, {FIT}." in out


def test_an_edit_between_attempts_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = told(tmp_path, [Code({FIT: "1"}), Code({FIT: "1"})], capsys, edited=[FIT])
    assert f"Code of the first was edited between its attempts, or while it began: {FIT}." in out


def test_earlier_records(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "same code of wisesr: its source differs" in told(tmp_path / "a", [None, None], capsys)
    assert "same code" not in told(tmp_path / "b", [None, Code({FIT: "1"})], capsys), "the package is the same"
    out = told(tmp_path / "c", [Code({FIT: "1"}), None], capsys)
    assert "Nobody can tell whether they were computed by the same code: records of before 2026-11-30" in out
