"""`grid.stop_on=failure`: what fails is the last that is begun; what runs comes to its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.grid.test_schedule import BEGAN, Machine, waiting
from tests.support.gpus import GRID
from tests.support.processes import TOY, spawn
from wisesr.errors import UserError
from wisesr.grid import schedule as module
from wisesr.grid.cluster import Cluster
from wisesr.grid.command import GridCommand
from wisesr.grid.console import make_console
from wisesr.grid.outcome import CellOutcome
from wisesr.grid.prepared import slots_for
from wisesr.grid.results_table import print_summary
from wisesr.grid.schedule import Schedule
from wisesr.grid.slots import Slot
from wisesr.results.lock import acquire_lock
from wisesr.results.state import State


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_POLL", 0.002)


def states(ended: list[CellOutcome]) -> list[State]:
    return [outcome.state for outcome in ended]


@pytest.mark.parametrize("stop_on", ["failure", "never"])
def test_the_second_of_two_slots_goes_on_to_its_end(config: dict[str, Any], stop_on: str) -> None:
    planned = waiting(config, 6)
    machine = Machine(iter([2, 5, 30, *[2] * 9]), {planned[1].cell.directory: 1})  # the third runs as the second fails
    slots = [Slot(0), Slot(1)]
    schedule = Schedule(planned, slots, machine.start, machine, force=False, began=BEGAN, stop_on=stop_on)
    ended = states(schedule.run())
    if stop_on == "never":
        assert ended == [State.DONE, State.FAILED, *[State.DONE] * 4] and machine.said == []
        return
    assert ended == [State.DONE, State.FAILED, State.DONE, *[State.WAITING] * 3]
    assert machine.said == [1] and not schedule.interrupted
    assert len(machine.started_) == 3


def test_what_failed_before_stops_nothing_and_others_cells_are_not_waited_for(config: dict[str, Any]) -> None:
    before, held, failing, left = waiting(config, 4)
    outcomes = [before._replace(state=State.FAILED), held, failing, left]
    machine = Machine(iter([3, 3]), {failing.cell.directory: 1})
    lock = acquire_lock(held.cell.directory)
    assert lock is not None
    with lock:
        schedule = Schedule(outcomes, [Slot(0)], machine.start, machine, force=False, began=BEGAN, stop_on="failure")
        assert states(schedule.run()) == [State.FAILED, State.BUSY, State.FAILED, State.WAITING]


def test_the_table_says_how_many_were_not_begun(config: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    failed, *left = waiting(config, 3)
    outcomes = [failed._replace(state=State.FAILED, reason="out of memory"), *left]
    print_summary(make_console(), outcomes, stopped=True)
    assert "2 of 3 cells were not begun (grid.stop_on=failure): the same command begins them." in capsys.readouterr().out
    print_summary(make_console(), outcomes)
    assert "not begun" not in capsys.readouterr().out, "of a grid that Ctrl-C has ended"


def test_a_cluster_queues_all_cells_at_once(config: dict[str, Any]) -> None:
    cells = [outcome.cell for outcome in waiting(config, 3)]
    command = GridCommand(GRID | {"stop_on": "failure"}, Cluster("local", 1, 0, 0, {}), make_console(), BEGAN)
    with pytest.raises(UserError, match="needs grid.slots=N"):
        slots_for(cells, command)
    assert len(slots_for(cells, command._replace(grid={**command.grid, "slots": 2}))[0]) == 2


@pytest.mark.slow
def test_the_command(tmp_path: Path) -> None:
    settings = ("seed=0,1,2", "recipe.optimizer.lr=1e30", "recipe.epochs=1", "logger=none", "grid.stop_on=failure")
    assert spawn("-m", *TOY, *settings, cwd=tmp_path).wait(timeout=180) == 1
    said = (tmp_path / "terminal.txt").read_text()
    assert "Stopping (grid.stop_on=failure): no other cell is begun." in said and "2 of 3 cells were not begun" in said
