"""Figures of each class, confusions and calibration, out of the probabilities of all pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from wisesr.results.predictions import Predictions, ReliabilityBin

BINS = 15
"""Of equal width, as of the calibration error in records (`wisesr.training.metrics`)."""


class ClassFigures(NamedTuple):
    """Of one class; shares from 0 to 1, None where they are a share of nothing."""

    name: str
    images: int
    """Of this class."""
    predicted: int
    """Images that were taken for this class."""
    precision: float | None
    recall: float | None
    f1: float | None
    """None of a class without images, of which nothing can be right."""


class Confused(NamedTuple):
    """Images of one class that were taken for another."""

    true: str
    predicted: str
    images: int
    share: float
    """Of the true class's images."""


def confusion_of(predictions: Predictions) -> NDArray[np.int64]:
    """Images by (true class, predicted class): (classes, classes)."""
    count = len(predictions.classes)
    pairs = predictions.labels.astype(np.int64) * count + predictions.probabilities.argmax(axis=1)
    return np.bincount(pairs, minlength=count * count).reshape(count, count)


def class_figures(confusion: NDArray[np.int64], names: Sequence[str]) -> list[ClassFigures]:
    """The figures of every class, in the order of the names."""
    found = []
    for index, name in enumerate(names):
        right, images, predicted = (
            int(n) for n in (confusion[index, index], confusion[index].sum(), confusion[:, index].sum())
        )
        precision = right / predicted if predicted else None
        recall, f1 = (right / images, 2 * right / (images + predicted)) if images else (None, None)
        found.append(ClassFigures(name, images, predicted, precision, recall, f1))
    return found


def balanced_accuracy(classes: Sequence[ClassFigures]) -> float:
    """The mean recall of the classes that have images; of no image 0."""
    recalls = [own.recall for own in classes if own.recall is not None]
    return sum(recalls) / len(recalls) if recalls else 0.0


def confusions(confusion: NDArray[np.int64], names: Sequence[str]) -> list[Confused]:
    """The pairs that were confused, those with the most images first, then with the largest share."""
    totals = confusion.sum(axis=1)
    pairs = [(int(true), int(said)) for true, said in zip(*np.nonzero(confusion), strict=True) if true != said]
    found = [
        Confused(names[true], names[said], int(confusion[true, said]), float(confusion[true, said] / totals[true]))
        for true, said in pairs
    ]
    return sorted(found, key=lambda pair: (-pair.images, -pair.share))


def calibration(predictions: Predictions) -> list[ReliabilityBin]:
    """Bins of the most probable class's probability; sum of images * |accuracy - confidence| / all images is the `ece`.

    As in torchmetrics, a probability of exactly 1 has a bin of its own, which is last, and here only where it has images.
    """
    edges = torch.linspace(0, 1, BINS + 1).numpy()
    top = predictions.probabilities.max(axis=1)
    at, right = np.searchsorted(edges, top, side="right") - 1, predictions.right
    bins = []
    for index in range(BINS + 1):
        mine = at == index
        count, low, high = int(mine.sum()), index / BINS, min(index + 1, BINS) / BINS
        if count or index < BINS:
            means = (float(top[mine].mean(dtype=np.float64)), float(right[mine].mean())) if count else (None, None)
            bins.append(ReliabilityBin(low, high, count, *means))
    return bins
