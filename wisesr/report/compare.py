"""Cells to tables: which of them may be compared, what the comparison says, and why the others are left out."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from wisesr.config import conf_dir, load_option
from wisesr.errors import UserError, unknown
from wisesr.report.differences import differences
from wisesr.report.guard import called, group_warnings, table_notes, table_warnings
from wisesr.report.published import Run
from wisesr.report.rates import Choice, choose_rate
from wisesr.report.statistics import mean_std
from wisesr.report.study import Difference, Entry, LeftOut, ReportCell, ReportTable

_TIE = 1e-6
"""Means this close are equal, points: below what a float32 of a record can tell."""
_UNFINISHED = {"waiting": "not started yet", "interrupted": "the same command goes on with it"}

Published = Mapping[Run, float]
GroupKey = tuple[str, str]
"""Backbone and settings."""
Heads = dict[str, list[ReportCell]]
"""Cells of each head of a group, by seed."""


class _Group(NamedTuple):
    """Entries of one backbone and settings, and what is to be said of them."""

    entries: tuple[Entry, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]


def compare(cells: Sequence[ReportCell], *, baseline: str, published: Published) -> tuple[ReportTable, ...]:
    """A table for each dataset, size and protocol.

    Args:
        cells: of the study, sorted by place.
        baseline: as of `cells.read_study`.
        published: figures of `published.read_published`.

    Raises:
        UserError: no cell has the baseline's head, and it is not just the one that is usual.
    """
    _check_baseline(cells, baseline)
    tables: dict[tuple[str, int, str], list[ReportCell]] = defaultdict(list)
    for cell in cells:
        tables[(cell.place.dataset, cell.place.size, cell.place.protocol)].append(cell)
    keys = _keys(list(tables))
    return tuple(_table(keys[place], own, baseline, published) for place, own in tables.items())


def _check_baseline(cells: Sequence[ReportCell], baseline: str) -> None:
    heads = {cell.place.head for cell in cells}
    if baseline != "gap" and baseline not in heads | {cell.config["head"]["name"] for cell in cells}:
        raise UserError(f"--baseline: {unknown('head of these cells', baseline, heads)}")


def _keys(places: Sequence[tuple[str, int, str]]) -> dict[tuple[str, int, str], str]:
    """A file's name for each table: `intel-224`, `intel-224-paper`."""
    found: dict[tuple[str, int, str], str] = {}
    for dataset, size, protocol in places:
        plain = re.sub(r"[^\w.-]+", "_", f"{dataset}-{size}{'-paper' if protocol == 'paper' else ''}")
        key, number = plain, 2
        while key.lower() in (taken.lower() for taken in found.values()):
            key, number = f"{plain}-{number}", number + 1
        found[(dataset, size, protocol)] = key
    return found


def _table(key: str, cells: Sequence[ReportCell], baseline: str, published: Published) -> ReportTable:
    """The table of cells of one dataset, size and protocol."""
    place = cells[0].place
    finished = [cell for cell in cells if cell.record is not None]
    baseline, unclear = _baseline(finished, baseline)
    left = [LeftOut(cell.name, cell.state, _why(cell)) for cell in cells if cell.record is None]
    same, others = _of_one_data(finished, baseline)
    left += others
    groups, alone, apart = _groups(same, cells)
    left += alone + _missing(cells)
    made = [_group(own, baseline, published) for own in groups.values()]
    shown = [cell for group in made for entry in group.entries for cell in entry.cells]
    return ReportTable(
        key=key,
        title=f"{place.dataset}, {place.size} px{', protocol=paper' if place.protocol == 'paper' else ''}",
        dataset=place.dataset,
        size=place.size,
        protocol=place.protocol,
        selections=tuple(sorted({str(cell.record["selection"]) for cell in shown if cell.record is not None})),
        baseline=baseline,
        entries=tuple(entry for group in made for entry in group.entries),
        warnings=(*table_warnings(shown), *apart, *(sentence for group in made for sentence in group.warnings)),
        notes=(*unclear, *(sentence for group in made for sentence in group.notes), *table_notes(shown)),
        left_out=tuple(left),
    )


