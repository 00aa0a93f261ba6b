"""How validation accuracy grew: curves over seeds, and how soon each head reached what the baseline reached at all."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from wisesr.report.costs import machines
from wisesr.report.metrics_files import readable_metrics
from wisesr.report.study import Entry, ReportCell, ReportTable

EpochValues = Mapping[int, float]
"""Epoch, from 1, to validation top-1 after it, percent."""


class Curve(NamedTuple):
    """Validation top-1 of one head over its seeds, at the epochs that all of them have."""

    entry: Entry
    seeds: tuple[int, ...]
    """Whose curves could be read."""
    epochs: tuple[int, ...]
    mean: tuple[float, ...]
    """Percent, an epoch each."""
    low: tuple[float, ...]
    """The band: `mean` itself of one seed, the least of two, the mean less a standard deviation (n - 1) of more."""
    high: tuple[float, ...]
    band: Literal["none", "range", "std"]
    cut: bool
    """Whether some of the seeds go on after the last of `epochs`."""


class Reach(NamedTuple):
    """How soon an entry had the baseline's best validation accuracy of the same seed.

    Medians, in which a seed that never reached it counts as later than all: a mean over those that did would make a head look
    the faster the more of its seeds fail.
    """

    entry: Entry
    compared: tuple[int, ...]
    """Seeds that both have, with curves."""
    reached: tuple[int, ...]
    """Those of them that reached it."""
    epochs: float | None
    """Until it was reached, the median over `compared`; None where more than half of the seeds never reached it."""
    beyond: int | None
    """Where `epochs` is None: the epochs within which it was not reached; None without seeds to compare."""
    seconds: float | None
    """As `epochs`, of training with validation, at the mean pace of each cell; None also where the cells of its backbone
    and settings ran on different machines or a cell has no time."""


def read_validation_curve(cell: ReportCell) -> EpochValues:
    """Validation top-1 of a cell after each epoch, percent; empty where `metrics.csv` is absent or damaged."""
    rows = readable_metrics(cell.directory)
    figures = ((row.get("epoch", math.nan), row.get("val/top1", math.nan)) for row in rows)
    return {int(epoch): 100.0 * top1 for epoch, top1 in figures if math.isfinite(epoch) and math.isfinite(top1)}


def curve(entry: Entry, values_of_seeds: Mapping[int, EpochValues]) -> Curve | None:
    """The curve of an entry, from the values of its seeds; None where no epoch is common to those that have any."""
    by_seed = {seed: epoch_values for seed, epoch_values in values_of_seeds.items() if epoch_values}
    if not by_seed:
        return None
    epochs = sorted(set.intersection(*map(set, by_seed.values())))
    if not epochs:
        return None
    values = np.array([[epoch_values[epoch] for epoch in epochs] for epoch_values in by_seed.values()])
    mean = values.mean(axis=0)
    band: Literal["none", "range", "std"] = "none" if len(values) == 1 else "range" if len(values) == 2 else "std"
    low, high = values.min(axis=0), values.max(axis=0)
    if band == "std":
        spread = values.std(axis=0, ddof=1)
        low, high = mean - spread, mean + spread
    cut = any(max(epoch_values) > epochs[-1] for epoch_values in by_seed.values())
    mean_values, low_values, high_values = (tuple(array.tolist()) for array in (mean, low, high))
    return Curve(entry, tuple(by_seed), tuple(epochs), mean_values, low_values, high_values, band, cut)


def curves(entries: Sequence[Entry]) -> tuple[Curve, ...]:
    """The validation curves of one backbone's entries; heads whose files cannot be read have none."""
    drawn = (curve(entry, {cell.place.seed: read_validation_curve(cell) for cell in entry.cells}) for entry in entries)
    return tuple(line for line in drawn if line is not None)


def reaches(table: ReportTable) -> tuple[Reach, ...]:
    """For each entry whose backbone and settings the baseline has too, and for the baseline itself."""
    reached: list[Reach] = []
    for entries in table.groups().values():
        baseline = next((entry for entry in entries if entry.head == table.baseline), None)
        if baseline is not None:
            by_seed = {cell.place.seed: read_validation_curve(cell) for cell in baseline.cells}
            goals = {seed: max(epoch_values.values()) for seed, epoch_values in by_seed.items() if epoch_values}
            timed = len(machines(entries)) == 1  # else seconds cannot be compared
            reached += [_reach(entry, goals, timed) for entry in entries]
    return tuple(reached)


def _reach(entry: Entry, goals: Mapping[int, float], timed: bool) -> Reach:
    """Args: goals: the accuracy to reach, by seed. timed: whether seconds can be compared."""
    epochs: dict[int, float] = {}
    seconds: list[float] = []
    never: list[int] = []
    for cell in entry.cells:
        seed, curve_of_cell = cell.place.seed, read_validation_curve(cell)
        if seed not in goals or not curve_of_cell:
            continue
        reaching = (float(epoch) for epoch, top1 in sorted(curve_of_cell.items()) if top1 >= goals[seed])
        epochs[seed] = next(reaching, math.inf)
        seconds.append(seconds_until(cell, epochs[seed]))
        if epochs[seed] == math.inf:
            never.append(max(curve_of_cell))
    reached = tuple(seed for seed, epoch in epochs.items() if epoch < math.inf)
    median = _median(list(epochs.values()))
    beyond = min(never, default=None) if median is None else None
    return Reach(entry, tuple(epochs), reached, median, beyond, _median(seconds) if timed else None)


def _median(values: Sequence[float]) -> float | None:
    """None where it is infinite, unknown, or of nothing."""
    middle = statistics.median(values) if values else math.nan
    return middle if math.isfinite(middle) and not any(map(math.isnan, values)) else None


def seconds_until(cell: ReportCell, epoch: float) -> float:
    """Of training, validation included, until the end of an epoch, at the cell's mean pace; NaN where nothing was timed."""
    record = cell.finished_record
    seconds, epochs = record.cost.train_seconds, record.budget.trained_epochs
    return epoch * float(seconds) / epochs if seconds and epochs else math.nan
