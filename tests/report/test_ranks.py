"""Ranks over datasets, against scipy, loops over all signs and permutations, and simulated studies of equal heads."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from wisesr.statistics.intervals import SAME
from wisesr.statistics.ranks import (
    Values,
    average_ranks,
    cliques,
    compared_pairs,
    datasets_needed,
    friedman,
    least_p,
    signed_rank_p,
)

_TIED = st.integers(-4, 4).map(float)


def _study(random: np.random.Generator, datasets: int, heads: int) -> Values:
    """Equal heads: what a dataset does to all of them, and noise that is as large as it happens to be there."""
    noise = random.uniform(0.2, 2, (datasets, 1)) * random.normal(size=(datasets, heads))
    return np.asarray(random.normal(80, 8, (datasets, 1)) + noise)


@given(st.lists(st.lists(_TIED, min_size=4, max_size=4), min_size=1, max_size=6))
def test_ranks_are_scipys_and_a_loops(rows: list[list[float]]) -> None:
    values = np.array(rows)
    ranks = average_ranks(values)
    assert ranks == pytest.approx(stats.rankdata(values, axis=1))
    for row, own in zip(rows, ranks, strict=True):
        places = [[place + 1 for place, value in enumerate(sorted(row)) if value == mine] for mine in row]
        assert own.tolist() == [sum(place) / len(place) for place in places]


def test_what_float32_leaves_is_a_tie() -> None:
    assert average_ranks(np.array([[70.0, 70.0 + SAME / 2, 69.0]])).tolist() == [[2.5, 2.5, 1.0]]
    assert signed_rank_p(np.full(8, SAME / 2)) == 1.0


@settings(max_examples=20)
@given(st.integers(6, 10), st.integers(3, 5), st.integers(0, 1000), st.booleans())
def test_friedmans_statistic_is_scipys(datasets: int, heads: int, seed: int, tied: bool) -> None:
    values = _study(np.random.default_rng(seed), datasets, heads)
    values = np.round(values, 0 if tied else 3)  # what is closer than SAME is tied here, and not for scipy
    found = friedman(average_ranks(values), draws=9)
    assert found is not None
    assert found.statistic == pytest.approx(stats.friedmanchisquare(*values.T).statistic)


def test_friedmans_p_is_the_share_of_all_permutations() -> None:
    """3 heads on 4 datasets: all 6**4 ways to put the ranks of each dataset."""
    ranks = average_ranks(np.array([[1.0, 2, 3], [1, 2, 2], [2, 1, 3], [1, 2, 3]]))
    ways = [list(itertools.permutations(row)) for row in ranks]
    sums = np.array([np.sum(choice, axis=0) for choice in itertools.product(*ways)])
    spread = ((sums - sums.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    observed = ((ranks.sum(axis=0) - 8) ** 2).sum()
    exact = float((spread >= observed - 1e-9).mean())
    found = friedman(ranks)
    assert found is not None
    assert found.p == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 9_999))
    assert friedman(ranks) == found, "the same report each time"


def test_heads_that_are_equal_everywhere_are_not_tested() -> None:
    values = np.full((6, 3), 70.0)
    assert friedman(average_ranks(values)) is None
    assert {(pair.p, pair.higher, pair.lower) for pair in compared_pairs(values)} == {(1.0, 0, 0)}


@pytest.mark.parametrize("datasets", [3, 6, 7, 12, 25])
def test_wilcoxon_is_scipys_exact_test(datasets: int) -> None:
    random = np.random.default_rng(datasets)
    for _ in range(5):
        differences = random.normal(0.3, 1, datasets)
        assert signed_rank_p(differences) == pytest.approx(stats.wilcoxon(differences, method="exact").pvalue)


@given(st.lists(_TIED, min_size=1, max_size=8))
def test_wilcoxon_with_ties_and_zeros_is_the_share_of_all_signs(values: list[float]) -> None:
    """Pratt's ranks; and Demsar's way with zeros, half of their ranks to either side, gives the same."""
    differences = np.array(values)
    ranks = stats.rankdata(np.abs(differences))
    sizes, shared = ranks * (differences != 0), ranks[differences == 0].sum() / 2
    centre = sizes.sum() / 2 + shared
    observed = abs(sizes[differences > 0].sum() + shared - centre)
    others = np.array(list(itertools.product((0, 1), repeat=len(values)))) @ sizes + shared
    assert signed_rank_p(differences) == pytest.approx(float((np.abs(others - centre) >= observed - 1e-9).mean()))


def test_wilcoxon_with_ties_and_zeros_is_scipys() -> None:
    differences = np.array([0.0, 1, 1, -2, 3, 3, 4, -1])
    truth = stats.wilcoxon(differences, zero_method="pratt", method=stats.PermutationMethod(n_resamples=np.inf))
    assert signed_rank_p(differences) == pytest.approx(truth.pvalue)


def test_no_test_of_five_datasets_can_be_significant() -> None:
    assert signed_rank_p(np.arange(1.0, 6)) == least_p(5) == 0.0625
    assert signed_rank_p(np.arange(1.0, 7)) == least_p(6) == 0.03125 < 0.05
    for heads in (2, 3, 4, 16):
        at = datasets_needed(heads)
        ranked = np.arange(1.0, at + 1)[:, None] * np.arange(heads)
        assert min(pair.p_holm for pair in compared_pairs(ranked)) < 0.05
        assert min(pair.p_holm for pair in compared_pairs(ranked[:-1])) >= 0.05
    assert datasets_needed(2) == 6


def test_pairs_are_corrected_over_all_of_them() -> None:
    values = _study(np.random.default_rng(1), 9, 4) + np.array([0, 0, 1.0, 3.0])
    pairs = compared_pairs(values)
    assert [(pair.first, pair.second) for pair in pairs] == list(itertools.combinations(range(4), 2))
    assert all(pair.higher == (values[:, pair.first] > values[:, pair.second]).sum() for pair in pairs)
    ordered = sorted(pairs, key=lambda pair: pair.p)
    running = np.maximum.accumulate([min(1.0, (6 - place) * pair.p) for place, pair in enumerate(ordered)])
    assert [pair.p_holm for pair in ordered] == pytest.approx(running.tolist())


@given(st.integers(2, 6), st.sets(st.frozensets(st.integers(0, 5), min_size=2, max_size=2)))
def test_bars_are_the_longest_runs_without_a_difference(heads: int, apart: set[frozenset[int]]) -> None:
    order = tuple(range(heads))
    runs = [order[start:end] for start in range(heads) for end in range(start + 2, heads + 1)]
    fits = [run for run in runs if not any(frozenset(pair) in apart for pair in itertools.combinations(run, 2))]
    longest = {run for run in fits if not any(set(run) < set(other) for other in fits)}
    assert set(cliques(order, apart)) == longest


def _most(trials: int) -> float:
    """99 % of what 5 % of so many trials come to."""
    return float(stats.binom.ppf(0.99, trials, 0.05))


@pytest.mark.parametrize(("datasets", "heads"), [(6, 2), (9, 3), (14, 6)])
def test_few_studies_of_equal_heads_find_a_pair(datasets: int, heads: int) -> None:
    random, studies = np.random.default_rng(datasets), 100
    found = sum(min(pair.p_holm for pair in compared_pairs(_study(random, datasets, heads))) < 0.05 for _ in range(studies))
    assert found <= _most(studies)


@pytest.mark.parametrize(("datasets", "heads"), [(6, 4), (10, 3)])
def test_friedmans_test_of_equal_heads_holds_its_level(datasets: int, heads: int) -> None:
    random, studies = np.random.default_rng(heads), 200
    found = [friedman(average_ranks(_study(random, datasets, heads)), draws=199) for _ in range(studies)]
    assert sum(one is not None and one.p < 0.05 for one in found) <= _most(studies)


@pytest.mark.slow
@pytest.mark.parametrize(("datasets", "heads"), [(6, 2), (6, 3), (8, 4), (10, 3), (14, 6), (14, 16)])
def test_many_studies_of_equal_heads_rarely_find_a_pair(datasets: int, heads: int) -> None:
    random, studies = np.random.default_rng([datasets, heads]), 1000
    found = sum(min(pair.p_holm for pair in compared_pairs(_study(random, datasets, heads))) < 0.05 for _ in range(studies))
    assert found <= _most(studies)


def test_a_head_that_is_better_everywhere_is_found() -> None:
    values = _study(np.random.default_rng(5), 10, 3)
    values[:, 1] = values.max(axis=1) + 1
    pairs = {(pair.first, pair.second): pair for pair in compared_pairs(values)}
    assert pairs[0, 1].p_holm < 0.05 and pairs[1, 2].p_holm < 0.05
    found = friedman(average_ranks(values))
    assert found is not None and found.p < 0.05
