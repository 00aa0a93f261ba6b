"""The corrected resampled t: against its formula, and against learners that are equal by construction on finite pools."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from wisesr.statistics.intervals import student
from wisesr.statistics.resampled import resampled

Values = NDArray[np.float64]


def test_the_formula_written_out() -> None:
    """Five folds: the variance of a difference times 1/5 + 1/4; t with 4 degrees of freedom."""
    differences = [1.2, -0.4, 2.3, 0.9, 1.5]
    mean, variance = np.mean(differences), np.var(differences, ddof=1)
    error = math.sqrt((1 / 5 + 1 / 4) * variance)
    estimate = resampled(differences, 1 / 4)
    assert estimate is not None
    low, high = stats.t.interval(0.95, 4, mean, error)
    assert estimate.interval()[:3] == pytest.approx((mean, low, high))
    assert estimate.p == pytest.approx(2 * stats.t.sf(abs(mean) / error, 4))


def test_nothing_tested_is_students_t_and_more_replicates_do_not_end_all_doubt() -> None:
    differences = [1.2, -0.4, 2.3, 0.9, 1.5]
    plain, nearly = student(differences), resampled(differences, 1e-12)
    assert plain is not None and nearly is not None
    assert nearly.interval() == pytest.approx(plain.interval())
    many = resampled(differences * 1000, 0.25)
    assert many is not None and many.error > math.sqrt(0.25) * np.std(differences)


def test_equal_differences_and_a_share_that_cannot_be() -> None:
    assert resampled([2.0, 2.0, 2.0], 0.25) is None
    with pytest.raises(ValueError, match="above 0, not 0"):
        resampled([1.0, 2.0], 0)


def nearest_mean(pool: Values, labels: NDArray[np.int64], train: NDArray[np.int64], test: NDArray[np.int64]) -> float:
    """Accuracy in percent of a classifier by the nearer of two class means."""
    means = np.stack([pool[train][labels[train] == label].mean(axis=0) for label in (0, 1)])
    distance = ((pool[test][:, None, :] - means) ** 2).sum(axis=2)
    return 100.0 * float((distance.argmin(axis=1) == labels[test]).mean())


def study(generator: np.random.Generator, *, folds: bool, images: int = 200) -> list[float]:
    """Differences of two learners over ten replicates (80/20), or five folds, of one pool.

    One sees some features and the other as many of the same kind, so that over all pools neither is better.
    """
    labels = np.arange(images) % 2
    pool = generator.normal(size=(images, 20)) + 0.35 * labels[:, None]
    order = generator.permutation(images)
    tests = np.split(order, 5) if folds else [generator.permutation(images)[: images // 5] for _ in range(10)]
    differences = []
    for test in tests:
        train = np.setdiff1d(np.arange(images), test)
        first, second = (nearest_mean(pool[:, part], labels, train, test) for part in (slice(0, 10), slice(10, 20)))
        differences.append(first - second)
    return differences


def rejections(seed: int, draws: int, *, folds: bool) -> tuple[int, int]:
    """Studies of equal learners in which a paired t, and the corrected one, reject at 5 %."""
    generator = np.random.default_rng(seed)
    plain = corrected = 0
    for _ in range(draws):
        differences = study(generator, folds=folds)
        first, second = student(differences), resampled(differences, 1 / 4)
        plain += first is not None and first.p < 0.05
        corrected += second is not None and second.p < 0.05
    return plain, corrected


@pytest.mark.parametrize("folds", [False, True])
def test_equal_learners_are_told_apart_no_more_often_than_is_said(folds: bool) -> None:
    """100 studies: at 5 %, more than 11 rejections have a chance of 0.4 % (binomial)."""
    plain, corrected = rejections(7, 100, folds=folds)
    assert corrected <= 11
    assert plain > corrected if folds else plain > 20, "the paired t that it corrects"
