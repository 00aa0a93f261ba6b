"""Heads ranked over the datasets of a study, and what the tests over datasets say of them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from wisesr.report.claims.parts import number_in, without_number
from wisesr.report.ranked_values import RankedValues, dataset_of, ranked_values
from wisesr.report.study import ReportTable
from wisesr.report.tested_metrics import TOP1, Metric
from wisesr.report.whole_study import Study
from wisesr.statistics.families import LEVEL
from wisesr.statistics.ranks import Friedman, Pair, average_ranks, cliques, compared_pairs, friedman

LEAST = 6
"""Datasets: the exact test of five pairs cannot fall below 2/32, which is above 5 %."""


class RankedHead(NamedTuple):
    """A head and its place among the others."""

    head: str
    rank: float
    """Mean over datasets; 1 is the best."""
    mean: float
    """Mean over datasets of its values."""


class Ranking(NamedTuple):
    """Heads over the datasets of a study, at one size or at each dataset's own, under one protocol."""

    key: str
    """Unique in the report: `ranks`, `ranks-224-paper`."""
    title: str
    """`Heads over datasets, 224 px`."""
    protocol: str
    sizes: tuple[int, ...]
    """px."""
    metric: Metric
    of: RankedValues
    heads: tuple[RankedHead, ...]
    """The best first; empty where there is nothing to rank."""
    friedman: Friedman | None
    """None of two heads, whose one pair says it all; where all heads are equal; where `refused`."""
    pairs: tuple[Pair, ...]
    """Of places in `heads`, the better rank first; empty where `refused`."""

    @property
    def ranked_by(self) -> str:
        """`test top-1`."""
        return f"test {self.metric.words}{' of the last epochs' * self.of.last_epochs}"

    @property
    def mean_title(self) -> str:
        """Above a column: `mean test top-1, %`."""
        return f"mean test {self.metric.title}{', last epochs' * self.of.last_epochs}"

    @property
    def refused(self) -> bool:
        """Whether no test could find anything."""
        return len(self.of.datasets) < LEAST or len(self.heads) < 2

    @property
    def apart(self) -> tuple[Pair, ...]:
        """Pairs that differ: below 5 % after Holm, unless Friedman's test leaves it open whether any heads do."""
        if self.friedman is not None and self.friedman.p >= LEVEL:
            return ()
        return tuple(pair for pair in self.pairs if pair.p_holm < LEVEL)

    @property
    def bars(self) -> tuple[tuple[int, ...], ...]:
        """Runs of places in `heads` of which no two are apart."""
        return cliques(range(len(self.heads)), _both(self.apart))

    @property
    def barless(self) -> tuple[Pair, ...]:
        """Pairs that are not apart and yet below no common bar, as a head between them differs from one of them."""
        apart, bars = _both(self.apart), self.bars
        return tuple(
            pair
            for pair in self.pairs
            if frozenset((pair.first, pair.second)) not in apart
            and not any(pair.first in bar and pair.second in bar for bar in bars)
        )


def sizes_text(sizes: Sequence[int]) -> str:
    """`224 px`."""
    return f"{sizes[0]} px" if len(sizes) == 1 else "each at its own size"


def _both(pairs: Sequence[Pair]) -> set[frozenset[int]]:
    return {frozenset((pair.first, pair.second)) for pair in pairs}


def rankings(study: Study) -> tuple[Ranking, ...]:
    """The rankings of a study by the metric of its tables: none where fewer than two datasets compare heads.

    Under each protocol (and of each study, where these have tables of their own) there is one, of each dataset at its own size;
    where a dataset has several sizes there is one a size, so that no dataset counts twice. Of several numbers of a dataset's
    classes the one with the most is ranked.

    Args:
        study: `Entry.values` are what is ranked, or under protocol=paper `Entry.last`.
    """
    metric = study.tables[0].metric if study.tables else TOP1
    found = (_ranking(*chosen, metric) for chosen in _chosen(study))
    return tuple(ranking for ranking in found if ranking is not None)


def _chosen(study: Study) -> Iterator[tuple[Sequence[ReportTable], str, str]]:
    """Tables to rank over, the name of their study and the size that sets them apart; empty texts where nothing does."""
    together: dict[tuple[str, str], list[ReportTable]] = defaultdict(list)
    for table in study.tables:
        if table.entries:
            together[table.entries[0].place.study, table.protocol].append(table)
    for (name, _), every in together.items():
        tables = _of_most_classes(every)
        sizes: dict[str, set[int]] = defaultdict(set)
        for table in tables:
            sizes[dataset_of(table)].add(_size(table))
        if all(len(own) == 1 for own in sizes.values()):
            yield tables, name, ""
        else:
            for size in sorted(set.union(*sizes.values())):
                yield [table for table in tables if _size(table) == size], name, str(size)


def _of_most_classes(tables: Sequence[ReportTable]) -> list[ReportTable]:
    """Of a dataset with several numbers of its classes those with the most, as tasks of unlike many are not averaged."""

    def number(table: ReportTable) -> float:
        dataset = table.entries[0].place.dataset
        return float(number_in(dataset) or (0 if without_number(dataset) == dataset else math.inf))  # null is all of them

    most: dict[tuple[str, int], float] = {}
    for table in tables:
        key = dataset_of(table), _size(table)
        most[key] = max(most.get(key, 0.0), number(table))
    return [table for table in tables if number(table) == most[dataset_of(table), _size(table)]]


def _size(table: ReportTable) -> int:
    return table.entries[0].place.size


def _ranking(tables: Sequence[ReportTable], study: str, size: str, metric: Metric) -> Ranking | None:
    """The ranking over the datasets of tables of one protocol; None where fewer than two compare heads."""
    of = ranked_values(tables)
    if of is None:
        return None
    protocol, sizes = tables[0].protocol, tuple(sorted({_size(table) for table in tables}))
    other = "paper" if protocol == "paper" else ""
    key = "-".join(filter(None, ("ranks", study, size, other)))
    title = f"{f'{study}: ' * bool(study)}Heads over datasets, {sizes_text(sizes)}{', protocol=paper' * bool(other)}"
    if len(of.heads) < 2 or not len(of.values):
        return Ranking(key, title, protocol, sizes, metric, of, (), None, ())
    better = of.values if metric.higher_is_better else -of.values
    ranks, means = average_ranks(-better), of.values.mean(axis=0)
    rank_of = ranks.mean(axis=0)
    order = sorted(range(len(of.heads)), key=lambda place: (rank_of[place], of.heads[place]))
    heads = tuple(RankedHead(of.heads[place], float(rank_of[place]), float(means[place])) for place in order)
    tested = len(of.datasets) >= LEAST
    of_all = friedman(ranks) if tested and len(heads) > 2 else None
    return Ranking(key, title, protocol, sizes, metric, of, heads, of_all, compared_pairs(better[:, order]) if tested else ())
