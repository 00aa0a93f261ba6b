"""What a report can test other than top-1, image by image, so that every metric has an interval over images.

A metric of a test set is the mean of a number for each image. Of top-1 and the loss these numbers are plain. Balanced accuracy
and macro F1 are ratios of means: an image's number is then the value plus what the image moves it by, to first order (the delta
method, or infinitesimal jackknife: Efron 1981, Biometrika 68:589-599). The spread of these numbers, and of their differences
between two models on the same images, is then the metric's; with only a few test images of a class it is too small.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wisesr.errors import UserError, unknown
from wisesr.results.predictions import Predictions

_SMALLEST = float(np.finfo(np.float32).smallest_normal)
"""A recorded probability of 0 is one below this, and a loss of at least 87.3 nats: below it, float32 has few digits, and some
devices have only 0."""

_POINTS = "percentage points"
PerImage = NDArray[np.float64]
"""(images,); the mean is the metric's value."""


class Metric(NamedTuple):
    """A figure of a model on a test set."""

    name: str
    """As `--metric` has it."""
    words: str
    """In a sentence: `balanced accuracy`."""
    title: str
    """Above a column: `balanced accuracy, %`."""
    unit: str
    """Of a difference, in the plural: `percentage points`."""
    higher_is_better: bool
    decimals: int
    per_image: Callable[[Predictions], PerImage]
    """Of predictions of at least one image; in percent or nats."""
    margin: float = 1.0
    """Within which two heads count as equal, unless another is asked for; in its unit."""

    @property
    def image_unit(self) -> float:
        """The step of an image from one answer to the other: 100 of a percentage, 1 nat of a loss."""
        return 100.0 if self.unit == _POINTS else 1.0

    @property
    def points(self) -> str:
        """The unit in short: points, nats."""
        return self.unit.rpartition(" ")[2]

    def value(self, predictions: Predictions) -> float:
        """Of a model on its test images, in percent or nats."""
        return float(self.per_image(predictions).mean())


def _top1(predictions: Predictions) -> PerImage:
    return np.asarray(100.0 * predictions.right, np.float64)


def _nll(predictions: Predictions) -> PerImage:
    """Cross entropy of the recorded probabilities."""
    images = np.arange(len(predictions.labels))
    true = predictions.probabilities[images, predictions.labels].astype(np.float64)
    return np.asarray(-np.log(np.maximum(true, _SMALLEST)))


class _Counts(NamedTuple):
    """Images by class, (classes,)."""

    labels: NDArray[np.int64]
    predicted: NDArray[np.int64]
    """Of each image, (images,)."""
    true: PerImage
    said: PerImage
    right: PerImage
    present: PerImage
    """The weight of each class: equal for those with test images, 0 for the others, which can have no image right."""


def _counts(predictions: Predictions) -> _Counts:
    labels, predicted = predictions.labels.astype(np.int64), predictions.probabilities.argmax(axis=1)
    classes = predictions.probabilities.shape[1]
    true, said, right = (
        np.bincount(which, minlength=classes).astype(np.float64) for which in (labels, predicted, labels[labels == predicted])
    )
    return _Counts(labels, predicted, true, said, right, (true > 0) / np.count_nonzero(true))


def _balanced_accuracy(predictions: Predictions) -> PerImage:
    """Recall, averaged over the classes that have test images."""
    counts = _counts(predictions)
    recall = counts.right / np.maximum(counts.true, 1)
    weight = counts.present / np.maximum(counts.true, 1) * len(counts.labels)
    labels = counts.labels
    moved = weight[labels] * ((counts.predicted == labels) - recall[labels])
    return np.asarray(100.0 * (counts.present @ recall + moved))


def _macro_f1(predictions: Predictions) -> PerImage:
    """F1, 2 right / (true + said), averaged over the classes that have test images, as `training.metrics.MacroF1` does."""
    counts = _counts(predictions)
    both = np.maximum(counts.true + counts.said, 1)
    f1 = 2 * counts.right / both
    weight = counts.present / both * len(counts.labels)
    labels, predicted = counts.labels, counts.predicted
    moved = 2 * weight[labels] * (predicted == labels) - (weight * f1)[labels] - (weight * f1)[predicted]
    return np.asarray(100.0 * (counts.present @ f1 + moved))


TOP1 = Metric("top1", "top-1", "top-1, %", _POINTS, True, 2, _top1)
METRICS = {
    metric.name: metric
    for metric in (
        TOP1,
        Metric("balanced_accuracy", "balanced accuracy", "balanced accuracy, %", _POINTS, True, 2, _balanced_accuracy),
        Metric("macro_f1", "macro F1", "macro F1, %", _POINTS, True, 2, _macro_f1),
        Metric("nll", "negative log-likelihood", "negative log-likelihood, nats", "nats", False, 4, _nll, 0.02),
    )
}
"""By name."""


def metric_of(name: str) -> Metric:
    """A metric by its name.

    Raises:
        UserError: there is none of that name.
    """
    if name not in METRICS:
        raise UserError(f"--metric: {unknown('metric', name, METRICS)}")
    return METRICS[name]
