"""The rows of one backbone and settings: each head's seeds, what they say, and how it compares."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from wisesr.config.options import load_option, options
from wisesr.report.differences import differences
from wisesr.report.groups import Heads
from wisesr.report.guard import group_warnings
from wisesr.report.published import Run
from wisesr.report.rates import Choice, choose
from wisesr.report.statistics import mean_std
from wisesr.report.study import Difference, Entry, ReportCell

_TIE = 1e-4
"""Means this close are equal, points: what the float32 of a record leaves."""


class GroupEntries(NamedTuple):
    """Entries of one backbone and settings, and what is to be said of them."""

    name: str
    """`resnet50 recipe.epochs=9`."""
    entries: tuple[Entry, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    """Of the group, without its name."""


def group_entries(heads: Heads, cells: Sequence[ReportCell], baseline: str, published: Mapping[Run, float]) -> GroupEntries:
    """The entries of one backbone and settings, the baseline first.

    Args:
        heads: finished cells of each head that may be compared.
        cells: all of the group, finished or not.
        baseline: the head that others are held against.
        published: figures of `published.read_published`.
    """
    ordered = sorted(heads, key=lambda head: (head != baseline, head))
    choices = {head: choose(heads[head], [cell for cell in cells if cell.place.head == head]) for head in ordered}
    others = {head: choice.cells for head, choice in choices.items() if head != baseline}
    held = differences(choices[baseline].cells, others) if baseline in choices else {}
    several = len({cell.place.rate for cell in cells}) > 1
    best = _best(choices)
    entries = tuple(
        _entry(choice, several=several, best=head in best, difference=held.get(head), published=published)
        for head, choice in choices.items()
    )
    place = entries[0].cells[0].place
    name = " ".join(part for part in (place.backbone, place.settings) if part)
    failed, unfinished = _absent(heads, cells)
    chosen = [cell for choice in choices.values() for cell in choice.cells]
    tried = {head: _tried([cell for cell in cells if cell.place.head == head]) for head in choices}
    warnings = [*failed, *(_rate_warnings(choices, tried) if several else [])]
    notes = [
        *unfinished,
        *_twins(entries),
        *_seed_notes(entries, baseline, several=len(best) > 0),
        *(_rate_notes(choices, tried) if several else []),
    ]
    return GroupEntries(name, entries, (*group_warnings(chosen), *warnings), tuple(notes))


def _tried(cells: Sequence[ReportCell]) -> tuple[str, ...]:
    """Rates of one head that came to an end, by success or failure."""
    return tuple(sorted({cell.place.rate for cell in cells if cell.state in ("done", "failed")}))


def _best(choices: Mapping[str, Choice]) -> set[str]:
    """Heads with the highest mean over the seeds that all heads have; none where there is one head, or no such seed."""
    shared = set.intersection(*({cell.place.seed for cell in choice.cells} for choice in choices.values()))
    if len(choices) < 2 or not shared:
        return set()
    means = {
        head: mean_std([cell.top1 for cell in choice.cells if cell.place.seed in shared])[0] for head, choice in choices.items()
    }
    return {head for head, mean in means.items() if mean >= max(means.values()) - _TIE}


def _entry(
    choice: Choice, *, several: bool, best: bool, difference: Difference | None, published: Mapping[Run, float]
) -> Entry:
    """Args: several: whether the group has several rates."""
    place, config = choice.cells[0].place, choice.cells[0].config
    values = tuple(cell.top1 for cell in choice.cells)
    mean, std = mean_std(values)
    run = (config["dataset"]["name"], place.size, config["backbone"]["name"], config["head"]["name"])
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
        published=published[run] if run in published and is_usual(choice.cells[0]) else None,
        rate=choice.rate or (place.rate if several else ""),
        tried=choice.tried,
    )


def is_usual(cell: ReportCell) -> bool:
    """Whether a head has the settings that conf/head gives to its name.

    One that either of the two lacks is younger, or older, than the other and decides nothing; nor does the name of the code.
    """
    head = cell.config["head"]
    if head["name"] not in options("head"):
        return bool(cell.place.head == head["name"])
    usual = load_option("head", head["name"])
    return all(head[key] == usual[key] for key in head.keys() & usual.keys() - {"_target_"})


def _absent(heads: Heads, cells: Sequence[ReportCell]) -> tuple[list[str], list[str]]:
    """Of each head the seeds of which every cell failed, and those that no cell has finished yet."""
    failed, unfinished = [], []
    for head in sorted({cell.place.head for cell in cells}):
        own = [cell for cell in cells if cell.place.head == head]
        seeds = {cell.place.seed for cell in own}
        have = {cell.place.seed for cell in heads.get(head, ())}
        lost = {seed for seed in seeds - have if all(cell.state == "failed" for cell in own if cell.place.seed == seed)}
        finished_elsewhere = {cell.place.seed for cell in own if cell.record is not None}
        if lost:
            rest = "; its mean is over the rest, and what makes training fail may also make it worse" if have else ""
            failed.append(f"of {len(seeds)} seed{'s' * (len(seeds) > 1)} of {head}, {len(lost)} failed{rest}.")
        if open_ := seeds - have - lost - finished_elsewhere:
            unfinished.append(f"of {len(seeds)} seed{'s' * (len(seeds) > 1)} of {head}, {len(open_)} not finished yet.")
    return failed, unfinished


def _twins(entries: Sequence[Entry]) -> list[str]:
    """Heads that are one computation on this map: `wise` is `depthwise_nonneg` where there is nothing to average before.

    By every figure, those of training included: models that have learned nothing yet may say the same of all test images.
    """
    alike: dict[str, list[str]] = {}
    for entry in entries:
        records = [(cell.place.seed, cell.record) for cell in entry.cells if cell.record is not None]
        figures = [(seed, record["metrics"], record["cost"]["parameters"]["head_parameters"]) for seed, record in records]
        alike.setdefault(json.dumps(figures, sort_keys=True), []).append(entry.head)
    names = [" and ".join(heads) for heads in alike.values() if len(heads) > 1]
    return [f"{told} have the same accuracies and losses on every seed: here they are one computation." for told in names]


def _seed_notes(entries: Sequence[Entry], baseline: str, *, several: bool) -> list[str]:
    """Where the heads' means are over different seeds."""
    if len({entry.seeds for entry in entries}) < 2:
        return []
    told = "; ".join(f"{entry.head}: {', '.join(map(str, entry.seeds))}" for entry in entries)
    best = "the best is the one over the seeds that all have" if several else "as no seed is shared by all, none is called best"
    found = [f"means are over different seeds ({told}); differences are over the seeds that both heads have, and {best}."]
    first = next((entry for entry in entries if entry.head == baseline), None)
    for entry in entries:
        if first is not None and entry is not first and not set(entry.seeds) & set(first.seeds):
            found.append(f"{entry.head} and {baseline} have no seed in common, so no difference is told.")
    return found


def _rate_notes(choices: Mapping[str, Choice], tried: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Args: tried: rates of each head."""
    counts = sorted({len(tried[head]) for head, choice in choices.items() if choice.tried})
    found = []
    if counts:
        told = " or ".join(map(str, counts))
        found.append(f"each seed of a head stands at the best of {told} rates, chosen on validation (top-1, then loss).")
    return found + [f"{head} {note}." for head, choice in choices.items() for note in choice.notes]


def _rate_warnings(choices: Mapping[str, Choice], tried: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Args: tried: rates of each head."""
    found = []
    if len(set(tried.values())) > 1:
        told = "; ".join(f"{head}: {', '.join(own)}" for head, own in tried.items())
        found.append(f"heads were not tried at the same rates ({told}).")
    paper = any(cell.place.protocol == "paper" for choice in choices.values() for cell in choice.cells)
    if paper and any(choice.tried for choice in choices.values()):
        found.append("rates were chosen on the test images themselves (protocol=paper): each figure is the best of several.")
    return found + [f"{head} {warning}." for head, choice in choices.items() for warning in choice.warnings]
