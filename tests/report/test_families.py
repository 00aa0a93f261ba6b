"""What a study counts as one test, and over how many it corrects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from tests.support.compared import entries_of, table_of_study, write
from tests.support.drawn_grids import HEADS, ROWS, drawn, grid
from tests.support.simulated import finished_cell
from wisesr.report.stars import corrected
from wisesr.statistics.families import holm

GRIDS = 40


def test_a_grid_of_equal_heads_has_hardly_a_star(tmp_path: Path) -> None:
    """44 rows of five heads: corrected by rows, as readers do not read, most grids have one."""
    template, random = grid(finished_cell(tmp_path)), np.random.default_rng(0)
    by_row = by_study = 0
    for _ in range(GRIDS):
        tables, rows = drawn(template, random, seeds=5, gain=0.0, rows=0)
        assert len(rows) == ROWS and {len(row) for row in rows} == {len(HEADS)}
        by_row += any(min(holm(row)) < 0.05 for row in rows)
        found = corrected(tables)
        assert {table.tests for table in found} == {ROWS * len(HEADS)}
        by_study += any(entry.difference.significant for table in found for entry in table.entries if entry.difference)
    assert by_study <= stats.binom.ppf(0.99, GRIDS, 0.05)
    assert by_row >= stats.binom.ppf(0.01, GRIDS, 0.8)


@pytest.mark.parametrize("seeds", [1, 2])
def test_a_difference_is_that_of_the_means_above_it(tmp_path: Path, seeds: int) -> None:
    """With one and two seeds, too: never that of one of them."""
    random = np.random.default_rng(seeds)
    for head in ("gap", "wise", "depthwise"):
        for seed in range(seeds):
            write(tmp_path, head, seed, 0.5 + 0.4 * random.random(), images=359, draw=int(random.integers(1000)))
    entries = entries_of(table_of_study(tmp_path))
    for head in ("wise", "depthwise"):
        entry, baseline = entries[f"resnet18 {head}"], entries["resnet18 gap"]
        assert entry.difference is not None and not entry.difference.partial
        assert entry.difference.mean == pytest.approx(entry.mean - baseline.mean, abs=1e-9)
        assert (entry.difference.p, entry.best) == (None, False), "nothing that looks like a finding"


def test_heads_that_are_one_computation_are_one_test(tmp_path: Path) -> None:
    """And what is the baseline under another name is none."""
    same = {"cost": {"parameters": {"head_parameters": 7}}}
    gap, wise = (0.70, 0.72, 0.71, 0.70), (0.80, 0.78, 0.85, 0.79)
    for seed in range(4):
        write(tmp_path, "gap", seed, gap[seed], record=same)
        write(tmp_path, "gap_dropout", seed, gap[seed], record=same)
        write(tmp_path, "wise", seed, wise[seed], record=same)
        write(tmp_path, "depthwise_nonneg", seed, wise[seed], record=same)
        write(tmp_path, "depthwise", seed, wise[seed] - 0.02, record=same)
    table = table_of_study(tmp_path)
    entries = entries_of(table)
    twin, other = entries["resnet18 wise"].difference, entries["resnet18 depthwise_nonneg"].difference
    assert table.tests == 2
    assert twin is not None and other is not None and twin.p is not None
    assert (twin.p, twin.p_holm) == (other.p, other.p_holm)
    assert any("one computation" in note for note in table.notes)
