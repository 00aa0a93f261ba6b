"""The test images on which a head and the baseline disagree most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wisesr.report.study import Entry
from wisesr.results.predictions import Predictions

MOST = 8
"""Images to either side."""


class MeanPrediction(NamedTuple):
    """What one head's models say of an image, their probabilities averaged over seeds."""

    predicted: str
    """The most probable class."""
    probability: float
    """Of it, from 0 to 1."""
    true_probability: float
    """Of the true class."""


class Case(NamedTuple):
    """An image."""

    id: str
    label: str
    """The true class."""
    baseline: MeanPrediction
    head: MeanPrediction


class Disagreement(NamedTuple):
    """Of one entry and the baseline of its backbone and settings."""

    entry: Entry
    baseline: str
    """The label of its head."""
    seeds: tuple[int, ...]
    """Those that both have; the probabilities are averaged over them."""
    better: tuple[Case, ...]
    """Where the head gives the true class the more than the baseline does, most first."""
    worse: tuple[Case, ...]
    """Where the baseline gives it more."""


PredictionsBySeed = Mapping[int, Predictions]
"""Predictions by seed, all of the same images and classes."""


def disagreement(entry: Entry, baseline: str, its: PredictionsBySeed, others: PredictionsBySeed) -> Disagreement | None:
    """The images; None where no seed is common.

    Args:
        entry: of the head.
        baseline: label of the head that it is held against.
        its: predictions of the head.
        others: of the baseline.
    """
    seeds = tuple(seed for seed in its if seed in others)
    if not seeds:
        return None
    first = its[seeds[0]]
    head, base = (_mean([known[seed] for seed in seeds]) for known in (its, others))
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
    for one in predictions[1:]:
        total += one.probabilities
    return np.asarray(total / len(predictions))


def _case(of: Predictions, image: int, base: NDArray[np.float64], head: NDArray[np.float64]) -> Case:
    label = int(of.labels[image])
    said = [MeanPrediction(of.classes[int(one.argmax())], float(one.max()), float(one[label])) for one in (base, head)]
    return Case(str(of.ids[image]), of.classes[label], *said)
