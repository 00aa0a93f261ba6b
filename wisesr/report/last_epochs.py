"""The end of a curve, its plateau: a mean over the last epochs, and not its luckiest epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from wisesr.report.convergence import readable_metrics
from wisesr.report.study import ReportCell
from wisesr.report.tested_metrics import TOP1, Metric

LEAST, MOST = 3, 20
"""Epochs of a plateau."""
_COLUMNS = {"top1": ("val/top1", 100.0), "macro_f1": ("val/macro_f1", 100.0), "nll": ("val/loss", 1.0)}
"""Of `metrics.csv` by the metric's name, and what one there is in the metric's unit."""


def plateau_epochs(trained: int) -> int:
    """A tenth of the epochs, of at least `LEAST` and at most `MOST`; all of a training that is shorter.

    Args:
        trained: epochs of a cell, at least one.
    """
    return min(trained, max(LEAST, min(MOST, round(trained / 10))))


def plateau(values: Sequence[float]) -> float:
    """The mean of the last values of a curve, as many as `plateau_epochs` says; of at least one value, an epoch each."""
    return fmean(values[-plateau_epochs(len(values)) :])


def last_epochs(cell: ReportCell, metric: Metric = TOP1) -> float | None:
    """The plateau of what was measured after each epoch to choose one, in the metric's unit.

    Under protocol=paper that is on the test split, and the cell's own figure is the best of it. None where `metrics.csv` is
    absent or damaged, or does not have the metric.
    """
    column, scale = _COLUMNS.get(metric.name, ("", 1.0))
    values = [value for row in readable_metrics(cell.directory) if math.isfinite(value := row.get(column, math.nan))]
    return scale * plateau(values) if values else None
