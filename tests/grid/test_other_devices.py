"""A grid says when its cells would divide their batches over other devices than the finished ones of their study."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.support.gpus import GRID
from tests.support.studies import cell_config, write_cell
from wisesr.grid import run_grid as grid_module
from wisesr.grid.cell_dirs import Cell, make_cells
from wisesr.grid.other_devices import other_devices
from wisesr.results.cell_files import STARTED


def _finish(root: Path, devices: int | None, by_part: list[str], **settings: Any) -> None:
    """A finished cell, started on so many devices; None: before they were noted."""
    told = {} if devices is None else {"devices": devices, "by_part": by_part}
    directory = write_cell(cell_config(root, **settings), provenance=told)
    (directory / STARTED).write_text(json.dumps({"fingerprint": "a"} | ({} if devices is None else {"devices": devices})))


def _waiting(root: Path, devices: int | str = "auto", **settings: Any) -> list[Cell]:
    return make_cells([cell_config(root, seed=9, changes={"trainer.devices": devices}, **settings)])


@pytest.mark.parametrize(
    ("devices", "gpus", "said"),
    [("auto", 0, "on 1"), ("auto", 1, "on 1"), ("auto", 2, "on 2"), (4, 4, "on 4"), ("auto", 8, ""), (8, 8, "")],
)
def test_what_batchnorm_would_see_otherwise_is_told(tmp_path: Path, devices: int | str, gpus: int, said: str) -> None:
    for seed in (0, 1):
        _finish(tmp_path, 8, ["BatchNorm"], seed=seed)
    sentences = other_devices(_waiting(tmp_path, devices, head="wise"), gpus)
    assert len(sentences) == bool(said)
    for sentence in sentences:
        assert sentence.startswith(f"the finished cells of toy-64 resnet18 ran on 8 devices, and these are to run {said}: ")


def test_nothing_is_said_where_it_changes_nothing_or_nobody_knows(tmp_path: Path) -> None:
    _finish(tmp_path / "last bits", 8, [])
    _finish(tmp_path / "before", None, [])
    _finish(tmp_path / "another size", 8, ["BatchNorm"], size=128)
    for devices, seed in ((8, 0), (1, 1)):
        _finish(tmp_path / "both", devices, ["BatchNorm"], seed=seed)
    for name in ("last bits", "before", "another size", "both", "nothing there"):
        assert other_devices(_waiting(tmp_path / name), 1) == [], name


def test_it_is_said_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _finish(tmp_path, 8, ["BatchNorm"])
    file = io.StringIO()
    monkeypatch.setattr(grid_module, "make_console", lambda **_: Console(file=file, width=1000))
    monkeypatch.setattr(grid_module, "look_ahead", lambda *_, **__: None)
    config = cell_config(tmp_path, seed=9, changes={"trainer.devices": "auto", "trainer.accelerator": "cpu"})
    assert grid_module.run_grid([config | {"grid": GRID | {"plan": True}}]) == 0
    assert "note: the finished cells of toy-64 resnet18 ran on 8 devices, and these are to run on 1" in file.getvalue()
