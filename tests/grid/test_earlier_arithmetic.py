"""Cells that are finished but for how their heads add up."""

from __future__ import annotations

from pathlib import Path

from tests.support.studies import cell_config, write_cell
from wisesr.config.options import load_option
from wisesr.grid.cell_dirs import make_cells
from wisesr.grid.earlier_arithmetic import earlier_arithmetic


def test_finished_ones_are_counted(tmp_path: Path) -> None:
    configs = [cell_config(tmp_path, head="wise", seed=seed) for seed in range(3)]
    for config in configs:
        config["head"] = {"name": "wise", **load_option("head", "wise")}
        assert config["head"]["arithmetic"] == 2
    waiting = make_cells(configs)
    assert earlier_arithmetic(waiting) == ""
    for config in configs[:2]:
        before = {key: value for key, value in config["head"].items() if key != "arithmetic"}
        write_cell(config | {"head": before})
    assert earlier_arithmetic(waiting).startswith("2 of these cells are finished in the arithmetic of before")
    assert "head.arithmetic=1" in earlier_arithmetic(waiting)