def _why(cell: ReportCell) -> str:
    """Of a cell that is not finished."""
    return cell.reason or _UNFINISHED.get(cell.state, "not finished yet")


def _baseline(cells: Sequence[ReportCell], asked: str) -> tuple[str, list[str]]:
    """The head's name with its settings, and a note where it is not there, or several are called so."""
    heads = sorted({cell.place.head for cell in cells})
    if asked in heads or not cells:
        return asked, []
    named = sorted({cell.place.head for cell in cells if cell.config["head"]["name"] == asked})
    if len(named) == 1:
        return named[0], []
    if named:
        return asked, [
            f"No differences: {len(named)} heads are called {asked} ({', '.join(named)}); choose one with --baseline."
        ]
    return asked, [f"No differences: no {asked} is finished here; --baseline names another head ({', '.join(heads)})."]


def _of_one_data(cells: Sequence[ReportCell], baseline: str) -> tuple[list[ReportCell], list[LeftOut]]:
    """Cells of the data that most of them saw, and the others."""
    seen: dict[str, list[ReportCell]] = defaultdict(list)
    for cell in cells:
        assert cell.record is not None
        seen[cell.record["provenance"]["data"]["fingerprint"]].append(cell)
    if not seen:
        return [], []

    def order(data: str) -> tuple[int, int, str]:
        return -len(seen[data]), -sum(cell.place.head == baseline for cell in seen[data]), data

    chosen = min(seen, key=order)
    count = len(seen[chosen])
    reason = f"other images, labels or splits than the {count} cell{'s' * (count > 1)} of the table"
    others = [LeftOut(cell.name, cell.state, reason) for data, own in seen.items() if data != chosen for cell in own]
    return seen[chosen], others


def _by_group(cells: Sequence[ReportCell]) -> dict[GroupKey, Heads]:
    groups: dict[GroupKey, Heads] = {}
    for cell in cells:
        heads = groups.setdefault((cell.place.backbone, cell.place.settings), {})
        heads.setdefault(cell.place.head, []).append(cell)
    return groups


def _groups(same: Sequence[ReportCell], cells: Sequence[ReportCell]) -> tuple[dict[GroupKey, Heads], list[LeftOut], list[str]]:
    """Groups to show, cells that stand alone beside them, and warnings where a backbone has only such.

    Args:
        same: finished cells of the table's data.
        cells: all of the table, finished or not.
    """
    groups, all_groups = _by_group(same), _by_group(cells)
    comparing = {backbone for (backbone, _), heads in groups.items() if len(heads) > 1}
    shown, left, warnings = {}, [], []
    for (backbone, settings), heads in groups.items():
        if backbone in comparing and len(all_groups[(backbone, settings)]) == 1:
            (own,) = heads.values()
            reason = f"no other head was trained with {settings}"
            left += [LeftOut(cell.name, cell.state, reason) for cell in own]
        else:
            shown[(backbone, settings)] = heads
    for backbone in dict.fromkeys(backbone for backbone, _ in groups):
        own_groups = [(settings, heads) for (name, settings), heads in groups.items() if name == backbone]
        if backbone not in comparing and len({head for _, heads in own_groups for head in heads}) > 1:
            told = "; ".join(f"{', '.join(heads)} with {settings or 'none of these'}" for settings, heads in own_groups)
            warnings.append(f"{backbone}: heads also differ in their settings, so nothing is compared: {told}.")
    return shown, left, warnings


def _missing(cells: Sequence[ReportCell]) -> list[LeftOut]:
    """Seeds that one head has and another, at the same rate, has not."""
    found = []
    for heads in _by_group(cells).values():
        seeds: dict[str, set[int]] = defaultdict(set)
        for cell in (cell for own in heads.values() for cell in own):
            seeds[cell.place.rate].add(cell.place.seed)
        for own in heads.values():
            have = {(cell.place.rate, cell.place.seed) for cell in own}
            for rate in dict.fromkeys(cell.place.rate for cell in own):
                for seed in sorted(seeds[rate] - {seed for at, seed in have if at == rate}):
                    absent = own[0]._replace(place=own[0].place._replace(rate=rate, seed=seed))
                    found.append(LeftOut(called(absent), "missing", "another head has this seed"))
    return found


