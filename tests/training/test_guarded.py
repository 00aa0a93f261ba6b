"""A logger that breaks, or writes into what it is shown, changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.support.runs import NOTHING, ROWS
from wisesr.results.metrics import Row
from wisesr.training.loggers.base import Findings, Run, RunLogger, StepRow
from wisesr.training.loggers.guarded import Guarded


class Broken(RunLogger):
    """Fails at one call, and counts all of them."""

    def __init__(self, run: Run, *, at: str = "finish") -> None:
        super().__init__(run)
        self.at, self.calls = at, list[str]()

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if name == self.at:
            raise RuntimeError("broken on purpose")

    def start(self, history: Sequence[Row]) -> None:
        self._called("start")

    def epoch(self, row: Row, steps: Sequence[StepRow]) -> None:
        self._called("epoch")

    def finish(self, summary: Mapping[str, Any], findings: Findings) -> None:
        self._called("finish")

    def fail(self) -> None:
        self._called("fail")


@pytest.mark.parametrize(
    ("at", "calls"),
    [
        ("start", ["start", "fail"]),
        ("epoch", ["start", "epoch", "fail"]),
        ("finish", ["start", "epoch", "epoch", "finish", "fail"]),
        ("fail", ["start", "epoch", "epoch", "finish", "fail"]),
        ("", ["start", "epoch", "epoch", "finish", "fail"]),
    ],
)
def test_a_broken_logger_is_left_out(run: Run, at: str, calls: list[str], caplog: pytest.LogCaptureFixture) -> None:
    broken = Broken(run, at=at)
    guarded = Guarded(broken)
    guarded.start([])
    guarded.epoch(ROWS[0], [])
    guarded.epoch(ROWS[1], [])
    guarded.finish({}, NOTHING)
    guarded.fail()
    assert broken.calls == calls
    assert ("broken on purpose" in caplog.text) == bool(at)


def test_what_a_logger_does_to_its_rows_is_its_own_affair(run: Run) -> None:
    """They are those of metrics.csv, of the checkpoint, and of the choice of the epoch."""

    class Careless(RunLogger):
        def start(self, history: Sequence[Row]) -> None:
            history[0].pop("step")

        def epoch(self, row: Row, steps: Sequence[StepRow]) -> None:
            row["val/top1"] = row.pop("step")

        def finish(self, summary: Mapping[str, Any], findings: Findings) -> None:
            assert isinstance(summary, dict)
            summary.clear()

    rows, summary = [dict(row) for row in ROWS], {"best/test/top1": 0.5}
    guarded = Guarded(Careless(run))
    guarded.start(rows)
    guarded.epoch(rows[1], [])
    guarded.finish(summary, NOTHING)
    assert (rows, summary) == (ROWS, {"best/test/top1": 0.5})


def test_an_interrupt_is_no_error_of_a_logger(run: Run) -> None:
    class Interrupted(RunLogger):
        def finish(self, summary: Mapping[str, Any], findings: Findings) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Guarded(Interrupted(run)).finish({}, NOTHING)
