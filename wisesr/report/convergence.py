"""How validation accuracy grew: the curves of cells, and of heads over their seeds."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np

from wisesr.report.study import Entry, ReportCell
from wisesr.results.metrics import METRICS, Row, read_metrics

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


def readable_metrics(directory: Path) -> list[Row]:
    """The rows of `metrics.csv`; none where it is absent or damaged."""
    try:
        return read_metrics(directory)
    except (OSError, ValueError, TypeError, csv.Error):  # UnicodeDecodeError is a ValueError; a row too long has a list
        return []


def read_validation_curve(cell: ReportCell) -> EpochValues:
    """Validation top-1 of a cell after each epoch, percent; empty where `metrics.csv` is absent or damaged.

    A file is read once as long as it is the same: figures, speeds and claims all ask for its curve.
    """
    try:
        file = (cell.directory / METRICS).stat()
    except OSError:
        return {}
    return _validation_curve(cell.directory, file.st_mtime_ns, file.st_size)


@lru_cache(maxsize=4096)
def _validation_curve(directory: Path, changed: int, size: int) -> EpochValues:
    """Args: changed, size: of the file, which tell whether it is still the same."""
    rows = readable_metrics(directory)
    figures = ((row.get("epoch", math.nan), row.get("val/top1", math.nan)) for row in rows)
    top1 = {int(epoch): 100.0 * share for epoch, share in figures if math.isfinite(epoch) and math.isfinite(share)}
    return MappingProxyType(top1)  # one for all who ask


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
