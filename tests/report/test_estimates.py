"""Estimates over seeds, images and rows, held against statsmodels, scipy, a bootstrap and exact sums."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import ttost_paired

from wisesr.statistics.crossed import Parts, combined, crossed, variance_parts
from wisesr.statistics.images import over_images
from wisesr.statistics.intervals import Estimate, student
from wisesr.statistics.random_effects import random_effects
from wisesr.statistics.shared import Part, shared_part, with_shared


@settings(max_examples=40)
@given(st.integers(3, 12), st.integers(0, 1000), st.floats(0, 3), st.floats(0.05, 2))
def test_of_rows_that_are_as_precise_the_mean_is_that_of_statsmodels(
    rows: int, seed: int, between: float, variance: float
) -> None:
    """Hartung and Knapp's error, whatever the variance between rows; ours is never less than that of the rows' own errors."""
    random = np.random.default_rng(seed)
    values = 1 + random.normal(0, between, rows) + random.normal(0, math.sqrt(variance), rows)
    own = random_effects(values, np.full(rows, variance))
    theirs = combine_effects(values, np.full(rows, variance), method_re="iterated", use_t=True)
    assert own.mean == pytest.approx(theirs.mean_effect_re)
    assert own.variance == pytest.approx(max(theirs.var_hksj_re, variance / rows))
    assert own.freedom == rows - 1


def test_rows_without_an_error_of_their_own_have_students() -> None:
    values = np.array([1.0, 2.0, 4.0, 3.0, 1.5])
    assert random_effects(values, None) == pytest.approx(student(values.tolist()))


@pytest.mark.parametrize("rows", [3, 5, 11])
def test_rows_of_unlike_precision_keep_the_level(rows: int) -> None:
    """Errors that ten times differ, each estimated from three seeds; by their precision as weights 13 % at three rows."""
    random, studies = np.random.default_rng(rows), 2000
    spread = np.linspace(0.2, 2.0, rows)[:, None]
    wrong = 0
    for _ in range(studies):
        seeds = random.normal(0, 0.7, (rows, 1)) + spread * random.normal(0, 1, (rows, 3))
        wrong += random_effects(seeds.mean(axis=1), seeds.var(axis=1, ddof=1) / 3).p < 0.05
    assert wrong <= stats.binom.ppf(0.99, studies, 0.05)


def test_seeds_and_images_are_the_two_way_analysis_of_variance() -> None:
    """Mean squares by the sums of a textbook: variance of the grand mean (MS_seeds + MS_images - MS_rest) / (n m)."""
    random = np.random.default_rng(1)
    table = random.normal(0, 1, (4, 30)) + random.normal(0, 2, (4, 1)) + random.normal(0, 3, (1, 30))
    n, m = table.shape
    grand = table.mean()
    of_seeds = m * sum((table[i].mean() - grand) ** 2 for i in range(n)) / (n - 1)
    of_images = n * sum((table[:, j].mean() - grand) ** 2 for j in range(m)) / (m - 1)
    rest = sum((table[i, j] - table[i].mean() - table[:, j].mean() + grand) ** 2 for i in range(n) for j in range(m)) / (
        (n - 1) * (m - 1)
    )
    parts = variance_parts(table.mean(axis=1).tolist(), table)
    assert parts == pytest.approx((of_seeds / (n * m), of_images / (n * m), rest / (n * m)))
    found = crossed(table.mean(axis=1).tolist(), table)
    assert found is not None and found.mean == pytest.approx(grand)
    assert found.variance == pytest.approx((of_seeds + of_images - rest) / (n * m))
    assert n - 1 <= found.freedom <= (n - 1) + (m - 1)


def test_seeds_and_images_are_drawn_anew_as_a_bootstrap_does() -> None:
    """Of both at once, which has the interaction once more than it should (Owen 2007), with 40 seeds hardly any."""
    random = np.random.default_rng(2)
    table = random.normal(0, 1, (40, 200)) + random.normal(0, 0.3, (40, 1)) + random.normal(0, 0.8, (1, 200))
    means = [table[random.integers(0, 40, 40)][:, random.integers(0, 200, 200)].mean() for _ in range(2000)]
    found = crossed(table.mean(axis=1).tolist(), table)
    assert found is not None
    assert found.error == pytest.approx(np.std(means), rel=0.06)


def test_seeds_alone_are_the_paired_t_where_all_images_agree() -> None:
    differences = [1.0, 2.0, 4.0]
    table = np.repeat(np.array(differences)[:, None], 50, axis=1)
    found, alone = crossed(differences, table), student(differences)
    assert found is not None and alone is not None
    assert found == pytest.approx(alone)


def test_an_error_is_never_less_than_that_of_seeds_or_images_alone() -> None:
    assert combined(1.0, Parts(0.2, 0.3, 0.6), 4, 99) == Estimate(1.0, 0.3, pytest.approx(0.3**2 / (0.04 / 4 + 0.09 / 99)))
    assert combined(1.0, Parts(0.0, 0.0, 0.0), 4, 99) is None


@settings(max_examples=30)
@given(st.integers(3, 20), st.integers(0, 1000), st.floats(0.05, 5))
def test_equivalence_is_statsmodels_two_one_sided_tests(count: int, seed: int, margin: float) -> None:
    random = np.random.default_rng(seed)
    first, second = random.normal(0.3, 1, count), random.normal(0, 1, count)
    own = student((first - second).tolist())
    assert own is not None
    assert own.equivalence(margin) == pytest.approx(ttost_paired(first, second, -margin, margin)[0], abs=1e-9)


@pytest.mark.parametrize("count", [3, 5, 10, 30])
@pytest.mark.parametrize("level", [0.05, 0.05 / 13, 0.05 / 220])
def test_a_detectable_difference_has_the_power_of_statsmodels(count: int, level: float) -> None:
    error = 0.7 / math.sqrt(count)
    detectable = Estimate(0.0, error**2, count - 1).detectable(level)
    critical, freedom = stats.t.isf(level / 2, count - 1), count - 1
    drawn = stats.chi2.isf((np.arange(200_000) + 0.5) / 200_000, freedom)  # of the variance that a study estimates
    assert stats.norm.sf(critical * np.sqrt(drawn / freedom) - detectable / error).mean() == pytest.approx(0.8, abs=1e-3)
    if level == 0.05:  # below, statsmodels answers NaN
        power = TTestPower().power(detectable / 0.7, count, level, alternative="two-sided")
        assert power == pytest.approx(0.8, abs=1e-3)


def test_two_pairs_of_models_are_compared_image_by_image() -> None:
    """Of two seeds an image counts by halves; with many images the interval is the plain one over their means."""
    random = np.random.default_rng(4)
    differences = 100 * (random.integers(0, 2, (2, 4000)) - random.integers(0, 2, (2, 4000))).mean(axis=0)
    found = over_images(differences, 100.0)
    reach = 1.96 * differences.std(ddof=1) / math.sqrt(4000)
    assert found.mean == pytest.approx(differences.mean())
    assert (found.low, found.high) == pytest.approx((differences.mean() - reach, differences.mean() + reach), abs=0.05)


def test_levels_of_one_factor_are_means_of_its_levels() -> None:
    """Three backbones on four datasets each: the error over backbones is Student's over the means of backbones."""
    random = np.random.default_rng(5)
    table = random.normal(0, 1, (3, 4)) + random.normal(0, 3, (3, 1))
    deviations = (table - table.mean()).ravel() / table.size
    names = [f"net{row}" for row in range(3) for _ in range(4)]
    alone = student(table.mean(axis=1).tolist())
    assert alone is not None
    assert shared_part(deviations, names) == pytest.approx((alone.variance, alone.freedom))
    assert with_shared(Part(0.0, 11.0), deviations, [names]) == pytest.approx((alone.variance, alone.freedom))


