"""Which classes a head takes for which."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wisesr.report.disagreement import PredictionsBySeed
from wisesr.report.study import Entry


class Confusion(NamedTuple):
    """Of one entry, over those of its seeds whose predictions can be read and are of the same images and classes."""

    entry: Entry
    seeds: tuple[int, ...]
    classes: tuple[str, ...]
    counts: NDArray[np.int64]
    """Images of all seeds, (true class, predicted class)."""

    def shares(self) -> NDArray[np.float64]:
        """Counts as shares of each true class, (true class, predicted class); a row adds up to 1, or is NaN without images."""
        totals = self.counts.sum(axis=1, keepdims=True)
        return np.asarray(np.where(totals > 0, self.counts / np.maximum(totals, 1), np.nan))

    @property
    def absent(self) -> tuple[str, ...]:
        """Classes without a test image, of which no share can be told; in their order."""
        return tuple(name for name, total in zip(self.classes, self.counts.sum(axis=1), strict=True) if not total)

    def pairs(self) -> list[tuple[int, int]]:
        """Pairs of a true and another class that was predicted for it: the most images first, then the largest share."""
        shares, counts = self.shares(), self.counts
        pairs = [(int(true), int(predicted)) for true, predicted in zip(*np.nonzero(counts), strict=True)]
        return sorted(
            ((true, predicted) for true, predicted in pairs if true != predicted),
            key=lambda pair: (-counts[pair], -shares[pair], pair),
        )


def confusion(entry: Entry, predictions: PredictionsBySeed) -> Confusion | None:
    """What an entry's models predicted for the test images; None without predictions."""
    if not predictions:
        return None
    classes = next(iter(predictions.values())).classes
    counts = np.zeros((len(classes), len(classes)), np.int64)
    for model in predictions.values():
        np.add.at(counts, (model.labels, model.probabilities.argmax(axis=1)), 1)
    return Confusion(entry, tuple(predictions), classes, counts)
