"""How well each cell did on each test image: what a difference owes to the images that happened to be in the test split.

A file of predictions is read once a report, and of it only what is tested is kept: a number an image.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wisesr.report.study import ReportCell
from wisesr.report.tested_metrics import TOP1, Metric
from wisesr.results.predictions import Predictions, read_predictions

_NEARLY_ALL = 0.98
"""Share of images with one answer from which on a model says the same of all."""


class Scores(NamedTuple):
    """A cell on its test images."""

    images: str
    """Digest of their names and labels, in order: cells with the same one can be compared image by image."""
    values: NDArray[np.float32]
    """(images,), whose mean is the cell's figure, in its unit: `Metric.per_image`."""
    classes: int
    right: NDArray[np.float32] | None = None
    """(images,), 100 where the answer is right and else 0, whatever is tested; None where `values` are these."""

    one_answer: bool = False
    """Whether nearly all images got one and the same class as answer, of several that they are of: nothing was learned."""

    @property
    def top1(self) -> NDArray[np.float32]:
        """(images,), whose mean is top-1, percent."""
        return self.values if self.right is None else self.right


Scoring = Callable[[ReportCell], Scores | str]
"""Scores of a finished cell, or why there are none, in words that follow its name."""


class ScoreReader:
    """The scores of cells, each read once."""

    def __init__(self, metric: Metric = TOP1) -> None:
        """Args: metric: that is tested."""
        self._metric = metric
        self._known: dict[Path, Scores | str] = {}

    def __call__(self, cell: ReportCell) -> Scores | str:
        """As of `Scoring`."""
        if cell.directory not in self._known:
            self._known[cell.directory] = _read(cell, self._metric)
        return self._known[cell.directory]


def _read(cell: ReportCell, metric: Metric) -> Scores | str:
    predictions = read_predictions(cell.directory)
    if predictions is None:
        return "has no predictions that can be read"
    if not _has_accuracy_of_record(predictions, cell):
        return "has predictions that are not those of its record"
    values = metric.per_image(predictions).astype(np.float32)
    right = None if metric is TOP1 else TOP1.per_image(predictions).astype(np.float32)
    return Scores(_digest(predictions), values, len(predictions.classes), right, _is_one_answer(predictions))


def _is_one_answer(predictions: Predictions) -> bool:
    answers = np.bincount(predictions.probabilities.argmax(axis=1))
    most_of_a_class = np.bincount(predictions.labels).max()
    images = len(predictions.labels)
    return bool(answers.max() >= _NEARLY_ALL * images and most_of_a_class < _NEARLY_ALL * images)


def _digest(predictions: Predictions) -> str:
    """Of names and labels: classes are compared by name, whatever numbers they have."""
    names = np.array(predictions.classes)[predictions.labels]
    digest = hashlib.sha256("\0".join(predictions.ids.tolist()).encode(errors="backslashreplace"))
    digest.update("\0".join(names.tolist()).encode(errors="backslashreplace"))
    return digest.hexdigest()


def _has_accuracy_of_record(predictions: Predictions, cell: ReportCell) -> bool:
    """Whether the file has the accuracy that the record states; a tie between classes may be broken either way."""
    images = len(predictions.labels)
    return images > 1 and abs(100.0 * float(predictions.right.mean()) - cell.top1) < 100.0 * 1.5 / images