def _group(heads: Heads, baseline: str, published: Published) -> _Group:
    """The entries of one backbone and settings, the baseline first."""
    choices = {head: choose_rate(heads[head]) for head in sorted(heads, key=lambda head: (head != baseline, head))}
    others = {head: choice.cells for head, choice in choices.items() if head != baseline}
    held = differences(choices[baseline].cells, others) if baseline in choices else {}
    means = {head: mean_std([cell.top1 for cell in choice.cells])[0] for head, choice in choices.items()}
    highest = max(means.values())
    entries = tuple(
        _entry(choice, best=means[head] >= highest - _TIE, difference=held.get(head), published=published)
        for head, choice in choices.items()
    )
    place = entries[0].cells[0].place
    name = " ".join(part for part in (place.backbone, place.settings) if part)
    cells = [cell for choice in choices.values() for cell in choice.cells]
    disjoint = [head for head in others if baseline in choices and head not in held]
    notes = [f"{name}: {head} and {baseline} have no seed in common, so there is no difference." for head in disjoint]
    return _Group(
        entries,
        (*group_warnings(name, cells), *_rate_warnings(name, heads, choices)),
        (*notes, *_seed_notes(name, entries), *_rate_notes(name, choices)),
    )


def _entry(choice: Choice, *, best: bool, difference: Difference | None, published: Published) -> Entry:
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
        published=published.get(run) if _is_named(choice.cells[0]) else None,
        rate=choice.rate,
        tried=choice.tried,
    )


def _is_named(cell: ReportCell) -> bool:
    """Whether a head is the one of its name: alone with it, or with just the settings that conf/head gives it."""
    head = cell.config["head"]
    if cell.place.head == head["name"]:
        return True
    plain = {key: value for key, value in head.items() if key != "name"}
    return (conf_dir() / "head" / f"{head['name']}.yaml").is_file() and load_option("head", head["name"]) == plain


def _seed_notes(name: str, entries: Sequence[Entry]) -> list[str]:
    """Where the heads' means are over different seeds."""
    seeds = Counter(entry.seeds for entry in entries)
    if len(seeds) < 2:
        return []
    told = "; ".join(f"{entry.head}: {', '.join(map(str, entry.seeds))}" for entry in entries)
    return [f"{name}: means are over different seeds ({told}); differences are over those that both heads have."]


def _rate_notes(name: str, choices: Mapping[str, Choice]) -> list[str]:
    several = {head: choice for head, choice in choices.items() if choice.tried}
    if not several:
        return []
    counts = sorted({len(choice.tried) for choice in several.values()})
    told = ", ".join(f"{head} {choice.rate}" for head, choice in several.items())
    found = [f"{name}: each head at its best of {' or '.join(map(str, counts))} rates, chosen on validation: {told}."]
    for head, choice in several.items():
        if choice.edge:
            found.append(f"{name}: the best rate of {head} is the {choice.edge} tried; a better one may lie beyond.")
    return found


def _rate_warnings(name: str, heads: Heads, choices: Mapping[str, Choice]) -> list[str]:
    found = []
    rates = {head: tuple(sorted({cell.place.rate for cell in own})) for head, own in heads.items()}
    if len(set(rates.values())) > 1:
        told = "; ".join(f"{head}: {', '.join(own)}" for head, own in rates.items())
        found.append(f"{name}: heads were not tried at the same rates ({told}).")
    for head, choice in choices.items():
        if choice.tried and not choice.seeds:
            found.append(f"{name}: the rates of {head} have no seed in common, so each was judged by seeds of its own.")
        if choice.tried and choice.cells[0].place.protocol == "paper":
            found.append(f"{name}: the rate of {head} was chosen on the test images themselves (protocol=paper).")
    return found
