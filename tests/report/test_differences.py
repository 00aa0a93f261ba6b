"""What of a head's difference to the baseline is tested: seeds, images, the family, and what cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from tests.support.compared import entries_of, table_of_study, write
from wisesr.report.read import read_study


def test_three_seeds_are_tested_seed_by_seed(tmp_path: Path) -> None:
    gap, wise = [0.70, 0.80, 0.76], [0.78, 0.82, 0.86]
    for seed in range(3):
        write(tmp_path, "gap", seed, gap[seed])
        write(tmp_path, "wise", seed, wise[seed])
    difference = entries_of(table_of_study(tmp_path))["resnet18 wise"].difference
    truth = stats.ttest_rel(np.multiply(100, wise), np.multiply(100, gap))
    assert difference is not None
    assert (difference.kind, difference.seeds, difference.note) == ("seeds", (0, 1, 2), "")
    assert difference.paired is not None and difference.paired.p == pytest.approx(truth.pvalue, rel=1e-4)
    alone = difference.paired.interval()
    assert (alone.low, alone.high) == pytest.approx(tuple(truth.confidence_interval(0.95)), rel=1e-4)


def test_a_star_needs_the_images_too(tmp_path: Path) -> None:
    """Of 50 test images, two more on every seed and three on one are sure over seeds, and nothing for other images."""
    for seed in range(5):
        write(tmp_path, "gap", seed, 0.70, draw=1)
        write(tmp_path, "wise", seed, 0.74 + 0.02 * (seed == 0), draw=2)
    table = table_of_study(tmp_path)
    difference = entries_of(table)["resnet18 wise"].difference
    assert difference is not None and difference.paired is not None and difference.crossed is not None
    assert difference.paired.p < 0.001 and difference.crossed.p > 0.05
    assert (difference.p, difference.p_holm) == (difference.crossed.p, difference.crossed.p)
    assert not difference.significant and table.tests == 1
    assert (
        difference.low is not None and difference.low < 0 and difference.detectable is not None and difference.detectable > 4.4
    )


def test_holm_counts_all_comparisons_of_a_study(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for backbone, heads in (("resnet18", ("gap", "wise", "depthwise", "depthwise_nonneg")), ("resnet34", ("gap", "wise"))):
        for head in heads:
            for seed in range(5):
                write(tmp_path, head, seed, 0.8 + 0.1 * random.random(), backbone=backbone)
    entries = entries_of(table_of_study(tmp_path))
    own = [entries[f"resnet18 {head}"].difference for head in ("wise", "depthwise", "depthwise_nonneg")]
    alone = entries["resnet34 wise"].difference
    every = [one for one in (*own, alone) if one is not None and one.p is not None]
    truth = multipletests([one.p for one in every], method="holm")[1]
    assert [one.p_holm for one in every] == pytest.approx(truth.tolist()) and len(every) == 4
    assert alone is not None and alone.note == ""
    assert entries["resnet18 gap"].difference is None


def test_equal_differences_are_no_test_but_count_as_one(tmp_path: Path) -> None:
    """Two images more on every seed: t would be infinite, and in floats 1e14."""
    others = [0.70, 0.90, 0.82]
    for seed, right in enumerate((340, 341, 343)):
        write(tmp_path, "gap", seed, right / 359, images=359)
        write(tmp_path, "wise", seed, (right + 2) / 359, images=359)
        write(tmp_path, "depthwise", seed, others[seed], images=359)
    entries = entries_of(table_of_study(tmp_path))
    wise, depthwise = entries["resnet18 wise"].difference, entries["resnet18 depthwise"].difference
    assert wise is not None and (wise.low, wise.high, wise.p, wise.p_holm) == (None, None, None, None)
    assert not wise.significant and "all differences are equal: no test" in wise.note
    assert wise.mean == pytest.approx(200 / 359, abs=1e-4)
    assert depthwise is not None and depthwise.p is not None and depthwise.p_holm == pytest.approx(2 * depthwise.p)


@pytest.mark.parametrize("seeds", [1, 2])
def test_fewer_seeds_say_nothing_about_the_heads(tmp_path: Path, seeds: int) -> None:
    for seed in range(seeds):
        write(tmp_path, "gap", seed, 0.7 + 0.1 * seed)
        write(tmp_path, "wise", seed, 0.9, draw=1)
    difference = entries_of(table_of_study(tmp_path))["resnet18 wise"].difference
    assert difference is not None
    assert (difference.kind, difference.seeds) == ("images", tuple(range(seeds)))
    assert (difference.p, difference.p_holm, difference.detectable) == (None, None, None)
    assert difference.mean == pytest.approx(20.0 if seeds == 1 else 15.0, abs=1e-4)  # what stands under the means
    assert difference.low is not None and difference.high is not None
    assert difference.low <= difference.mean <= difference.high


def test_predictions_that_are_none_give_no_interval(tmp_path: Path) -> None:
    write(tmp_path, "gap", 0, 0.7)
    (write(tmp_path, "wise", 0, 0.9) / "predictions.npz").unlink()
    other = write(tmp_path, "depthwise", 0, 0.9)
    foreign = write(tmp_path / "elsewhere", "depthwise", 0, 0.5)
    (other / "predictions.npz").write_bytes((foreign / "predictions.npz").read_bytes())
    entries = entries_of(read_study([tmp_path / "study"]).tables[0])
    for head, said in (("wise", "no predictions"), ("depthwise", "not those of its record")):
        difference = entries[f"resnet18 {head}"].difference
        assert difference is not None and difference.mean == pytest.approx(20.0, abs=1e-4)
        assert (difference.low, difference.high) == (None, None) and said in difference.note
