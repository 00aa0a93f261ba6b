"""`steps.csv`: one row an optimizer step. (The record's own metrics.csv has one row an epoch.)"""

from __future__ import annotations

from collections.abc import Sequence

from wisesr.results.atomic_files import write_text
from wisesr.results.metrics import Row
from wisesr.training.loggers.base import Run, RunLogger, StepRow

_HEADER = "step,lr,train/loss\n"


class StepsLogger(RunLogger):
    """Appends an epoch's steps when its checkpoint stands; a resume drops the rows of unfinished epochs."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._path = run.directory / "steps.csv"

    def start(self, history: Sequence[Row]) -> None:
        """Keep the rows of finished epochs only."""
        done = history[-1]["step"] if history else 0
        old = self._path.read_text(encoding="utf-8").splitlines(keepends=True)[1:] if self._path.exists() else []
        write_text(self._path, _HEADER + "".join(line for line in old if int(line.split(",")[0]) <= done))

    def epoch(self, row: Row, steps: Sequence[StepRow]) -> None:
        """Append the epoch's steps."""
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(f"{step.step},{step.lr!r},{step.loss!r}\n" for step in steps)
