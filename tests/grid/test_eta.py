"""How long a grid still takes: figures that can be worked out in the head."""

from __future__ import annotations

from typing import Any

import pytest

from wisesr.grid.eta import Work, seconds_left, work
from wisesr.results.status_file import Status

GAP, WISE = ("study", "digits", "64", "resnet50", "gap"), ("study", "digits", "64", "resnet50", "wise")
SMALL, ELSEWHERE = ("study", "digits", "64", "toy", "gap"), ("other", "digits", "64", "resnet50", "gap")


def waiting(kind: tuple[str, ...], share: float = 1.0) -> Work:
    return Work(kind, share=share)


@pytest.mark.parametrize(
    ("works", "seconds"),
    [
        ([], 0),
        ([Work(GAP, takes=100.0)], 0),  # all done
        ([Work(GAP)], 0),  # failed: nobody is going to run it
        ([waiting(GAP)], None),
        ([Work(ELSEWHERE, takes=100.0), waiting(GAP)], None),  # another study's images, epochs: no guide
        ([Work(GAP, takes=100.0), Work(GAP, takes=200.0), waiting(GAP), waiting(GAP)], 300),
        ([Work(GAP, takes=100.0), Work(SMALL, takes=10.0), waiting(WISE)], 100),  # the same backbone is nearer
        ([Work(GAP, takes=100.0), Work(WISE, takes=200.0), waiting(SMALL)], 150),  # the study's mean
        ([Work(GAP, takes=100.0), waiting(GAP, share=0.25)], 25),  # interrupted after three quarters
        ([Work(GAP, takes=90.0, left=30.0, share=0.4, running=True), waiting(GAP)], 120),
        ([Work(GAP, takes=100.0), *[Work(GAP, left=20.0, share=1, running=True)] * 2, *[waiting(GAP)] * 4], 220),  # two at once
        ([Work(GAP, left=500.0, share=1, running=True), Work(GAP, left=1.0, share=1, running=True)], 500),  # the slowest
        ([Work(GAP, takes=80.0), Work(GAP, share=1.0, running=True)], 80),  # only just started
    ],
)
def test_seconds_left(works: list[Work], seconds: float | None) -> None:
    assert seconds_left(works) == (None if seconds is None else pytest.approx(seconds))


def test_what_a_running_cell_promises_gives_way_to_what_was_measured() -> None:
    running = Work(GAP, takes=1000.0, left=10.0, share=1, running=True)
    assert seconds_left([running, waiting(GAP)]) == pytest.approx(1010)
    assert seconds_left([running, Work(GAP, takes=50.0), waiting(GAP)]) == pytest.approx(60)


def test_cells_as_work(config: dict[str, Any]) -> None:
    kind = ("tests", "corners", "64", "toy", "wise_dropout")
    assert work(config, "done", Status(), {"cost": {"train_seconds": 7.0}}) == Work(kind, takes=7.0)
    assert work(config, "failed", Status(epoch=1, epochs=4), None) == Work(kind)
    assert work(config, "interrupted", Status(epoch=1, epochs=4), None) == Work(kind, share=0.75)
    assert work(config, "testing", Status(epoch=4, epochs=4), None) == Work(kind, left=0.0, running=True)
    training = Status(epoch=1, epochs=4, step=30, steps=80, seconds_left=50.0)
    assert work(config, "training", training, None) == Work(kind, 80.0, 50.0, 0.75, True)
    assert work(config, "starting", Status(), None) == Work(kind, share=1.0, running=True)
