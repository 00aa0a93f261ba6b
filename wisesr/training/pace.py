"""How long a training still takes, from how long its batches and its epochs' ends have taken. Pure: no clock is read here."""

from __future__ import annotations

from statistics import median

_FEW = 20
"""The latest batches, whose median is the pace in the first epoch: one that waits for the disk, or for other work, would turn a
mean of so few, and the first ones are slow.
"""
_NEEDED = 5
"""Batches without which nothing is said."""
_OUTLIER = 5
"""Times the pace that a batch counts for at most."""
_WARM_UP = 2
"""First batches of an attempt, which take several times as long (memory, kernels, workers) and say nothing of the others."""
_EPOCHS = 3
"""Epochs that the pace is a mean of: other work on the machine comes and goes."""
_LEAST = 100
"""Batches of that, at least."""
_VALIDATION = 1 / 3
"""Of the time of a training batch, what one of validation takes, until it was measured: forward, without backward."""


class Pace:
    """Of one attempt at a training of `epochs` epochs.

    Args:
        epochs: all that are planned.
        batches: training batches of an epoch.
        validation_batches: those after each epoch; 0 where that is not known before the first.
    """

    def __init__(self, epochs: int, batches: int, validation_batches: int = 0) -> None:
        self._epochs, self._batches = epochs, batches
        self.validation_batches = validation_batches
        self._batch, self._seen = 0.0, 0
        self._first: list[float] = []
        self._between, self._ends = 0.0, 0

    def batch(self, seconds: float) -> None:
        """A training batch took so long, loading included."""
        self._seen += 1
        counted = self._seen - _WARM_UP
        if 0 < counted <= _FEW:
            self._first.append(seconds)
            self._batch = median(self._first)
        elif counted > _FEW and not self._ends:
            self._first = [*self._first[1:], seconds]
            self._batch = median(self._first)
        elif counted > _FEW:
            part = min(counted, max(_LEAST, _EPOCHS * self._batches))
            self._batch += (min(seconds, _OUTLIER * self._batch) - self._batch) / part

    def epoch_end(self, seconds: float) -> None:
        """From the last batch of an epoch to the first of the next it took so long: validation, checkpoint, loggers."""
        self._ends += 1
        self._between += (seconds - self._between) / min(self._ends, _EPOCHS)

    @property
    def seconds(self) -> float | None:
        """Of the whole training; None as long as too few batches were seen to tell."""
        return None if not self._is_known else self._epochs * (self._batches * self._batch + self._epoch_end)

    def seconds_left(self, epochs: int, batches: int) -> float | None:
        """After so many finished epochs, and so many batches of the next one; None as `seconds`."""
        if not self._is_known:
            return None
        still = max(0, (self._epochs - epochs) * self._batches - batches)
        return still * self._batch + (self._epochs - epochs) * self._epoch_end

    @property
    def _is_known(self) -> bool:
        """Whether enough batches were seen; of epochs that have fewer, as many as there were."""
        return len(self._first) >= _NEEDED or (bool(self._first) and self._ends > 0)

    @property
    def _epoch_end(self) -> float:
        """Seconds between two epochs: measured, or by the pace of training before the first one has ended."""
        return self._between if self._ends else self.validation_batches * self._batch * _VALIDATION
