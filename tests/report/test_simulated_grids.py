"""Grids without an effect of the head, through `compare`: how often a difference is marked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from tests.support.compared import write
from wisesr.report.compare import compare
from wisesr.report.placement import table_of
from wisesr.report.read import read_study
from wisesr.report.study import ReportCell


def _simulated(like: ReportCell, random: np.random.Generator, *, groups: int, seeds: int, rates: int) -> list[ReportCell]:
    """Three heads without an effect, on 359 test images; a seed moves all heads, a rate moves validation and test apart."""
    cells = []
    for group in range(groups):
        test, val = random.normal(0, 0.008, (2, rates)) if rates > 1 else np.zeros((2, 1))
        for seed in range(seeds):
            common = random.normal(0, 0.006)
            for head in ("gap", "wise", "depthwise"):
                for rate in range(rates):
                    drawn = 0.9 + common + test[rate] + random.normal(0, 0.006), 0.9 + val[rate] + random.normal(0, 0.006)
                    cells.append(_cell(like, (f"b{group:04}", head, rate if rates > 1 else None, seed), *drawn))
    return cells


def _cell(like: ReportCell, where: tuple[str, str, int | None, int], top1: float, val_top1: float) -> ReportCell:
    backbone, head, rate, seed = where
    right = float(np.float32(round(min(top1, 1.0) * 359) / 359))
    best = replace(like.finished_record.best, test_top1=right, val_top1=min(val_top1, 1.0))
    record = replace(like.finished_record, best=best)
    place = like.place._replace(backbone=backbone, head=head, seed=seed, rate="" if rate is None else f"lr={rate}")
    return like._replace(name=str(where), record=record, place=place)


def _marked_groups(like: ReportCell, random: np.random.Generator, **how: int) -> tuple[int, int]:
    """Groups, and how many of them have a mark, on the way that records take."""
    cells = _simulated(like, random, **how)
    (table,) = compare(cells, baseline="gap", published={}, common={table_of(like.place): ""})
    groups = table.groups().values()
    assert all(len(group) == 3 and len(group[0].cells) == how["seeds"] for group in groups)
    marked = sum(any(one.difference is not None and one.difference.significant for one in group) for group in groups)
    return len(groups), marked


@pytest.mark.parametrize(("seeds", "rates"), [(3, 1), (5, 4)])
def test_groups_without_an_effect_are_rarely_marked(tmp_path: Path, seeds: int, rates: int) -> None:
    """Within the 99 % bound of 5 %, also where rates have an effect and heads stand at different ones."""
    write(tmp_path, "gap", 0, 0.9)
    (like,) = read_study([tmp_path]).cells
    groups, marked = _marked_groups(like, np.random.default_rng(seeds), groups=100 // rates, seeds=seeds, rates=rates)
    assert marked <= stats.binom.ppf(0.99, groups, 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("rates", [1, 4])
def test_many_groups_without_an_effect_are_rarely_marked(tmp_path: Path, seeds: int, rates: int) -> None:
    write(tmp_path, "gap", 0, 0.9)
    (like,) = read_study([tmp_path]).cells
    groups = marked = 0
    for draw in range(6):
        found = _marked_groups(like, np.random.default_rng([seeds, rates, draw]), groups=150, seeds=seeds, rates=rates)
        groups, marked = groups + found[0], marked + found[1]
    assert marked <= stats.binom.ppf(0.99, groups, 0.05)
