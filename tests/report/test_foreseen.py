"""The difference that a plan says will be found, in studies that are drawn with it and then compared by the report itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.simulated import BASELINE, Design, finished_cell, simulated
from wisesr.report.study import ReportCell
from wisesr.statistics import foresight
from wisesr.statistics.crossed import interaction

SEEDS, IMAGES, STUDIES = 5, 400, 300


def spread_of(like: ReportCell, design: Design) -> foresight.Spread:
    """How heads without a gain differ: means over many studies."""
    drawn = simulated(like, design, 60, seed=1)
    right = {cell.place: drawn.known[cell.name].values / 100.0 for cell in drawn.cells}
    unlike, own, each, varying = [], [], [], []
    for place in right:
        if place.head != BASELINE and place.seed == 0:
            seeds = [place._replace(seed=seed) for seed in range(SEEDS)]
            table = np.array([right[one].astype(float) - right[one._replace(head=BASELINE)] for one in seeds])
            unlike.append((table != 0).mean())
            each.append(interaction(table))
            own.append(table.mean(axis=0).var(ddof=1) - each[-1] / SEEDS)
            varying.append(100.0**2 * (table.mean(axis=1).var(ddof=1) - each[-1] / IMAGES))
    lasting = np.mean(own) / (np.mean(own) + np.mean(each))
    return foresight.Spread(float(np.mean(unlike)), float(lasting), max(0.0, float(np.mean(varying))) ** 0.5)


@pytest.mark.slow
def test_the_report_finds_it_in_eight_studies_of_ten(tmp_path: Path) -> None:
    like, design = finished_cell(tmp_path), Design(heads=("wise", "depthwise"), seeds=SEEDS, images=IMAGES)
    gain = foresight.detectable(foresight.Design(SEEDS, IMAGES, 2, None), spread_of(like, design))
    assert gain is not None
    found = simulated(like, Design(heads=design.heads, seeds=SEEDS, images=IMAGES, gains={"wise": gain}), STUDIES, seed=2)
    stars = [
        entry.difference.significant
        for table in found.tables
        for entry in table.entries
        if entry.head == "wise" and entry.difference is not None
    ]
    assert len(stars) == STUDIES
    assert 0.72 < np.mean(stars) < 0.88
