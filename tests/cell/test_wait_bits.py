"""How the threads of a cell wait, and where they run, changes no number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.cells import assert_same, make
from wisesr.cell.run import DONE
from wisesr.cell.wait import VARIABLES, wait_variables
from wisesr.grid.cell_process import launch
from wisesr.grid.core_shares import usable_cpus
from wisesr.grid.slots import Slot
from wisesr.results.record_file import read_record


@pytest.mark.slow
def test_no_number_depends_on_it(config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    config["recipe"]["epochs"] = 1
    config["trainer"]["threads"] = 2
    for wait, cpus in (("spin", ()), ("passive", ()), ("auto", tuple(usable_cpus()[:1]))):
        cell = make(config, tmp_path / wait)
        with launch(cell, cell, Slot(0, (), 2, cpus=cpus, wait=wait), force=False) as process:
            assert process.wait() == DONE
        ((name, value),) = wait_variables(wait, {}).items()
        assert f"2 threads, which wait for one another by {name}={value}" in (cell / "log.txt").read_text()
        record = read_record(cell)
        assert record is not None
        assert record.provenance.environment[name] == value
        assert record.provenance.threads == 2
        assert_same(tmp_path / "spin", cell)
