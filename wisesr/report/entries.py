"""The rows of one backbone and settings: each head's seeds, its mean, and how it compares with the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from wisesr.config.options import load_option, options
from wisesr.report.comparability import group_warnings
from wisesr.report.difference import Difference
from wisesr.report.differences import SEEDS, differences
from wisesr.report.groups import Heads
from wisesr.report.head_options import LAST_BITS
from wisesr.report.last_epochs import last_epochs, plateau_epochs
from wisesr.report.published import run_of
from wisesr.report.rate_sentences import rate_notes, rate_warnings
from wisesr.report.rates import ChosenRates, choose_rates
from wisesr.report.study import Entry, LastEpochs, ReportCell
from wisesr.report.tested_metrics import Metric
from wisesr.report.twins import twin_notes
from wisesr.report.yardstick import Yardstick
from wisesr.results.head_order import in_order
from wisesr.results.state import State
from wisesr.statistics.intervals import SAME, mean_std
from wisesr.wording import count_of


class GroupEntries(NamedTuple):
    """Entries of one backbone and settings, with warnings and notes on them."""

    name: str
    """`resnet50 recipe.epochs=9`."""
    entries: tuple[Entry, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    """Sentences on the group, without its name."""


def group_entries(heads: Heads, every: Heads, baseline: str, yardstick: Yardstick) -> GroupEntries:
    """The entries of one backbone and settings, ordered as heads are; `heads` has what may be compared, `every` all cells."""
    ordered = in_order(heads, baseline)
    choices = {head: choose_rates(heads[head], every[head]) for head in ordered}
    others = {head: choice.cells for head, choice in choices.items() if head != baseline}
    by_head = differences(choices[baseline].cells, others, yardstick) if baseline in choices else {}
    several = len({cell.place.rate for cells in every.values() for cell in cells}) > 1
    best = _best(choices, higher_is_better=yardstick.metric.higher_is_better)
    entries = tuple(
        _entry(choice, several=several, best=head in best, difference=by_head.get(head), yardstick=yardstick)
        for head, choice in choices.items()
    )
    failed, unfinished = _absent(heads, every)
    chosen = [cell for choice in choices.values() for cell in choice.cells]
    tried = {head: every[head] for head in choices}
    warnings = (*group_warnings(chosen), *failed, *rate_warnings(choices, tried))
    seed_notes = _seed_notes(entries, baseline, several=len(best) > 0)
    notes = (*unfinished, *twin_notes(entries), *seed_notes, *rate_notes(choices, tried))
    return GroupEntries(entries[0].group, entries, warnings, notes)


def _best(choices: Mapping[str, ChosenRates], *, higher_is_better: bool) -> set[str]:
    """Heads with the best mean over the seeds that all have; none where there is one head, or fewer than three seeds."""
    shared = set.intersection(*({cell.place.seed for cell in choice.cells} for choice in choices.values()))
    if len(choices) < 2 or len(shared) < SEEDS:
        return set()
    sign = 1.0 if higher_is_better else -1.0
    means = {
        head: sign * mean_std([cell.tested for cell in choice.cells if cell.place.seed in shared])[0]
        for head, choice in choices.items()
    }
    return {head for head, mean in means.items() if mean >= max(means.values()) - SAME}


def _entry(
    choice: ChosenRates,
    *,
    several: bool,
    best: bool,
    difference: Difference | None,
    yardstick: Yardstick,
) -> Entry:
    """Args: several: whether the group has several rates."""
    first = choice.cells[0]
    place, run = first.place, run_of(first)
    values = tuple(cell.tested for cell in choice.cells)
    mean, std = mean_std(values)
    return Entry(
        backbone=place.backbone,
        settings=place.settings,
        head=place.head,
        cells=choice.cells,
        values=values,
        mean=mean,
        std=std,
        best=best,
        difference=difference,
        published=yardstick.published.get(run) if is_usual(first) else None,
        rate=choice.rate or (place.rate if several else ""),
        tried=choice.tried,
        searches=choice.searches,
        last=_last_epochs(choice.cells, yardstick.metric) if place.protocol == "paper" else None,
    )


def _last_epochs(cells: Sequence[ReportCell], metric: Metric) -> LastEpochs | None:
    values = [value for cell in cells if (value := last_epochs(cell, metric)) is not None]
    if len(values) < len(cells):
        return None
    epochs = max(plateau_epochs(cell.finished_record.budget.trained_epochs or 1) for cell in cells)
    return LastEpochs(*mean_std(values), epochs, tuple(values))


def is_usual(cell: ReportCell) -> bool:
    """Whether a head has the settings that conf/head gives to its name.

    A setting that either of the two lacks decides nothing; nor does the name of the code, nor what changes last bits alone.
    """
    head = cell.config["head"]
    if head["name"] not in options("head"):
        return bool(cell.place.head == head["name"])
    usual = load_option("head", head["name"])
    return all(head[key] == usual[key] for key in head.keys() & usual.keys() - {"_target_", LAST_BITS})


def _absent(heads: Heads, every: Heads) -> tuple[list[str], list[str]]:
    """Of each head the seeds of which every cell failed, and those that no cell has finished yet."""
    failed, unfinished = [], []
    for head, own in sorted(every.items()):
        seeds = {cell.place.seed for cell in own}
        have = {cell.place.seed for cell in heads.get(head, ())}
        lost = {seed for seed in seeds - have if all(cell.state is State.FAILED for cell in own if cell.place.seed == seed)}
        finished_elsewhere = {cell.place.seed for cell in own if cell.record is not None}
        if lost:
            rest = "; its mean is over the rest, and what makes training fail may also make it worse" if have else ""
            failed.append(f"of {count_of(len(seeds), 'seed')} of {head}, {len(lost)} failed{rest}.")
        if pending := seeds - have - lost - finished_elsewhere:
            unfinished.append(f"of {count_of(len(seeds), 'seed')} of {head}, {len(pending)} not finished yet.")
    return failed, unfinished


def _seed_notes(entries: Sequence[Entry], baseline: str, *, several: bool) -> list[str]:
    """Where the heads' means are over different seeds."""
    if len({entry.seeds for entry in entries}) < 2:
        return []
    seeds = "; ".join(f"{entry.head}: {', '.join(map(str, entry.seeds))}" for entry in entries)
    best = "the best is the one over the seeds that all have" if several else "as no seed is shared by all, none is called best"
    notes = [f"means are over different seeds ({seeds}); differences are over the seeds that both heads have, and {best}."]
    first = next((entry for entry in entries if entry.head == baseline), None)
    for entry in entries:
        if first is not None and entry is not first and not set(entry.seeds) & set(first.seeds):
            notes.append(f"{entry.head} and {baseline} have no seed in common, so no difference is shown.")
    return notes
