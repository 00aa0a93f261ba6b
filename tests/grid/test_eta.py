"""How long a grid still takes: figures that can be worked out in the head."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.records import record_of
from wisesr.grid.eta import CellTime, cell_time, seconds_left
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
