"""Which classes a head takes for which, and what of that changed from the baseline to it."""

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
    counts: NDArray[np.int32]
    """Images of all seeds, (true class, predicted class)."""
    right: NDArray[np.int32]
    """Images of each class that were predicted right, (seeds, classes)."""
    images: NDArray[np.int32]
    """Test images of each class, (seeds, classes)."""

    def shares(self) -> NDArray[np.float64]:
        """Counts as shares of each true class, (true class, predicted class); a row adds up to 1, or is NaN without images."""
        totals = self.counts.sum(axis=1, keepdims=True)
        return np.asarray(np.where(totals > 0, self.counts / np.maximum(totals, 1), np.nan))

    def recalls(self) -> NDArray[np.float64]:
        """The share of each class that was predicted right, (seeds, classes); NaN where a seed has no image of the class."""
        return np.asarray(np.where(self.images > 0, self.right / np.maximum(self.images, 1), np.nan))

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


class ConfusionPair(NamedTuple):
    """A head and the baseline of its row, over the seeds that both have, each seed on the same test images."""

    head: Confusion
    baseline: Confusion
    tested_over_trained: float | None = None
    """Where test images differ between seeds, as between replicates or folds (`repetitions.tested_over_trained`)."""

    def changes(self) -> NDArray[np.float64]:
        """Share of each true class that is predicted as each class, head minus baseline, percentage points.

        (true class, predicted class); NaN in the rows of classes without images.
        """
        return np.asarray(100 * (self.head.shares() - self.baseline.shares()))

    def changed(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Pairs of a true and another class: those whose share fell, the largest fall first, and those whose share rose.

        Of equal changes those of more images come first.
        """
        changes = np.nan_to_num(self.changes()).round(9)
        np.fill_diagonal(changes, 0.0)
        true, predicted = np.nonzero(changes)
        change = changes[true, predicted]
        images = (self.head.counts + self.baseline.counts)[true, predicted]
        order = np.lexsort((predicted, true, -images, -np.abs(change))).tolist()
        pairs = [(int(true[at]), int(predicted[at]), float(change[at])) for at in order]
        return [(row, column) for row, column, by in pairs if by < 0], [(row, column) for row, column, by in pairs if by > 0]


def confusion(entry: Entry, predictions: PredictionsBySeed) -> Confusion | None:
    """What an entry's models predicted for the test images; None without predictions."""
    if not predictions:
        return None
    classes = next(iter(predictions.values())).classes
    number = len(classes)
    counts = np.zeros((number, number), np.int32)
    right, images = [], []
    for model in predictions.values():
        predicted = model.probabilities.argmax(axis=1)
        np.add.at(counts, (model.labels, predicted), 1)
        right.append(np.bincount(model.labels[predicted == model.labels], minlength=number).astype(np.int32))
        images.append(np.bincount(model.labels, minlength=number).astype(np.int32))
    return Confusion(entry, tuple(predictions), classes, counts, np.array(right), np.array(images))


def only(whole: Confusion, predictions: PredictionsBySeed, seeds: tuple[int, ...]) -> Confusion | None:
    """The confusion over some of its seeds; itself where these are all, as it may be large.

    Args:
        whole: over all of its seeds.
        predictions: that it was made from.
        seeds: some of these; without any there is none.
    """
    return whole if seeds == whole.seeds else confusion(whole.entry, {seed: predictions[seed] for seed in seeds})
