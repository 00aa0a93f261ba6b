"""Which cells of a table are compared with one another: those of one backbone and settings, where these have several heads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from wisesr.report.study import LeftOut, ReportCell
from wisesr.results.state import State

GroupKey = tuple[str, str]
"""Backbone and settings."""
Heads = dict[str, list[ReportCell]]
"""Cells of each head of a group."""


class Groups(NamedTuple):
    """The groups of a table."""

    shown: dict[GroupKey, Heads]
    """With their finished cells; a group with one head is shown where leaving it out would hide a result."""
    every: dict[GroupKey, Heads]
    """All groups, with all cells, finished or not."""
    left_out: list[LeftOut]
    """Finished cells of heads that another group compares, in settings that no other head has; then missing seeds, rates and
    heads that others of the group, or other backbones, have."""
    warnings: list[str]
    notes: list[str]


def divide(finished: Sequence[ReportCell], cells: Sequence[ReportCell]) -> Groups:
    """The groups of a table, by its finished cells that may be compared and by all of its cells."""
    done, every = _by_group(finished), _by_group(cells)
    shown: dict[GroupKey, Heads] = {}
    left_out = []
    for key, heads in done.items():
        if _is_aside(key, every):
            left_out += [
                LeftOut(cell.name, cell.state, f"no other head was trained with {_settings(key)}", cell.place)
                for own in heads.values()
                for cell in own
            ]
        else:
            shown[key] = heads
    warnings, notes = _single_heads(shown, every)
    return Groups(shown, every, left_out + _missing(shown, every), warnings, notes)


def _by_group(cells: Sequence[ReportCell]) -> dict[GroupKey, Heads]:
    groups: dict[GroupKey, Heads] = {}
    for cell in cells:
        heads = groups.setdefault((cell.place.backbone, cell.place.settings), {})
        heads.setdefault(cell.place.head, []).append(cell)
    return groups


def _settings(key: GroupKey) -> str:
    return key[1] or "its settings"


def _is_aside(key: GroupKey, every: Mapping[GroupKey, Heads]) -> bool:
    """Whether a group has one head only, which other settings of its backbone compare with others."""
    if len(every[key]) > 1:
        return False
    (head,) = every[key]
    return any(other[0] == key[0] and len(heads) > 1 and head in heads for other, heads in every.items() if other != key)


def _single_heads(shown: Mapping[GroupKey, Heads], every: Mapping[GroupKey, Heads]) -> tuple[list[str], list[str]]:
    """Warnings for backbones whose heads have nothing but settings of their own; notes for single such heads."""
    warnings, notes = [], []
    for backbone in dict.fromkeys(backbone for backbone, _ in shown):
        own = {key: heads for key, heads in shown.items() if key[0] == backbone}
        single = {key: next(iter(heads)) for key, heads in own.items() if len(every[key]) == 1}
        if len(single) == len(own) and len(set(single.values())) > 1:
            heads_with = "; ".join(f"{head} with {_settings(key)}" for key, head in single.items())
            warnings.append(f"{backbone}: heads also differ in their settings, so nothing is compared: {heads_with}.")
        elif len(single) < len(own):
            notes += [
                f"{backbone}: {head} was trained with {_settings(key)} only, as no other head." for key, head in single.items()
            ]
    return warnings, notes


def _missing(shown: Mapping[GroupKey, Heads], every: Mapping[GroupKey, Heads]) -> list[LeftOut]:
    """Cells that no directory holds and that others suggest: a seed of another head at a rate, a head of another backbone."""
    expected: dict[str, set[str]] = defaultdict(set)
    for (_, settings), heads in every.items():
        if len(heads) > 1:
            expected[settings] |= heads.keys()
    missing = []
    for key in shown:
        heads = every[key]
        wanted: dict[str, set[int]] = defaultdict(set)
        for cell in (cell for own in heads.values() for cell in own):
            wanted[cell.place.rate].add(cell.place.seed)
        for head in sorted(heads.keys() | expected[key[1]]):
            own = heads.get(head, [])
            have = {(cell.place.rate, cell.place.seed) for cell in own}
            like = own or next(iter(heads.values()))
            reason = "another head has this seed" if own else "other backbones have this head"
            for rate in sorted({rate for rate, _ in have} or wanted.keys()):
                for seed in sorted(wanted[rate] - {seed for at, seed in have if at == rate}):
                    place = like[0].place._replace(head=head, rate=rate, seed=seed)
                    missing.append(LeftOut(place.label, State.MISSING, reason, place))
    return missing
