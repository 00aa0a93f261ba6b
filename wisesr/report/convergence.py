"""How validation accuracy grew: curves over seeds, and how soon each head reached what the baseline reached at all."""

from __future__ import annotations

import csv
import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from wisesr.report.costs import same_machine
from wisesr.report.study import Entry, ReportCell, ReportTable
from wisesr.results.metrics import read_metrics

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

    Medians, in which a seed that never got there counts as later than all: a mean over those that did would make a head look
    the faster the more of its seeds fail.
    """

    entry: Entry
    compared: tuple[int, ...]
    """Seeds that both have, with curves."""
    reached: tuple[int, ...]
    """Those of them that got there."""
    epochs: float | None
    """Until then, the median over `compared`; None where that is no seed that got there."""
    beyond: int | None
    """Where `epochs` is None: the epochs within which it was not reached; None without seeds to compare."""
    seconds: float | None
    """As `epochs`, of training with validation, at the mean pace of each cell; None also where the cells of its backbone
    and settings ran on different machines or a record has no time."""


def read_validation_curve(cell: ReportCell) -> EpochValues:
    """Validation top-1 of a cell after each epoch, percent; empty where `metrics.csv` is absent or damaged."""
    try:
        rows = read_metrics(cell.directory)
    except (OSError, ValueError, TypeError, csv.Error):  # UnicodeDecodeError is a ValueError; a row too long has a list
        return {}
    figures = ((row.get("epoch", math.nan), row.get("val/top1", math.nan)) for row in rows)
    return {int(epoch): 100.0 * top1 for epoch, top1 in figures if math.isfinite(epoch) and math.isfinite(top1)}


def curve(entry: Entry, growths: Sequence[EpochValues]) -> Curve | None:
    """The curve of an entry; None where no epoch is common to its seeds.

    Args:
        entry: with its cells.
        growths: of each of its cells.
    """
    known = [(cell.place.seed, growth) for cell, growth in zip(entry.cells, growths, strict=True) if growth]
    if not known:
        return None
    epochs = sorted(set.intersection(*(set(growth) for _, growth in known)))
    if not epochs:
        return None
    values = np.array([[growth[epoch] for epoch in epochs] for _, growth in known])
    mean = values.mean(axis=0)
    band: Literal["none", "range", "std"] = "none" if len(values) == 1 else "range" if len(values) == 2 else "std"
    low, high = values.min(axis=0), values.max(axis=0)
    if band == "std":
        spread = values.std(axis=0, ddof=1)
        low, high = mean - spread, mean + spread
    cut = any(max(growth) > epochs[-1] for _, growth in known)
    seeds = tuple(seed for seed, _ in known)
    return Curve(entry, seeds, tuple(epochs), tuple(mean.tolist()), tuple(low.tolist()), tuple(high.tolist()), band, cut)


def curves(entries: Sequence[Entry]) -> tuple[Curve, ...]:
    """Those of one backbone and settings, without heads that have none."""
    found = (curve(entry, [read_validation_curve(cell) for cell in entry.cells]) for entry in entries)
    return tuple(one for one in found if one is not None)


def reaches(table: ReportTable) -> tuple[Reach, ...]:
    """For each entry whose backbone and settings the baseline has too, and for the baseline itself."""
    found = []
    for entries in table.groups().values():
        baseline = next((entry for entry in entries if entry.head == table.baseline), None)
        if baseline is not None:
            best = {cell.place.seed: max(read_validation_curve(cell).values(), default=math.nan) for cell in baseline.cells}
            goals = {seed: goal for seed, goal in best.items() if not math.isnan(goal)}
            timed = same_machine(entries)
            found += [_reach(entry, goals, timed) for entry in entries]
    return tuple(found)


def _reach(entry: Entry, goals: Mapping[int, float], timed: bool) -> Reach:
    grown = [(cell, growth) for cell in entry.cells if cell.place.seed in goals and (growth := read_validation_curve(cell))]
    epochs: list[float] = []
    seconds: list[float] = []
    for cell, growth in grown:
        goal = goals[cell.place.seed]
        first = next((float(epoch) for epoch, top1 in sorted(growth.items()) if top1 >= goal), math.inf)
        epochs.append(first)
        seconds.append(seconds_until(cell, first))
    seeds = tuple(cell.place.seed for cell, _ in grown)
    reached = tuple(seed for seed, epoch in zip(seeds, epochs, strict=True) if epoch < math.inf)
    median = _median(epochs)
    beyond = min((max(growth) for (_, growth), epoch in zip(grown, epochs, strict=True) if epoch == math.inf), default=None)
    return Reach(entry, seeds, reached, median, None if median is not None else beyond, _median(seconds) if timed else None)


def _median(values: Sequence[float]) -> float | None:
    """None where it is infinite, unknown, or of nothing."""
    middle = statistics.median(values) if values else math.nan
    return middle if math.isfinite(middle) and not any(map(math.isnan, values)) else None


def seconds_until(cell: ReportCell, epoch: float) -> float:
    """Of training, validation included, until the end of an epoch, at the cell's mean pace; NaN where it is not recorded."""
    assert cell.record is not None, "entries hold finished cells"
    seconds, epochs = cell.record["cost"]["train_seconds"], cell.record["budget"]["trained_epochs"]
    return epoch * float(seconds) / epochs if seconds and epochs else math.nan
