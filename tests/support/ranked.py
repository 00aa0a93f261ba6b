"""Studies of many datasets in memory, out of one cell on disk: what is ranked is plain numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from tests.support.compared import write
from wisesr.report.compare import compare
from wisesr.report.placement import table_of
from wisesr.report.read import read_study
from wisesr.report.study import ReportCell
from wisesr.report.tested_metrics import TOP1, Metric
from wisesr.report.whole_study import Study


class Result(NamedTuple):
    """A finished cell."""

    dataset: str
    head: str
    top1: float
    """Percent."""
    seed: int = 0
    backbone: str = "resnet18"
    size: int = 64
    protocol: str = "holdout"
    split_seed: int = 0
    twin_of: str = ""
    """The head that it is one computation with: else its losses are its own."""


def like_cell(root: Path) -> ReportCell:
    """A cell that others are made like."""
    write(root, "gap", 0, 0.9)
    (cell,) = read_study([root]).cells
    return cell


def study_of(like: ReportCell, results: Iterable[Result], metric: Metric = TOP1) -> Study:
    """The study of these cells, compared as a report compares them."""
    cells = tuple(_cell(like, result) for result in results)
    tables = compare(
        cells,
        baseline="gap",
        published={},
        common={table_of(cell.place): "" for cell in cells},
        scoring=lambda _: "has none",
        metric=metric,
    )
    return Study((), cells, (), tables)


def _cell(like: ReportCell, result: Result) -> ReportCell:
    record = like.finished_record
    loss = float(sum(map(ord, result.twin_of or result.head)))
    row = {**record.best.row, "test/top1": result.top1 / 100, "test/loss": loss}
    best = replace(record.best, test_top1=result.top1 / 100, row=row)
    dataset = result.dataset + (f" split_seed={result.split_seed}" if result.split_seed else "")
    place = like.place._replace(
        dataset=dataset,
        size=result.size,
        protocol=result.protocol,
        backbone=result.backbone,
        head=result.head,
        seed=result.seed,
    )
    groups = {"dataset": result.dataset, "head": result.head}
    config = {**like.config, **{group: {**like.config[group], "name": name} for group, name in groups.items()}}
    return like._replace(name=str(result), record=replace(record, best=best), place=place, config=config)
