"""The test images on which a head and the baseline disagree most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wisesr.report.study import Entry
from wisesr.results.predictions import Predictions

MOST = 8
"""Images on either side, at most."""


class MeanPrediction(NamedTuple):
    """What one head's models predict for an image, their probabilities averaged over seeds."""

    predicted: str
    """The most probable class."""
    probability: float
    """Of the predicted class, from 0 to 1."""
    true_probability: float
    """Of the true class."""


class Case(NamedTuple):
    """An image, and what the two heads predict for it."""

    id: str
    label: str
    """The true class."""
    baseline: MeanPrediction
    head: MeanPrediction


class Disagreement(NamedTuple):
    """The images on which one entry and the baseline of its backbone and settings differ most."""

    entry: Entry
    baseline: str
    """The label of its head."""
    seeds: tuple[int, ...]
    """Those that both have; the probabilities are averaged over them."""
    better: tuple[Case, ...]
    """Where the head is more confident in the true class than the baseline is, the largest difference first."""
    worse: tuple[Case, ...]
    """Where the baseline is more confident in it."""


PredictionsBySeed = Mapping[int, Predictions]
"""Predictions by seed, all of the same images and classes."""


def disagreement(
    entry: Entry, baseline: str, of_head: PredictionsBySeed, of_baseline: PredictionsBySeed
) -> Disagreement | None:
    """The images on which a head and the baseline differ most; None where they have no seed in common."""
    seeds = tuple(seed for seed in of_head if seed in of_baseline)
    if not seeds:
        return None
    first = of_head[seeds[0]]
    head, base = (_mean([by_seed[seed] for seed in seeds]) for by_seed in (of_head, of_baseline))
    rows = np.arange(len(first.labels))
    gain = head[rows, first.labels] - base[rows, first.labels]

    def cases(order: NDArray[np.int64]) -> tuple[Case, ...]:
        return tuple(_case(first, int(image), base[image], head[image]) for image in order)

    # Of equals the first by its place in the dataset, so that a report is the same each time.
    better = np.argsort(-gain, kind="stable")[:MOST]
    worse = np.argsort(gain, kind="stable")[:MOST]
    return Disagreement(entry, baseline, seeds, cases(better[gain[better] > 0]), cases(worse[gain[worse] < 0]))


def _mean(predictions: list[Predictions]) -> NDArray[np.float64]:
    """Probabilities averaged over models, (images, classes)."""
    total = predictions[0].probabilities.astype(np.float64)
    for model in predictions[1:]:
        total += model.probabilities
    return np.asarray(total / len(predictions))


def _case(predictions: Predictions, image: int, base: NDArray[np.float64], head: NDArray[np.float64]) -> Case:
    """Args: predictions: any of these images. base, head: probabilities of the image's classes, (classes,)."""
    label, classes = int(predictions.labels[image]), predictions.classes
    means = [MeanPrediction(classes[int(mean.argmax())], float(mean.max()), float(mean[label])) for mean in (base, head)]
    return Case(str(predictions.ids[image]), classes[label], *means)
