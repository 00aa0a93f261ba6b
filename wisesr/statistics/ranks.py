"""Heads ranked over datasets: mean ranks, Friedman's test, Wilcoxon's test of each pair after Holm.

As Demsar 2006 (JMLR 7:1-30) ranks classifiers, with Wilcoxon and Holm in place of Nemenyi's critical difference, which makes
the verdict on two heads depend on the others in the pool (Benavoli, Corani and Mangili 2016, JMLR 17(5):1-10).

Both tests are of permutations and not of a limiting distribution, for a study has six datasets rather than sixty. Of 20,000
draws of equal heads, 6 datasets and 4 heads, the chi-squared limit of Friedman's test rejects 3.7 % at 5 %, and the F of Iman
and Davenport, which Demsar prefers, 6.0 %; with 3 heads the latter rejects 0.7 % at 0.1 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wisesr.statistics.families import LEVEL, holm
from wisesr.statistics.intervals import SAME

DRAWS = 9_999
"""Permutations of Friedman's test; its p-values have a grain of one in 10,000."""

Values = NDArray[np.float64]


class Friedman(NamedTuple):
    """Whether any of the heads differ."""

    statistic: float
    """Chi-squared, corrected for ties."""
    p: float


class Pair(NamedTuple):
    """Two heads over the datasets."""

    first: int
    """Column of the values."""
    second: int
    higher: int
    """Datasets on which the first is the better one."""
    lower: int
    p: float
    """Wilcoxon's signed-rank test, exact, two-sided."""
    p_holm: float
    """After Holm over all pairs."""


def average_ranks(values: Values) -> Values:
    """Rank of each value of a row, the lowest 1; equal ones (`SAME`) share the mean of their ranks.

    Args:
        values: (rows, columns), finite.

    Returns:
        (rows, columns); each row sums to columns * (columns + 1) / 2.
    """
    levels = np.array([_levels(row) for row in values])
    below = (levels[:, None, :] < levels[:, :, None]).sum(axis=2)
    equal = (levels[:, None, :] == levels[:, :, None]).sum(axis=2)
    return np.asarray(below + (equal + 1) / 2.0)


def _levels(values: Values) -> NDArray[np.int64]:
    """A number for each value, the same where they are equal, in their order."""
    order = np.argsort(values, kind="stable")
    numbers = np.zeros(len(values), np.int64)
    numbers[order[1:]] = np.cumsum(np.diff(values[order]) > SAME)
    return numbers


def friedman(ranks: Values, draws: int = DRAWS) -> Friedman | None:
    """Friedman's test over datasets.

    Friedman 1937, JASA 32:675-701; the correction for ties is Conover's (Practical Nonparametric Statistics, 3rd ed., 5.8). The
    p-value is the share of permutations of the ranks within each dataset, drawn with a fixed seed, whose statistic is as large
    (the observed one is counted as one of them, so that the test holds its level).

    Args:
        ranks: (datasets, heads), as of `average_ranks`.
        draws: permutations.

    Returns:
        None where all heads are equal on each dataset.
    """
    datasets, heads = ranks.shape
    middle = (heads + 1) / 2
    spread = float(((ranks - middle) ** 2).sum())
    if spread == 0:
        return None

    def statistic(sums: Values) -> Values:
        return np.asarray((heads - 1) * ((sums - datasets * middle) ** 2).sum(axis=-1) / spread)

    random = np.random.default_rng(0)
    sums = np.zeros((draws, heads))
    for row in ranks:
        sums += random.permuted(np.tile(row, (draws, 1)), axis=1)
    observed = float(statistic(ranks.sum(axis=0)))
    as_large = int((statistic(sums) >= observed - 1e-9).sum())
    return Friedman(observed, (1 + as_large) / (1 + draws))


def signed_rank_p(differences: Values) -> float:
    """Wilcoxon's signed-rank test, two-sided and exact, with ties and zeros too.

    Wilcoxon 1945, Biometrics 1:80-83. Differences of zero are ranked with the others and then left out (Pratt 1959, JASA
    54:655-667); to share their ranks between the two sides, as Demsar does, moves the statistic and all its permutations alike,
    and so gives the same p. Ranks of equal sizes are averaged; the distribution is that of all signs on the ranks at hand.

    Args:
        differences: a dataset each.

    Returns:
        1 where all are zero; at least 2 / 2**n for n that are not.
    """
    signs = np.where(np.abs(differences) > SAME, np.sign(differences), 0)
    sizes = np.where(signs == 0, 0.0, np.abs(differences))
    doubled = np.rint(2 * average_ranks(sizes[None])[0]).astype(int)[signs != 0]  # whole numbers
    counts = np.ones(1)
    for rank in doubled:
        counts = np.pad(counts, (0, rank)) + np.pad(counts, (rank, 0))
    observed = int(doubled[signs[signs != 0] > 0].sum())
    tail = min(counts[: observed + 1].sum(), counts[observed:].sum())
    return float(min(1.0, 2 * tail / counts.sum()))


def least_p(datasets: int) -> float:
    """The lowest p-value that Wilcoxon's test of so many pairs can have: every sign is the same."""
    return min(1.0, 2.0 / 2.0**datasets)


def datasets_needed(heads: int) -> int:
    """The fewest datasets with which some pair of so many heads could be below 5 % after Holm over all of their pairs."""
    pairs, datasets = heads * (heads - 1) // 2, 1
    while pairs * least_p(datasets) >= LEVEL:
        datasets += 1
    return datasets


def compared_pairs(values: Values) -> tuple[Pair, ...]:
    """Each pair of columns, tested over the rows, after Holm over all of them; (datasets, heads), in points."""
    pairs = list(combinations(range(values.shape[1]), 2))
    found = [values[:, first] - values[:, second] for first, second in pairs]
    tested = [signed_rank_p(differences) for differences in found]
    counted = [(int((own > SAME).sum()), int((own < -SAME).sum())) for own in found]
    rows = zip(pairs, counted, tested, holm(tested), strict=True)
    return tuple(Pair(*pair, *counts, p, p_holm) for pair, counts, p, p_holm in rows)


def cliques(order: Sequence[int], apart: set[frozenset[int]]) -> tuple[tuple[int, ...], ...]:
    """The longest runs of neighbours no two of whom are apart; runs of one are none.

    Args:
        order: heads by their mean ranks.
        apart: pairs that differ significantly.
    """
    runs: list[tuple[int, ...]] = []
    for start in range(len(order)):
        end = start + 1
        while end < len(order) and all(frozenset((order[end], head)) not in apart for head in order[start:end]):
            end += 1
        if end - start > 1 and not (runs and set(order[start:end]) <= set(runs[-1])):
            runs.append(tuple(order[start:end]))
    return tuple(runs)
