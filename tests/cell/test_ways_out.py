"""The way out of each damage, pasted into a shell: the cell is then what it was, to the bit."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.cells import assert_same
from tests.test_damage import DAMAGES
from wisesr.cell.run import DONE, run
from wisesr.damage import examine
from wisesr.grid.cell_dirs import check_cells, write_cell
from wisesr.grid.console import make_console
from wisesr.grid.inspection import CellInspector
from wisesr.results.state import State

GRID = {"force": False, "retry": "none"}


def command(config: dict[str, Any]) -> State:
    """What the command does with its cell: look, then train it if it waits."""
    cells = check_cells([config])
    (outcome,) = CellInspector(GRID).inspect(cells, make_console())
    if outcome.state is State.WAITING:
        write_cell(cells[0])
        assert run(cells[0].directory) == DONE
    return outcome.state


@pytest.mark.slow
def test_the_ways_out(config: dict[str, Any], tmp_path: Path) -> None:
    config["recipe"]["epochs"] = 2
    assert command(config) is State.WAITING
    (cell,) = [one.directory for one in check_cells([config])]
    shutil.copytree(cell, whole := tmp_path / "whole")
    for name in ("edited", "config cut", "result cut", "predictions cut", "no predictions", "metrics empty", "no best", "both"):
        shutil.rmtree(cell, ignore_errors=True)
        shutil.copytree(whole, cell)
        DAMAGES[name][0](cell)
        found = examine(cell)
        assert found.state is State.DAMAGED, name
        assert command(config) is State.DAMAGED, "which trains nothing"
        way_out = found.reason.rpartition("Way out: ")[2]
        subprocess.run(way_out.split("`")[1], shell=True, check=True)
        assert command(config) in (State.WAITING, State.SKIPPED)
        assert examine(cell).state is None and command(config) is State.SKIPPED
        assert_same(cell, whole)
        assert (cell / "config.yaml").read_bytes() == (whole / "config.yaml").read_bytes()
