"""How much of each class a head finds, and how much the baseline does."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wisesr.report.confusion import ConfusionPair
from wisesr.report.differences import SEEDS
from wisesr.statistics.intervals import Interval, interval_of
from wisesr.statistics.resampled import over_repetitions


class ClassRecall(NamedTuple):
    """Of one class; means over the seeds that have test images of it."""

    number: int
    """Of the class, from 0 on."""
    images: int
    """Predictions of either head for images of the class, all seeds together."""
    baseline: float
    """Recall, percent."""
    head: float
    difference: Interval
    """Percentage points, head minus baseline; without ends below three seeds, and where all seeds differ alike."""


def by_gain(pair: ConfusionPair) -> list[int]:
    """The classes that have test images: the one whose recall gained most first; equals in their order."""
    gains = _differences(pair)
    gained = {index: float(np.nanmean(gains[:, index])) for index in np.flatnonzero(pair.head.images.sum(axis=0)).tolist()}
    return sorted(gained, key=lambda index: (-round(gained[index], 9), index))


def class_recall(pair: ConfusionPair, index: int) -> ClassRecall:
    """The recalls of one class that has test images.

    The interval is for other seeds on these test images (paired t; the corrected resampled t where each seed has its own).
    """
    values = _differences(pair)[:, index]
    known = values[~np.isnan(values)]
    estimate = over_repetitions(known.tolist(), pair.tested_over_trained) if len(known) >= SEEDS else None
    base, head = (100 * float(np.nanmean(one.recalls()[:, index])) for one in (pair.baseline, pair.head))
    images = int(pair.head.images[:, index].sum())
    return ClassRecall(index, images, base, head, interval_of(estimate, head - base))


def _differences(pair: ConfusionPair) -> NDArray[np.float64]:
    """Recall of the head minus that of the baseline, percentage points, (seeds, classes); NaN without images."""
    return np.asarray(100 * (pair.head.recalls() - pair.baseline.recalls()))
