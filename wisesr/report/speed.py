"""How soon a head reaches a share of another's plateau, the baseline's as a rule, over the seeds that both have.

Both are measured against one goal in one way, on smoothed curves. The highest value of a whole curve would be a goal that
noise sets and noise reaches: with it, a head of the same true curve and twice the noise looked faster in 99.95 % of simulated
studies. Differences are logarithms of ratios of epochs, so that twice as fast and half as fast are as far from equal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from wisesr.report.convergence import EpochValues
from wisesr.report.costs import alike_in_time
from wisesr.report.curve_pairs import CurvePair, curve_pairs, why_not_comparable
from wisesr.report.differences import SEEDS
from wisesr.report.last_epochs import plateau, plateau_epochs
from wisesr.report.repetitions import tested_over_trained
from wisesr.report.study import Entry, ReportCell, ReportTable
from wisesr.statistics.intervals import Interval, interval_of
from wisesr.statistics.resampled import over_repetitions
from wisesr.statistics.rising import first_reached

SHARE = 0.95
"""Of a plateau, that is the goal."""


class Pace(NamedTuple):
    """Time to the goal in one unit: geometric means over seeds, whose ratio is that of `ratio`."""

    own: float
    """Of the head. A seed that never reached the goal counts with all that it was trained: this is then a lower bound."""
    other: float
    """Of the head that sets the goal."""
    ratio: Interval
    """Logarithm of own / other, below 0 where the head is faster: exp(mean) - 1 is the change. Without interval and p of fewer
    than three seeds, of equal differences, and where a seed never reached the goal: the mean is then a lower bound."""


class Speed(NamedTuple):
    """How soon a head was at the goal that another sets, and how high its curve lay on the way."""

    entry: Entry
    other: Entry
    """Whose plateau sets the goal: the baseline, or the other side of a claim's contrast."""
    seeds: tuple[int, ...]
    """That both have, with curves."""
    reached: tuple[int, ...]
    """Those of them in which `entry` reached the goal."""
    epochs: Pace | None
    """None where `why_not`."""
    seconds: Pace | None
    """Of training with validation, at the mean pace of each cell; None also where the cells ran on different machines,
    began their epochs with different things (files, maps of a frozen backbone), or a cell has no time."""
    area: Interval | None
    """Mean top-1 over the epochs that both have, `entry` less `other`, points: noise from epoch to epoch does not bias it."""
    why_not: str
    """Why there is no answer; empty where there is one."""
    log_ratios: tuple[float, ...] = ()
    """Of epochs, `entry` over `other`, by seed; a lower bound of a seed that never reached the goal. Empty where `why_not`."""
    replicated: bool = False
    """Whether seeds are replicates or folds, with images of their own: intervals are then the corrected resampled t."""

    @property
    def censored(self) -> int:
        """Seeds that never reached the goal."""
        return len(self.seeds) - len(self.reached)


class _Times(NamedTuple):
    """To the goal, of one seed."""

    own: float
    """Where it was never reached, all that was trained: the truth is later."""
    other: float
    reached: bool


def speeds(table: ReportTable) -> tuple[Speed, ...]:
    """Each head beside the baseline of its backbone and settings; nothing of rows that do not have the baseline."""
    found: list[Speed] = []
    for entries in table.groups().values():
        baseline = next((entry for entry in entries if entry.head == table.baseline), None)
        if baseline is not None:
            found += [speed(entry, baseline) for entry in entries if entry is not baseline]
    return tuple(found)


def speed(entry: Entry, other: Entry) -> Speed:
    """How soon `entry` reaches what `other`, of the same backbone and settings, has at its plateau."""
    pairs = curve_pairs(entry, other)
    seeds = tuple(pairs)
    if why_not := why_not_comparable(pairs):
        return Speed(entry, other, seeds, (), None, None, None, why_not)
    times = [_times(pair) for pair in pairs.values()]
    reached = tuple(seed for seed, time in zip(seeds, times, strict=True) if time.reached)
    seconds = [_in_seconds(pair, time) for pair, time in zip(pairs.values(), times, strict=True)]
    over = tested_over_trained([pair.own for pair in pairs.values()], _unread)
    area = over_seeds([_area(pair) for pair in pairs.values()], over)
    in_seconds = _pace(seconds, over) if alike_in_time((entry, other)) else None
    return Speed(entry, other, seeds, reached, _pace(times, over), in_seconds, area, "", _logs(times), over is not None)


def goal_of(values: EpochValues) -> float:
    """What a curve sets others as their goal, percent."""
    return SHARE * plateau(_in_order(values))


def over_seeds(differences: Sequence[float], over: float | None = None) -> Interval:
    """Their mean; with three seeds and more the paired interval and p, with fewer nothing that looks like a finding.

    Args:
        differences: of each seed.
        over: as of `over_repetitions`.
    """
    if len(differences) < SEEDS:
        return Interval(fmean(differences), None, None, None)
    return interval_of(over_repetitions(differences, over), fmean(differences))


def seconds_until(cell: ReportCell, epoch: float) -> float:
    """Of training, validation included, until an epoch's end, at the cell's mean pace; NaN where nothing was timed."""
    record = cell.finished_record
    seconds, epochs = record.cost.train_seconds, record.budget.trained_epochs
    return epoch * float(seconds) / epochs if seconds and epochs else math.nan


def _times(pair: CurvePair) -> _Times:
    """Epochs to the goal."""
    goal, window = goal_of(pair.other_curve), plateau_epochs(len(pair.other_curve))
    own, other = (_first_reached(goal, curve, window) for curve in (pair.own_curve, pair.other_curve))
    assert other is not None, "a curve's highest stretch is no lower than its last"
    return _Times(float(max(pair.own_curve)) if own is None else own, other, own is not None)


def _first_reached(goal: float, values: EpochValues, window: int) -> float | None:
    return first_reached(goal, sorted(values), _in_order(values), window)


def _in_order(values: EpochValues) -> list[float]:
    return [values[epoch] for epoch in sorted(values)]


def _in_seconds(pair: CurvePair, epochs: _Times) -> _Times:
    return _Times(seconds_until(pair.own, epochs.own), seconds_until(pair.other, epochs.other), epochs.reached)


def _pace(times: Sequence[_Times], over: float | None) -> Pace | None:
    """None where a time is not known."""
    if any(math.isnan(time.own + time.other) for time in times):
        return None
    ratio = over_seeds(_logs(times), over)
    if not all(time.reached for time in times):
        ratio = Interval(ratio.mean, None, None, None)
    own, other = (math.exp(fmean(map(math.log, side))) for side in ([t.own for t in times], [t.other for t in times]))
    return Pace(own, other, ratio)


def _unread(cell: ReportCell) -> str:
    """Predictions are not read for a speed: cells of other data are taken for cells of other images."""
    return f"{cell.place.label} was not read"


def _logs(times: Sequence[_Times]) -> tuple[float, ...]:
    return tuple(math.log(time.own / time.other) for time in times)


def _area(pair: CurvePair) -> float:
    """Mean difference of the curves at the epochs that both have, points."""
    common = pair.own_curve.keys() & pair.other_curve.keys()
    return fmean(pair.own_curve[epoch] - pair.other_curve[epoch] for epoch in common)
