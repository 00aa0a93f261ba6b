"""What `wisesr predict` says on standard error: files that could not be read, what was not tried, what was done."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from wisesr.cli.predict_output import partial_of
from wisesr.grid.console import say
from wisesr.inference.prediction.paths import Skipped
from wisesr.wording import count_of

if TYPE_CHECKING:
    from wisesr.inference.prediction.rows import Answer


class Told:
    """What standard error is told: problems as they come, and sums at the end."""

    def __init__(self, console: Console, skipped: Skipped) -> None:
        self._console, self._skipped = console, skipped
        self.all = self.bad = 0
        self._began = time.monotonic()

    def problems(self, batches: Iterable[Sequence[Answer]]) -> Iterator[Sequence[Answer]]:
        """The batches, once their rows are written, with a line for each file that could not be read."""
        for answers in batches:
            yield answers
            self.all += len(answers)
            for answer in answers:
                if answer.problem:
                    self.bad += 1
                    say(self._console, f"{answer.path}: {answer.problem}")

    def end(self, output: Path | None) -> None:
        """What was done, where rows go to a file; what was not, anyway."""
        if output is not None:
            seconds = time.monotonic() - self._began
            good = self.all - self.bad
            say(self._console, f"{count_of(good, 'prediction')} in {output} ({good / seconds:,.0f} images/s)")
        if self.bad:
            say(self._console, f"{self.bad:,} of {count_of(self.all, 'path')} could not be predicted: column error says why.")
        if skipped := str(self._skipped):
            say(self._console, skipped)

    def cut_short(self, output: Path | None) -> None:
        """Where the rows are that were written until now."""
        if output is not None and self.all and partial_of(output).exists():
            say(self._console, f"The first {count_of(self.all, 'row')} are in {partial_of(output)}")
