"""Figures of classes, confusions and calibration against other people's code, and the diagram that shows them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, precision_recall_fscore_support

from wisesr.inference.evaluation.class_figures import (
    balanced_accuracy,
    calibration,
    class_figures,
    confusion_of,
    confusions,
)
from wisesr.inference.evaluation.samples import batches_of
from wisesr.report.figures.reliability import reliability_spec
from wisesr.report.figures.render import render
from wisesr.results.predictions import Predictions
from wisesr.training.metrics import SplitMetrics

NAMES = tuple("abcdefg")


def drawn(seed: int, count: int = 200, sharpness: float = 2.0) -> tuple[Predictions, torch.Tensor]:
    """Predictions of seven classes, of which the last has no image and the first is never predicted."""
    random = np.random.default_rng(seed)
    logits = torch.from_numpy(random.normal(size=(count, 7)) * sharpness).float()
    logits[:, 0] -= 100
    labels = random.integers(0, 6, count)
    ids = np.array([f"{index}.png" for index in range(count)])
    return Predictions(ids, labels, logits.softmax(dim=1).numpy(), NAMES), logits


@pytest.mark.parametrize("seed", range(4))
def test_figures_of_classes_are_those_of_scikit_learn(seed: int) -> None:
    predictions, _ = drawn(seed)
    said = predictions.probabilities.argmax(axis=1)
    confusion = confusion_of(predictions)
    assert np.array_equal(confusion, confusion_matrix(predictions.labels, said, labels=range(7)))
    rows = class_figures(confusion, NAMES)
    columns = precision_recall_fscore_support(predictions.labels, said, labels=range(7), zero_division=np.nan)
    for index, row in enumerate(rows):
        assert (row.name, row.images) == (NAMES[index], columns[3][index])
        for own, theirs in zip((row.precision, row.recall), columns[:2], strict=True):
            assert (own is None and np.isnan(theirs[index])) or own == pytest.approx(theirs[index])
        assert row.f1 is None if index == 6 else row.f1 == pytest.approx(np.nan_to_num(columns[2][index]))
    assert balanced_accuracy(rows) == pytest.approx(columns[1][:6].mean())
    known = said != 6
    part = Predictions(*(column[known] for column in predictions[:3]), NAMES)
    theirs = balanced_accuracy_score(part.labels, said[known])
    assert balanced_accuracy(class_figures(confusion_of(part), NAMES)) == pytest.approx(theirs)


def test_the_most_frequent_confusion_comes_first() -> None:
    predictions, _ = drawn(0)
    pairs = confusions(confusion_of(predictions), NAMES)
    assert [pair.images for pair in pairs] == sorted((pair.images for pair in pairs), reverse=True)
    wrong = sum(pair.images for pair in pairs)
    assert wrong == (~predictions.right).sum() and all(pair.true != pair.predicted for pair in pairs)


@pytest.mark.parametrize("sharpness", [0.5, 2.0, 40.0])
def test_the_bins_of_the_calibration_add_up_to_the_error_of_the_record(sharpness: float) -> None:
    predictions, logits = drawn(1, sharpness=sharpness)
    metrics = SplitMetrics(7)
    metrics.update(logits, torch.from_numpy(predictions.labels))
    bins = calibration(predictions)
    gaps = [own.images * abs(own.accuracy - own.confidence) for own in bins if own.images]  # type: ignore[operator]
    assert sum(own.images for own in bins) == 200
    assert sum(gaps) / 200 == pytest.approx(metrics.result()["ece"], abs=1e-6)
    if sharpness == 40.0:
        assert bins[-1].low == bins[-1].high == 1.0 and bins[-1].images


def test_the_diagram_is_drawn_whatever_the_bins_are() -> None:
    for sharpness in (0.5, 40.0):
        bins = calibration(drawn(2, sharpness=sharpness)[0])
        picture = render(reliability_spec(bins, "toy-64 a-<b> seed 0", "200 images"))
        assert "toy-64 a-&lt;b&gt; seed 0" in picture.svg and picture.png.startswith(b"\x89PNG")


def test_batches_are_those_of_the_devices_one_after_another() -> None:
    assert batches_of(5, 2, 1) == [[0, 1], [2, 3], [4]]
    assert batches_of(5, 2, 2) == [[0, 2], [4], [1, 3]]
