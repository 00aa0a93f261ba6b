"""Speed against closed forms of curves without noise, and scipy's test."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.support.compared import data
from tests.support.rises import EPOCHS, of_head, rise, table_of, write_heads
from tests.support.studies import cell_config, write_cell
from wisesr.report.speed import speed, speeds
from wisesr.report.tables.speed_words import change, change_interval, how_measured


def test_the_ratio_of_curves_without_noise_is_that_of_their_formulas(tmp_path: Path) -> None:
    gap, wise = (6.0, 7.0, 8.0, 6.5), (4.0, 5.5, 5.0, 4.5)
    table = write_heads(tmp_path, {"gap": list(map(rise, gap)), "wise": list(map(rise, wise))})
    found = of_head(table, "wise")
    logs = [math.log(one / other) for one, other in zip(wise, gap, strict=True)]
    test = stats.ttest_1samp(logs, 0)
    assert (found.seeds, found.reached, found.censored, found.why_not) == ((0, 1, 2, 3), (0, 1, 2, 3), 0, "")
    assert found.epochs is not None
    assert found.epochs.ratio.mean == pytest.approx(np.mean(logs), abs=0.005)
    assert found.epochs.ratio[1:3] == pytest.approx(tuple(test.confidence_interval(0.95)), abs=0.02)
    assert found.epochs.ratio.p == pytest.approx(test.pvalue, rel=0.2)
    assert found.epochs.own == pytest.approx(math.log(20) * stats.gmean(wise), rel=0.01)
    assert found.epochs.own / found.epochs.other == pytest.approx(math.exp(found.epochs.ratio.mean))


def test_seconds_are_epochs_at_the_pace_of_each_cell(tmp_path: Path) -> None:
    """An epoch takes 20 s in every cell, but half as long in those of wise."""
    write_heads(tmp_path, {"gap": [rise(6)] * 3})
    table = write_heads(tmp_path, {"wise": [rise(4)] * 3}, record={"cost": {"train_seconds": 10.0 * EPOCHS}})
    found = of_head(table, "wise")
    assert found.epochs is not None and found.seconds is not None
    assert found.seconds.own == pytest.approx(10 * found.epochs.own)
    assert found.seconds.other == pytest.approx(20 * found.epochs.other)


@pytest.mark.parametrize("how", [{"provenance": {"threads": 9}}, {"record": {"cost": {"train_seconds": 0.0}}}])
def test_seconds_of_other_machines_or_of_nothing_are_not_compared(how: Mapping[str, Any], tmp_path: Path) -> None:
    write_heads(tmp_path, {"gap": [rise(6)] * 3})
    found = of_head(write_heads(tmp_path, {"wise": [rise(4)] * 3}, **how), "wise")
    assert found.epochs is not None
    assert found.seconds is None


def test_the_area_against_a_loop(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    gap, wise = random.uniform(0.2, 0.9, (2, 4, 12)).tolist()
    found = of_head(write_heads(tmp_path, {"gap": gap, "wise": wise}), "wise")
    means = [100 * sum(one - other for one, other in zip(*pair, strict=True)) / 12 for pair in zip(wise, gap, strict=True)]
    assert found.area is not None
    assert found.area.mean == pytest.approx(np.mean(means))
    assert found.area.p == pytest.approx(stats.ttest_1samp(means, 0).pvalue)


def test_a_seed_that_never_gets_there_makes_a_bound_and_never_looks_faster(tmp_path: Path) -> None:
    """In four seeds wise is there in a third of the epochs, in the fifth it never is."""
    table = write_heads(tmp_path, {"gap": [rise(9)] * 5, "wise": [rise(3)] * 4 + [rise(3, 0.7)]})
    found = of_head(table, "wise")
    assert (found.reached, found.censored) == ((0, 1, 2, 3), 1)
    assert found.epochs is not None
    assert found.epochs.ratio[1:] == (None, None, None)
    assert found.epochs.own == pytest.approx((9.0**4 * EPOCHS) ** 0.2, rel=0.03)
    assert change(found.epochs, bound=True) == "\N{EN DASH}"
    assert any("lower bound" in text for text in how_measured(table, (found,)))


def test_two_seeds_have_figures_and_nothing_that_looks_like_a_finding(tmp_path: Path) -> None:
    table = write_heads(tmp_path, {"gap": [rise(9)] * 2, "wise": [rise(6), rise(5)]})
    found = of_head(table, "wise")
    assert found.epochs is not None and found.area is not None
    assert found.epochs.ratio[1:] == found.area[1:] == (None, None, None)
    assert change_interval(found.epochs.ratio) == "\N{EN DASH}"
    assert "say nothing about the heads" in " ".join(how_measured(table, (found,)))


def test_heads_that_are_one_computation_have_no_interval(tmp_path: Path) -> None:
    found = of_head(write_heads(tmp_path, {"gap": [rise(9)] * 3, "wise": [rise(9)] * 3}), "wise")
    assert found.epochs is not None
    assert tuple(found.epochs.ratio) == (0.0, None, None, None)


@pytest.mark.parametrize(
    ("gap", "wise", "reason"),
    [
        ([rise(2, epochs=4)] * 3, [rise(2, epochs=4)] * 3, "a curve of 4 epochs cannot be smoothed: 5 are the least"),
        ([rise(9)] * 3, [], None),
        ([rise(9)], [rise(9)], ""),
    ],
)
def test_when_there_is_no_answer(gap: list[list[float]], wise: list[list[float]], reason: str | None, tmp_path: Path) -> None:
    found = [one.why_not for one in speeds(write_heads(tmp_path, {"gap": gap, "wise": wise}))]
    assert found == ([] if reason is None else [reason])


def test_budgets_that_differ_are_not_compared(tmp_path: Path) -> None:
    """A limit of time leaves 40 of 60 epochs; a rule of patience, the same for all heads, may."""
    write_heads(tmp_path, {"gap": [rise(9)] * 3})
    for head, stopped in (("wise", "max_time"), ("depthwise", "patience")):
        for seed in range(3):
            config = cell_config(tmp_path, head=head, seed=seed, epochs=EPOCHS)
            write_cell(config, curve=rise(6)[:40], record={"budget": {"stopped": stopped}})
    table = table_of(tmp_path)
    assert of_head(table, "wise").why_not == "with seed 0, wise had 40 epochs and gap 60"
    assert of_head(table, "wise").epochs is of_head(table, "wise").area is None
    assert of_head(table, "depthwise").epochs is not None


def test_only_seeds_with_curves_of_both_are_compared(tmp_path: Path) -> None:
    table = write_heads(tmp_path, {"gap": [rise(9)] * 4, "wise": [rise(6)] * 5})
    assert of_head(table, "wise").seeds == (0, 1, 2, 3)
    for cell in next(entry for entry in table.entries if entry.head == "gap").cells[1:]:
        (cell.directory / "metrics.csv").unlink()
    assert of_head(table, "wise").seeds == (0,)


def test_any_two_heads_can_be_compared(tmp_path: Path) -> None:
    table = write_heads(tmp_path, {"gap": [rise(9)] * 3, "wise": [rise(6)] * 3, "depthwise": [rise(4)] * 3})
    entries = {entry.head: entry for entry in table.entries}
    one, other = entries["wise"], entries["depthwise"]
    back, forth = speed(one, other).epochs, speed(other, one).epochs
    assert back is not None and forth is not None
    assert back.ratio.mean == pytest.approx(math.log(1.5), abs=0.01)
    assert forth.ratio.mean == pytest.approx(-back.ratio.mean, abs=0.01)


def test_replicates_have_the_corrected_resampled_t(tmp_path: Path) -> None:
    """50 images tested, 330 trained or chosen on: the variance is (1/4 + 50/330) times that of a ratio in place of 1/4."""
    taus = {"gap": (6.0, 7.0, 8.0, 6.5), "wise": (4.0, 5.5, 5.0, 4.5)}
    for head, own in taus.items():
        for seed, tau in enumerate(own):
            changes = {"replicate": seed, "dataset.split_seed": seed}
            config = cell_config(tmp_path, head=head, seed=seed, epochs=EPOCHS, changes=changes)
            write_cell(config, curve=rise(tau), provenance=data(f"{seed}"), first=50 * seed)
    table = table_of(tmp_path)
    found = of_head(table, "wise")
    assert found.epochs is not None and found.replicated
    ratio, logs = found.epochs.ratio, found.log_ratios
    half = stats.t.ppf(0.975, 3) * np.std(logs, ddof=1) * math.sqrt(1 / 4 + 50 / 330)
    assert ratio[:3] == pytest.approx((np.mean(logs), np.mean(logs) - half, np.mean(logs) + half))
    assert any("corrected resampled t" in text for text in how_measured(table, (found,)))
