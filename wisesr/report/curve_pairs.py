"""Curves of two heads, seed by seed, and whether their speeds may be compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from wisesr.report.convergence import EpochValues, read_validation_curve
from wisesr.report.pairs import by_seed
from wisesr.report.study import Entry, ReportCell
from wisesr.wording import count_of

LEAST_EPOCHS = 5
"""Of a training whose curve is smoothed."""


class CurvePair(NamedTuple):
    """The cells of one seed with their curves."""

    own: ReportCell
    other: ReportCell
    own_curve: EpochValues
    other_curve: EpochValues


def curve_pairs(entry: Entry, other: Entry) -> dict[int, CurvePair]:
    """By seed, those of which both curves could be read and have epochs in common."""
    others = by_seed(other.cells)
    both = {seed: (cell, others[seed]) for seed, cell in by_seed(entry.cells).items() if seed in others}
    pairs = {seed: CurvePair(*cells, *map(read_validation_curve, cells)) for seed, cells in both.items()}
    return {seed: pair for seed, pair in pairs.items() if pair.own_curve.keys() & pair.other_curve.keys()}


def why_not_comparable(pairs: Mapping[int, CurvePair]) -> str:
    """Why nothing can be said; empty where something can."""
    if not pairs:
        return "no seed that both have has curves"
    for seed, pair in pairs.items():
        own, other = _allowed_epochs(pair.own), _allowed_epochs(pair.other)
        if own != other:
            heads = pair.own.place.head, pair.other.place.head
            return f"with seed {seed}, {heads[0]} had {count_of(own, 'epoch')} and {heads[1]} {other:,}"
    shortest = min(min(len(pair.own_curve), len(pair.other_curve)) for pair in pairs.values())
    if shortest < LEAST_EPOCHS:
        return f"a curve of {count_of(shortest, 'epoch')} cannot be smoothed: {LEAST_EPOCHS} are the least"
    return ""


def _allowed_epochs(cell: ReportCell) -> int:
    """What a cell could have trained: a rule of patience is a property of its curve, a limit of time is one of its budget."""
    budget = cell.finished_record.budget
    return budget.epochs if budget.stopped in (None, "patience") else budget.trained_epochs
