"""Statistics against scipy, statsmodels, exact sums and simulated grids without an effect."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.multitest import multipletests

from wisesr.statistics.families import holm
from wisesr.statistics.images import over_images
from wisesr.statistics.intervals import Interval, interval_of, mean_std, student


def _paired_t(differences: list[float]) -> Interval:
    return interval_of(student(differences), mean_std(differences)[0])


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=12))
def test_mean_and_deviation_are_numpys(values: list[float]) -> None:
    mean, std = mean_std(values)
    assert mean == pytest.approx(np.mean(values), abs=1e-9)
    assert std == pytest.approx(np.std(values, ddof=1), abs=1e-9)


def test_one_value_has_no_deviation() -> None:
    assert mean_std([93.5]) == (93.5, None)


@pytest.mark.parametrize("seeds", [3, 4, 5, 10, 30])
def test_paired_t_is_scipys(seeds: int) -> None:
    random = np.random.default_rng(seeds)
    first, second = random.normal(90, 1, seeds), random.normal(90.5, 1, seeds)
    result = _paired_t((second - first).tolist())
    truth = stats.ttest_rel(second, first)
    interval = truth.confidence_interval(0.95)
    assert result.mean == pytest.approx(float(np.mean(second - first)), rel=1e-9)
    assert result.p == pytest.approx(truth.pvalue, rel=1e-9)
    assert (result.low, result.high) == pytest.approx((interval.low, interval.high), rel=1e-9)


@given(st.integers(2, 5000), st.integers(3, 6), st.data())
def test_as_many_images_more_on_every_seed_is_no_test(images: int, seeds: int, data: st.DataObject) -> None:
    more = data.draw(st.integers(0, images))
    right = data.draw(st.lists(st.integers(0, images - more), min_size=seeds, max_size=seeds))
    as_recorded = [[100.0 * float(np.float32(count / images)) for count in (one, one + more)] for one in right]
    result = _paired_t([second - first for first, second in as_recorded])
    assert (result.low, result.high, result.p) == (None, None, None)
    assert result.mean == pytest.approx(100 * more / images, abs=1e-4)


def test_one_image_of_a_large_test_set_is_a_difference() -> None:
    assert _paired_t([100 / 50_000, 200 / 50_000, 100 / 50_000]).p is not None


@settings(max_examples=8)  # statsmodels takes 50 ms a time
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_statsmodels(values: list[float]) -> None:
    assert holm(values) == pytest.approx(multipletests(values, method="holm")[1].tolist(), abs=1e-12)


def _pair(both: int, gained: int, lost: int, neither: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    first = np.repeat([True, False, True, False], [both, gained, lost, neither])
    second = np.repeat([True, True, False, False], [both, gained, lost, neither])
    return first, second


def _between(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Interval:
    return over_images(100.0 * (second.astype(float) - first), 100.0, 100.0)


@given(*[st.integers(0, 60)] * 4)
def test_the_matched_interval_holds_its_estimate_and_has_a_width(both: int, gained: int, lost: int, neither: int) -> None:
    first, second = _pair(both, gained, lost, neither)
    if not len(first):
        return
    forth, back = _between(first, second), _between(second, first)
    assert forth.low is not None and forth.high is not None and back.low is not None and back.high is not None
    assert forth.mean == pytest.approx(100 * (second.mean() - first.mean()))
    assert -100 <= forth.low <= forth.mean + 1e-9 and forth.mean - 1e-9 <= forth.high <= 100
    assert forth.low < forth.high and forth.p is None
    assert (back.mean, back.low, back.high) == pytest.approx((-forth.mean, -forth.high, -forth.low))


def test_the_matched_interval_is_the_bootstraps_on_many_images() -> None:
    random = np.random.default_rng(0)
    first = random.random(3000) < 0.9
    second = np.where(random.random(3000) < 0.1, random.random(3000) < 0.95, first)
    result = _between(first, second)
    gain = 100.0 * (second.astype(float) - first)
    truth = stats.bootstrap((gain,), np.mean, n_resamples=2000, method="percentile", rng=random).confidence_interval
    assert (result.low, result.high) == pytest.approx((truth.low, truth.high), abs=0.1)


@pytest.mark.parametrize(("images", "gained", "lost"), [(42, 0.1, 0.1), (42, 0.2, 0.05), (359, 0.01, 0.01), (359, 0.06, 0.03)])
def test_the_matched_interval_covers_the_truth(images: int, gained: float, lost: float) -> None:
    """By the sum over all outcomes; where hardly an image is decided, an interval of discrete data covers more than 95 %."""
    truth, covered, seen = 100 * (gained - lost), 0.0, 0.0
    most = math.ceil(images * gained + 8 * math.sqrt(images * gained)), math.ceil(images * lost + 8 * math.sqrt(images * lost))
    weights = stats.multinomial(images, [gained, lost, 1 - gained - lost])
    for up, down in itertools.product(range(most[0] + 1), range(most[1] + 1)):
        if up + down <= images:
            weight = weights.pmf([up, down, images - up - down])
            if weight > 1e-8:
                result = _between(*_pair(images - up - down, up, down, 0))
                assert result.low is not None and result.high is not None
                seen += weight
                covered += weight * (result.low <= truth <= result.high)
    assert seen > 0.999
    assert covered / seen >= 0.94


def _grid(random: np.random.Generator, *, heads: int, seeds: int, deviation: float, images: int) -> list[list[float]]:
    """Differences of each head to the baseline where no head has an effect, and a seed moves all heads alike, too."""
    common = random.normal(0, deviation, seeds)
    accuracies = 90.0 + common + random.normal(0, deviation, (heads + 1, seeds))
    recorded = np.float32(np.round(np.clip(accuracies, 0, 100) / 100 * images) / images).astype(float) * 100
    return [(own - recorded[0]).tolist() for own in recorded[1:]]


def _marked(random: np.random.Generator, grids: int, **how: float) -> tuple[int, int]:
    """Grids of these with a mark anywhere after Holm, and comparisons at p < 0.05 without it."""
    any_mark = single = 0
    for _ in range(grids):
        values = [1.0 if (p := _paired_t(one).p) is None else p for one in _grid(random, **how)]  # type: ignore[arg-type]
        any_mark += min(holm(values)) < 0.05
        single += sum(value < 0.05 for value in values)
    return any_mark, single


def _most(trials: int) -> float:
    """99 % of what 5 % of so many trials come to."""
    return float(stats.binom.ppf(0.99, trials, 0.05))


@pytest.mark.parametrize(("seeds", "heads"), [(3, 4), (5, 2)])
def test_few_grids_without_an_effect_are_marked(seeds: int, heads: int) -> None:
    any_mark, _ = _marked(np.random.default_rng(seeds), 2000, heads=heads, seeds=seeds, deviation=0.6, images=359)
    assert any_mark <= _most(2000)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 4, 5, 10])
@pytest.mark.parametrize("images", [359, 1340, 3000])
@pytest.mark.parametrize("deviation", [0.3, 0.6, 1.0])
def test_grids_without_an_effect_are_marked_as_often_as_they_may_be(seeds: int, images: int, deviation: float) -> None:
    random = np.random.default_rng([seeds, images, int(10 * deviation)])
    for heads in (2, 5):
        grids = 5000
        any_mark, single = _marked(random, grids, heads=heads, seeds=seeds, deviation=deviation, images=images)
        assert any_mark <= _most(grids)
        share = single / (grids * heads)  # heads of one grid share a baseline: the bound of grids, not of comparisons
        assert share <= _most(grids) / grids
