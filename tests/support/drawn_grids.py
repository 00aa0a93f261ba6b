"""The grid that a reader reads as a whole: 44 rows of five heads, whose differences are drawn and not computed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.support.simulated import Design, simulated
from wisesr.report.difference import Difference
from wisesr.report.study import ReportCell, ReportTable
from wisesr.statistics.intervals import student

ROWS = 44
HEADS = ("wise", *(f"other{number}" for number in range(4)))
SPREAD = 0.6
"""Standard deviation over seeds, points."""


def grid(like: ReportCell) -> tuple[ReportTable, ...]:
    """A study of 44 backbones with five heads and the baseline, a cell each."""
    return simulated(like, replace(Design(), heads=HEADS, backbones=ROWS, seeds=1, images=20), 1, seed=0).tables


def drawn(
    template: tuple[ReportTable, ...], random: np.random.Generator, seeds: int, gain: float, rows: int
) -> tuple[tuple[ReportTable, ...], list[list[float]]]:
    """The template with differences over seeds, and p-values of the heads of each row that are equal."""
    tables, equal = [], []
    for table in template:
        entries = []
        for (backbone, _), group in table.groups().items():
            better = int(backbone[3:]) < rows
            baseline = random.normal(0, SPREAD, seeds)
            p_values = []
            for entry in group:
                if entry.head == table.baseline:
                    entries.append(entry)
                    continue
                shift = gain if better and entry.head == "wise" else 0.0
                estimate = student((shift + random.normal(0, SPREAD, seeds) - baseline).tolist())
                assert estimate is not None
                difference = Difference("seeds", tuple(range(seeds)), estimate.mean, paired=estimate, p=estimate.p)
                entries.append(entry._replace(difference=difference))
                if not shift:
                    p_values.append(estimate.p)
            equal.append(p_values)
        tables.append(table._replace(entries=tuple(entries)))
    return tuple(tables), equal
