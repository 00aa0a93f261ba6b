"""Metrics image by image, against scikit-learn, loops, the jackknife and the bootstrap."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, f1_score, log_loss

from wisesr.cli.report import METRICS as NAMES_FOR_HELP
from wisesr.errors import UserError
from wisesr.report.tested_metrics import METRICS, metric_of
from wisesr.results.predictions import Predictions


def _predictions(seed: int, images: int, classes: int, *, absent: int = 0, accuracy: float = 0.6) -> Predictions:
    """Unbalanced classes, the last ones of which may have no image, and may be predicted nevertheless."""
    random = np.random.default_rng(seed)
    shares = np.arange(1.0, classes - absent + 1)
    labels = random.choice(classes - absent, images, p=shares / shares.sum())
    logits = random.normal(size=(images, classes))
    logits[np.arange(images), labels] += 4 * accuracy * random.random(images)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    names = tuple(map(str, range(classes)))
    return Predictions(np.array([f"{index}" for index in range(images)]), labels, probabilities.astype(np.float32), names)


def _taken(predictions: Predictions, images: np.ndarray) -> Predictions:
    return predictions._replace(labels=predictions.labels[images], probabilities=predictions.probabilities[images])


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")  # which is what is asked for here
@settings(max_examples=30)
@given(st.integers(0, 1000), st.integers(1, 60), st.integers(2, 6), st.integers(0, 1))
def test_values_are_scikit_learns(seed: int, images: int, classes: int, absent: int) -> None:
    predictions = _predictions(seed, images, classes, absent=absent)
    labels, predicted = predictions.labels, predictions.probabilities.argmax(axis=1)
    loss = log_loss(labels, predictions.probabilities, labels=range(classes))
    truth = {
        "top1": 100 * np.mean(labels == predicted),
        "balanced_accuracy": 100 * np.mean([np.mean(predicted[labels == each] == each) for each in np.unique(labels)]),
        "macro_f1": 100 * f1_score(labels, predicted, labels=np.unique(labels), average="macro", zero_division=0),
        "nll": loss,
    }
    if len(np.unique(labels)) > 1:  # scikit-learn warns of a single class
        assert truth["balanced_accuracy"] == pytest.approx(100 * balanced_accuracy_score(labels, predicted))
    assert truth.keys() == METRICS.keys()
    for name, metric in METRICS.items():
        per_image = metric.per_image(predictions)
        assert per_image.shape == (images,) and per_image.dtype == np.float64
        assert metric.value(predictions) == pytest.approx(truth[name], abs=1e-5)


def test_the_loss_is_a_loops_and_finite_for_a_probability_of_0() -> None:
    predictions = _predictions(1, 20, 3)
    predictions.probabilities[0] = [0, 0, 0]
    predictions.probabilities[0, (predictions.labels[0] + 1) % 3] = 1
    pairs = zip(predictions.labels[1:], predictions.probabilities[1:], strict=True)
    wanted = [-math.log(2**-126), *(-math.log(float(row[label])) for label, row in pairs)]
    assert METRICS["nll"].per_image(predictions).tolist() == pytest.approx(wanted)


@pytest.mark.parametrize("name", ["balanced_accuracy", "macro_f1"])
def test_what_an_image_moves_is_what_leaving_it_out_moves(name: str) -> None:
    """The jackknife's pseudo-values, to first order."""
    metric, predictions, images = METRICS[name], _predictions(2, 600, 4), 600
    per_image, value = metric.per_image(predictions), metric.value(predictions)
    without = [metric.value(_taken(predictions, np.delete(np.arange(images), at))) for at in range(images)]
    pseudo = images * value - (images - 1) * np.array(without)
    assert per_image - value == pytest.approx(pseudo - value, rel=0.1, abs=3)
    assert per_image.std() == pytest.approx(pseudo.std(), rel=0.02)


@pytest.mark.parametrize("name", ["balanced_accuracy", "macro_f1", "nll"])
@pytest.mark.parametrize("absent", [0, 1])
def test_the_spread_over_images_is_the_bootstraps(name: str, absent: int) -> None:
    """Of one model, and of the difference between two on the same images."""
    metric, images = METRICS[name], 1500
    first = _predictions(3, images, 5, absent=absent)
    second = _worse(first)
    drawn = np.random.default_rng(0).integers(0, images, (600, images))
    values = np.array([[metric.value(_taken(one, draw)) for one in (first, second)] for draw in drawn])
    for own, per_image in (
        (values[:, 0], metric.per_image(first)),
        (values[:, 1] - values[:, 0], metric.per_image(second) - metric.per_image(first)),
    ):
        error = per_image.std(ddof=1) / math.sqrt(images)
        assert error == pytest.approx(own.std(ddof=1), rel=0.1)  # 600 draws know a deviation to 3 %


def _worse(predictions: Predictions) -> Predictions:
    """Another model, which often predicts the same."""
    random = np.random.default_rng(4)
    mixed = 0.6 * predictions.probabilities + 0.4 * random.dirichlet(np.ones(len(predictions.classes)), len(predictions.labels))
    return predictions._replace(probabilities=mixed.astype(np.float32))


def test_a_metric_has_its_name_and_one_that_is_none_is_answered() -> None:
    assert tuple(METRICS) == NAMES_FOR_HELP
    assert all(metric.name == name and metric_of(name) is metric for name, metric in METRICS.items())
    assert [name for name, metric in METRICS.items() if not metric.higher_is_better] == ["nll"]
    with pytest.raises(UserError, match="macro_f1"):
        metric_of("macrof1")
