"""Where a head was trained at several learning rates: for each seed the one that was best on validation.

For each seed by itself, as "tune, then train" is what a seed then repeats. One rate for all seeds would let two equal heads
stand at different rates by luck, and the fixed difference between these rates would then look like one of the heads: in
simulations of two equal heads at four rates 0.3 to 1 point apart, up to 13 % were marked so, and 5 % as it is done here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from wisesr.config.axes import RATES, leaves
from wisesr.report.study import ReportCell
from wisesr.results.state import State
from wisesr.statistics.best_of import Found, Search
from wisesr.wording import count_of


class ChosenRates(NamedTuple):
    """For each seed of a head the cell at its best rate."""

    cells: tuple[ReportCell, ...]
    """By seed."""
    rate: str
    """As of `Entry.rate`; empty where the head was tried at one rate."""
    tried: tuple[tuple[str, float, int], ...]
    """As of `Entry.tried`."""
    searches: tuple[Search, ...]
    """As of `Entry.searches`."""
    warnings: tuple[str, ...]
    notes: tuple[str, ...]


def choose_rates(finished: Sequence[ReportCell], cells: Sequence[ReportCell]) -> ChosenRates:
    """For each seed the cell with the highest validation top-1; of equals the lower validation loss, then the smaller rate.

    Args:
        finished: cells of one head, backbone and settings; at least one, and one for each rate and seed.
        cells: all of them, finished or not.
    """
    best: dict[int, ReportCell] = {}
    for cell in sorted(finished, key=_order):
        best.setdefault(cell.place.seed, cell)
    chosen = tuple(best[seed] for seed in sorted(best))
    if len({cell.place.rate for cell in cells}) == 1:
        return ChosenRates(chosen, "", (), (), (), ())
    by_rate: dict[str, list[ReportCell]] = {}
    for cell in sorted(finished, key=_numbers):
        by_rate.setdefault(cell.place.rate, []).append(cell)
    tried = tuple(
        (rate, 100.0 * fmean(cell.finished_record.best.val_top1 for cell in own), len(own)) for rate, own in by_rate.items()
    )
    failed, pending = _unfinished(chosen, finished, cells)
    warnings = [f"has no finished cell at {rates}, so its best rate is provisional" for rates in _told(pending)]
    notes = [f"failed at {rates}; that rate counts as lost there" for rates in _told(failed)]
    ended = [*finished, *(cell for cell in cells if cell.state is State.FAILED)]
    searches = tuple(_search(cell.place.seed, finished, failed, cells) for cell in chosen)
    return ChosenRates(chosen, _counted(chosen), tried, searches, tuple(warnings), (*notes, *_edges(chosen, ended)))


def _order(cell: ReportCell) -> tuple[float, float, tuple[float, ...], str]:
    best = cell.finished_record.best
    return -best.val_top1, best.val_loss, _numbers(cell), cell.place.rate


def _numbers(cell: ReportCell) -> tuple[float, ...]:
    """Its rates, in the order of `config.axes.RATES`; 0 for one that its configuration lacks."""
    values = leaves(cell.config["recipe"], "recipe.")
    return tuple(float(value) if isinstance(value := values.get(name), (int, float)) else 0.0 for name in RATES)


def _counted(chosen: Sequence[ReportCell]) -> str:
    """`lr=0.015 (4 seeds), lr=0.045 (1 seed)`."""
    counts = Counter(cell.place.rate for cell in sorted(chosen, key=_numbers))
    return ", ".join(f"{rate} ({count_of(count, 'seed')})" for rate, count in counts.most_common())


Lacking = dict[str, list[int]]
"""Rates, by the seeds that have no finished cell there."""


def _unfinished(
    chosen: Sequence[ReportCell], finished: Sequence[ReportCell], cells: Sequence[ReportCell]
) -> tuple[Lacking, Lacking]:
    """Rates that failed for seeds that are reported, and rates still to be finished for such.

    One that was computed in two ways is neither where one of these is used; it failed where all of them did.
    """
    used = {(cell.place.rate, cell.place.seed) for cell in finished}
    states: dict[tuple[str, int], set[State]] = defaultdict(set)
    for cell in cells:
        states[(cell.place.rate, cell.place.seed)].add(cell.state)
    failed: Lacking = {}
    pending: Lacking = {}
    for rate in dict.fromkeys(cell.place.rate for cell in sorted(cells, key=_numbers)):
        for seed in (cell.place.seed for cell in chosen):
            if (rate, seed) not in used:
                lacking = failed if states.get((rate, seed)) == {State.FAILED} else pending
                lacking.setdefault(rate, []).append(seed)
    return failed, pending


def _told(lacking: Lacking) -> list[str]:
    """`lr=0.1 for seeds 1, 2`"""
    return [f"{rate} for seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}" for rate, seeds in lacking.items()]


def _search(seed: int, finished: Sequence[ReportCell], failed: Lacking, cells: Sequence[ReportCell]) -> Search:
    """The tries of one seed; what nobody has asked for is not waited for."""
    own = sorted((cell for cell in finished if cell.place.seed == seed), key=_order)
    found = tuple(Found(100.0 * cell.finished_record.best.val_top1, cell.tested) for cell in own)
    lost = (rate for rate, seeds in failed.items() if seed in seeds)
    tried = frozenset((*(cell.place.rate for cell in own), *lost))
    asked = {cell.place.rate for cell in cells if cell.place.seed == seed}
    return Search(found, tried, len(asked - tried))


def _edges(chosen: Sequence[ReportCell], ended: Sequence[ReportCell]) -> list[str]:
    """Where most seeds are best at the smallest or largest of at least three rates; one at which training fails was tried."""
    notes = []
    for index, name in enumerate(RATES):
        values = {_numbers(cell)[index] for cell in ended}
        for word, end in (("smallest", min(values)), ("largest", max(values))):
            count = sum(_numbers(cell)[index] == end for cell in chosen)
            if len(values) >= 3 and 2 * count > len(chosen):
                rate = f"{word} {name.rpartition('.')[2]} that was tried, {end:g}"
                notes.append(f"is best at the {rate}, for {count} of {len(chosen)} seeds: a better one may lie beyond")
    return notes
