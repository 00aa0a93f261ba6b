"""How long a grid still takes: figures that can be worked out in the head."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.records import finish, record_of
from wisesr.grid.cell_dirs import check_cells, write_cell
from wisesr.grid.eta import CellTime, cell_time, seconds_left
from wisesr.grid.grid_time import GridTime
from wisesr.grid.outcome import CellOutcome, Running
from wisesr.grid.slots import Slot
from wisesr.results.record_file import parse_record
from wisesr.results.state import State
from wisesr.results.status_file import Status

GAP, WISE = ("study", "digits", "64", "resnet50", "gap"), ("study", "digits", "64", "resnet50", "wise")
SMALL, ELSEWHERE = ("study", "digits", "64", "toy", "gap"), ("other", "digits", "64", "resnet50", "gap")


def waiting(kind: tuple[str, ...], share_left: float = 1.0) -> CellTime:
    return CellTime(kind, share_left=share_left)


def training(seconds_left: float) -> CellTime:
    return CellTime(GAP, seconds_left=seconds_left, share_left=1.0, running=True)


@pytest.mark.parametrize(
    ("cells", "seconds"),
    [
        ([], 0),
        ([CellTime(GAP, duration=100.0)], 0),  # all done
        ([CellTime(GAP)], 0),  # failed: nobody is going to run it
        ([waiting(GAP)], None),
        ([CellTime(ELSEWHERE, duration=100.0), waiting(GAP)], None),  # another study's images, epochs: no guide
        ([CellTime(GAP, duration=100.0), CellTime(GAP, duration=200.0), waiting(GAP), waiting(GAP)], 300),
        ([CellTime(GAP, duration=100.0), CellTime(SMALL, duration=10.0), waiting(WISE)], 100),  # the same backbone is nearer
        ([CellTime(GAP, duration=100.0), CellTime(WISE, duration=200.0), waiting(SMALL)], 150),  # the study's mean
        ([CellTime(GAP, duration=100.0), waiting(GAP, share_left=0.25)], 25),  # interrupted after three quarters
        ([CellTime(GAP, duration=90.0, seconds_left=30.0, share_left=0.4, running=True), waiting(GAP)], 120),
        ([CellTime(GAP, duration=100.0), *[training(20.0)] * 2, *[waiting(GAP)] * 4], 220),  # two at once
        ([training(500.0), training(1.0)], 500),  # the slowest
        ([CellTime(GAP, duration=80.0), CellTime(GAP, share_left=1.0, running=True)], 80),  # only just started
    ],
)
def test_seconds_left(cells: list[CellTime], seconds: float | None) -> None:
    assert seconds_left(cells) == (None if seconds is None else pytest.approx(seconds))


def test_what_is_made_for_all_comes_first_and_is_no_training(config: dict[str, Any]) -> None:
    """The cell that makes it, one that waits for it, and one that comes later: 300 s of making, 100 s of training each."""
    making = Status(state=State.STARTING, phase="computing maps", step=10, steps=40, seconds_left=300.0)
    waits = Status(state=State.STARTING, phase="waits for maps", waits=True)
    cells = [cell_time(config, State.STARTING, status, None, begun=1.0) for status in (making, waits)]
    assert cells[0].seconds_left is None and cells[0].duration is None and cells[0].share_left == 1
    done = CellTime(cells[0].kind, duration=100.0)
    assert seconds_left([done, *cells], overhead=8.0) == pytest.approx(300 + 100 + 2)
    later = CellTime(cells[0].kind, share_left=1.0, overhead=1.0)
    assert seconds_left([done, *cells, later], overhead=8.0) == pytest.approx(300 + 100 + 2 + 100 + 8)
    stale = cell_time(config, State.STARTING, Status(state=State.TRAINING, seconds_left=50.0, steps=9), None)
    assert stale.before == 0, "of an earlier attempt"


def test_making_is_no_overhead_of_cells_that_come_after_it(config: dict[str, Any]) -> None:
    """A cell of 5 s beside its training that made maps for 200 s, and a second one that waited for them."""
    (cell, other) = check_cells([config, config | {"seed": 1}])
    now = [0.0]
    clock = GridTime(now=lambda: now[0])
    jobs = [Running(index, each, Slot(index), None, 0.0, each.directory) for index, each in enumerate((cell, other))]  # type: ignore[arg-type]
    outcomes = [CellOutcome(each, State.RUNNING) for each in (cell, other)]
    making = Status(state=State.STARTING, phase="computing maps", step=1, steps=9, seconds_left=9.0)
    waits = Status(state=State.STARTING, phase="waits for maps", waits=True)
    training = Status(state=State.TRAINING, epoch=1, epochs=3, seconds_left=40.0, seconds=60.0)
    for second in range(0, 265):
        now[0] = float(second)
        phase = (making, waits) if 3 <= second < 203 else (training, training) if second >= 203 else (Status(), Status())
        clock.seconds_left(outcomes, list(zip(jobs, phase, strict=True)))
    for each in (cell, other):
        write_cell(each)
        finish(each.directory, each.config, seconds=60.0)
    clock.seconds_left([CellOutcome(each, State.DONE) for each in (cell, other)], [])
    assert clock._overhead == pytest.approx(5, abs=2)


def test_what_a_running_cell_promises_gives_way_to_what_was_measured() -> None:
    running = CellTime(GAP, duration=1000.0, seconds_left=10.0, share_left=1, running=True)
    assert seconds_left([running, waiting(GAP)]) == pytest.approx(1010)
    assert seconds_left([running, CellTime(GAP, duration=50.0), waiting(GAP)]) == pytest.approx(60)


def test_the_time_of_a_cell_in_each_state(config: dict[str, Any]) -> None:
    kind = ("tests", "corners", "64", "toy", "wise_dropout")
    record = parse_record(record_of(config, seconds=7.0))
    quarter = Status(epoch=1, epochs=4)
    assert cell_time(config, State.DONE, Status(), record) == CellTime(kind, duration=7.0)
    assert cell_time(config, State.FAILED, quarter, None) == CellTime(kind)
    assert cell_time(config, State.INTERRUPTED, quarter, None) == CellTime(kind, share_left=0.75, overhead=1.0)
    assert cell_time(config, State.TESTING, Status(epoch=4, epochs=4), None) == CellTime(
        kind, seconds_left=0.0, running=True, overhead=0.25
    )
    status = Status(epoch=1, epochs=4, step=30, steps=80, seconds_left=50.0, seconds=80.0)
    assert cell_time(config, State.TRAINING, status, None) == CellTime(kind, 80.0, 50.0, 0.75, True, 0.25)
    assert cell_time(config, State.STARTING, Status(), None) == CellTime(kind, share_left=1.0, running=True, overhead=1.0)
    half = cell_time(config, State.STARTING, Status(), None, begun=0.5)
    assert half == CellTime(kind, share_left=1.0, running=True, overhead=0.5)
