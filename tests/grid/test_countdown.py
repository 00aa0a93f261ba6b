"""The time left as it is shown: grids of cells whose pace is noise, on a clock of their own, where the truth is known."""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import pytest

from wisesr.grid.countdown import Countdown, coarse
from wisesr.grid.eta import CellTime, cell_time, seconds_left
from wisesr.results.state import State
from wisesr.results.status_file import Status
from wisesr.training.pace import Pace

LOOK = 0.5
SLOW = {0: 6, 1: 2, 3: 20, 30: 20}
"""Batches of the first epoch that take so many times as long as others."""
START, TEST = 8.0, 3.0
"""Seconds of a cell before its training, and after it."""


class Training(NamedTuple):
    """A cell's: seconds of a batch and of a validation, how noisy both are."""

    batch: float
    validation: float
    noise: float
    epochs: int = 5
    batches: int = 40


class Run:
    """A cell that runs from `begun` on; what its status says is known beforehand."""

    def __init__(self, like: Training, begun: float, draw: random.Random) -> None:
        self.begun, self.log = begun, [(begun, Status(state=State.STARTING))]
        pace, now = Pace(like.epochs, like.batches, like.batches // 4), begun + START

        def took(seconds: float) -> float:
            return seconds * draw.lognormvariate(-(like.noise**2) / 2, like.noise)

        for epoch in range(like.epochs):
            for batch in range(like.batches):
                seconds = took(like.batch) * (SLOW.get(batch, 1) if epoch == 0 else 1)
                now += seconds
                pace.batch(seconds)
                self._tell(now, pace, like, epoch, batch + 1)
            seconds = took(like.validation)
            now += seconds
            self._tell(now, pace, like, epoch + 1, 0)
            pace.epoch_end(seconds)
        self.trained = now - begun - START
        self.log.append((now, Status(state=State.TESTING)))
        self.end = now + TEST

    def _tell(self, now: float, pace: Pace, like: Training, epoch: int, batches: int) -> None:
        status = Status(state=State.TRAINING, epoch=epoch, epochs=like.epochs)
        if (left := pace.seconds_left(epoch, batches)) is not None:
            status["seconds_left"], status["seconds"] = left, pace.seconds or 0.0
        self.log.append((now, status))

    def seen(self, config: dict[str, Any], now: float) -> CellTime:
        """For the estimate."""
        if now >= self.end:
            return cell_time(config, State.DONE, Status(), None)._replace(duration=self.trained)
        status = [status for at, status in self.log if at <= now][-1]
        return cell_time(config, status["state"], status, None, begun=(now - self.begun) / (START + TEST))


def looks(config: dict[str, Any], trainings: list[Training], slots: int, seed: int) -> tuple[list[tuple[float, float]], float]:
    """When what was shown, and when the grid ends."""
    draw, free, runs = random.Random(seed), [0.0] * slots, []
    for training in trainings:
        at = free.index(min(free))
        runs.append(Run(training, free[at], draw))
        free[at] = runs[-1].end
    countdown, shown = Countdown(), []
    for tick in range(int(max(free) / LOOK)):
        now = tick * LOOK
        waiting = cell_time(config, State.WAITING, Status(), None)
        cells = [run.seen(config, now) if run.begun <= now else waiting for run in runs]
        left = countdown.show(seconds_left(cells, overhead=START + TEST), now)
        if left is not None:
            shown.append((now, left))
    return shown, max(free)


STEADY, SHORT = Training(0.3, 3.0, 0.2), Training(0.2, 4.0, 0.3, epochs=3)
NOISY = Training(0.4, 3.0, 0.6)


@pytest.mark.parametrize(
    ("trainings", "slots"),
    [
        ([STEADY] * 2, 1),
        ([SHORT] * 2, 1),
        ([NOISY] * 3, 1),
        ([STEADY, NOISY] * 2, 1),
        ([STEADY] * 5, 2),
        ([NOISY] * 8, 3),
        ([STEADY._replace(epochs=1)], 1),
    ],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_it_neither_jumps_nor_lies(config: dict[str, Any], trainings: list[Training], slots: int, seed: int) -> None:
    shown, end = looks(config, trainings, slots, seed)
    assert shown[0][0] < 30, "there is a figure soon after the first batches"
    for (_, before), (_, after) in zip(shown, shown[1:], strict=False):
        assert abs(after - before) <= 0.04 * before + LOOK + 0.1
    for now, left in shown:
        if now > end / 3:
            assert abs(left - (end - now)) <= 0.25 * (end - now) + 6, (
                f"{left:.0f} of {end - now:.0f} s at {now:.0f} of {end:.0f}"
            )


def test_it_runs_with_the_clock_between_estimates() -> None:
    countdown = Countdown()
    assert countdown.show(None, 5.0) is None
    assert countdown.show(100.0, 10.0) == 100.0
    assert countdown.show(None, 30.0) == 80.0
    assert countdown.show(75.0, 35.0) == pytest.approx(75.0)
    assert countdown.show(None, 1000.0) == 0.0


def test_it_comes_to_a_new_estimate() -> None:
    """Twice as long, and nobody sees it jump; a minute later it is told."""
    countdown, now = Countdown(), 0.0
    countdown.show(100.0, now)
    for _ in range(120):
        now += LOOK
        left = countdown.show(200.0 - now, now)
    assert left == pytest.approx(140.0, abs=1)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3, "less than 1 min"), (50, "1 min"), (125, "2 min"), (3600, "60 min"), (7300, "2 h"), (10**6, "278 h")],
)
def test_no_finer_than_it_is_known(seconds: float, text: str) -> None:
    assert coarse(seconds) == text
