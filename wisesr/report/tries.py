"""The best that each head of a row has after k tried learning rates: whether a difference is one of how long was searched.

Of each seed by itself, as rates are chosen (`rates`), then a mean over seeds. Curves end where the head with the fewest tries
ends, as more tries find more. A failed training is a try that found nothing; a curve begins where every choice of rates has a
model in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from wisesr.report.convergence import Curve, curve
from wisesr.report.study import Entry, ReportTable
from wisesr.statistics.best_of import Found, Search
from wisesr.wording import count_of, some_of

_NAMES = 4
ByTries = Mapping[int, Found]
"""The number of tries, from 1, to what they find."""


class BestCurve(NamedTuple):
    """What a head's search finds, by the number of tries, which are the epochs of both curves."""

    entry: Entry
    by_seed: Mapping[int, ByTries]
    """Of the seeds that were tried as often as any of this head, up to the last number that all heads have."""
    val: Curve
    """Validation top-1 of the best, percent."""
    test: Curve
    """What is tested, of the same models."""

    def less(self, other: BestCurve, tries: int) -> float | None:
        """How much higher the test figure is than another head's, a mean over the seeds that both have; None without such."""
        shared = self.by_seed.keys() & other.by_seed.keys()
        if not shared or tries not in self.test.epochs or tries not in other.test.epochs:
            return None
        return fmean(self.by_seed[seed][tries].test - other.by_seed[seed][tries].test for seed in shared)


class RowTries(NamedTuple):
    """The curves of one backbone and settings."""

    curves: tuple[BestCurve, ...]
    """In the order of the heads; of those that were tried at several rates."""
    last: int
    """Tries that all of them have."""
    notes: tuple[str, ...]
    """What the curves do not have, in sentences; the first that they are provisional, if they are."""

    @property
    def group(self) -> str:
        """As `Entry.group`."""
        return self.curves[0].entry.group


def table_tries(table: ReportTable) -> Iterator[RowTries]:
    """Of each row with a head that was tried at several rates, by the same seed."""
    for entries in table.groups().values():
        tried = {entry.head: _most(entry.searches) for entry in entries}
        several = [entry for entry in entries if tried[entry.head] > 1]
        if not several:
            continue
        last = min(tried[entry.head] for entry in several)
        drawn = [line for entry in several if (line := _best_curve(entry, last)) is not None]
        if drawn:
            yield RowTries(tuple(drawn), last, tuple(_notes(entries, drawn, tried, last)))


def _most(searches: Sequence[Search]) -> int:
    return max((search.tries for search in searches), default=1)


def _searched(entry: Entry) -> dict[int, Search]:
    """By seed, the searches that went as far as any of this head."""
    most = _most(entry.searches)
    return {seed: search for seed, search in zip(entry.seeds, entry.searches, strict=True) if search.tries == most}


def _best_curve(entry: Entry, last: int) -> BestCurve | None:
    """None where too many trainings failed for a model to be in every choice of rates."""
    by_seed = {
        seed: {tries: found for tries in range(1, last + 1) if (found := search.after(tries)) is not None}
        for seed, search in _searched(entry).items()
    }
    by_seed = {seed: own for seed, own in by_seed.items() if own}
    val = curve(entry, {seed: {tries: found.val for tries, found in own.items()} for seed, own in by_seed.items()})
    test = curve(entry, {seed: {tries: found.test for tries, found in own.items()} for seed, own in by_seed.items()})
    return None if val is None or test is None else BestCurve(entry, by_seed, val, test)


def _notes(entries: Sequence[Entry], drawn: Sequence[BestCurve], tried: Mapping[str, int], last: int) -> Iterator[str]:
    pending = {entry.head: sum(search.pending for search in entry.searches) for entry in entries}
    if unfinished := [f"{count} of {head}" for head, count in pending.items() if count]:
        total = count_of(sum(pending.values()), "training")
        yield f"Provisional: {total} at other rates not finished yet ({some_of(unfinished, _NAMES)})."
    for entry in entries:
        seeds = [str(seed) for seed in entry.seeds if seed not in _searched(entry)] if entry.searches else []
        if seeds:
            yield f"{entry.head}: {_named('seed', seeds)} left out, tried at fewer than {tried[entry.head]} rates."
    if single := [head for head, count in tried.items() if count == 1]:
        yield f"Tried at one rate, and without a curve: {some_of(single, _NAMES)}."
    if longer := [f"{head} at {count}" for head, count in tried.items() if count > last]:
        ended = next(head for head, count in tried.items() if count == last)
        yield f"Curves end at {last} tries, as {ended} has no more; tried further: {some_of(longer, _NAMES)}."
    if len({search.tried for line in drawn for search in _searched(line.entry).values()}) > 1:
        yield "Not all were tried at the same rates: after few tries, a head that was tried only near its best stands higher."
    yield from _failures(entries, drawn, tried)


def _failures(entries: Sequence[Entry], drawn: Sequence[BestCurve], tried: Mapping[str, int]) -> Iterator[str]:
    begins = {line.entry.head: line.val.epochs[0] for line in drawn}
    if late := [f"{head} at {first}" for head, first in begins.items() if first > 1]:
        yield (
            "A training that failed is a try that found nothing; a curve begins where every choice of rates has a model: "
            f"{some_of(late, _NAMES)}."
        )
    if lost := [entry.head for entry in entries if tried[entry.head] > 1 and entry.head not in begins]:
        yield f"No curve, as too many trainings failed: {some_of(lost, _NAMES)}."


def _named(noun: str, names: Sequence[str]) -> str:
    return f"{noun}{'s' * (len(names) > 1)} {', '.join(names)}"