def test_levels_of_two_factors_are_those_of_a_crossed_table() -> None:
    """As of seeds by images, in the limit of many levels (single rows are counted over n - 1, not over (n-1)(m-1))."""
    random = np.random.default_rng(6)
    n, m = 30, 40
    table = random.normal(0, 1, (n, m)) + random.normal(0, 1, (n, 1)) + random.normal(0, 1, (1, m))
    deviations = (table - table.mean()).ravel() / table.size
    factors = [[f"a{row}" for row in range(n) for _ in range(m)], [f"b{column}" for _ in range(n) for column in range(m)]]
    truth = crossed(table.mean(axis=1).tolist(), table)
    assert truth is not None
    assert with_shared(Part(0.0, n * m - 1.0), deviations, factors).variance == pytest.approx(truth.variance, rel=0.05)


def test_rows_that_have_nothing_in_common_keep_their_error() -> None:
    own = Part(0.25, 2.0)
    assert with_shared(own, np.array([0.1, -0.2, 0.1]), [["a", "b", "c"], ["x", "y", "z"]]) == own


def test_an_error_over_rows_is_not_made_smaller_by_what_they_share() -> None:
    """Rows of one backbone that happen to balance: the row's own error stays, with the freedom of the backbones."""
    found = with_shared(Part(0.25, 5.0), np.array([0.1, -0.1, 0.2, -0.2, 0.1, -0.1]), [["a", "a", "b", "b", "c", "c"]])
    assert found == Part(0.25, 2.0)
