"""Cells whose curves rise without noise, for tests of how soon heads reach a plateau."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.studies import cell_config, write_cell
from wisesr.report.read import read_study
from wisesr.report.speed import Speed, speeds
from wisesr.report.study import ReportTable

EPOCHS = 60


def rise(tau: float, height: float = 0.8, epochs: int = EPOCHS) -> list[float]:
    """At 95 % of its height after tau * ln 20 epochs."""
    return [height * (1 - math.exp(-epoch / tau)) for epoch in range(1, epochs + 1)]


def write_heads(root: Path, heads: Mapping[str, Sequence[Sequence[float]]], **how: Any) -> ReportTable:
    """A cell for each seed's curve; `changes` are those of `cell_config`, the rest is of `write_cell`."""
    changes = how.pop("changes", None)
    for head, seeds in heads.items():
        for seed, values in enumerate(seeds):
            config = cell_config(root, head=head, seed=seed, epochs=len(values), changes=changes)
            write_cell(config, curve=values, **how)
    return table_of(root)


def table_of(root: Path) -> ReportTable:
    (table,) = read_study([root]).tables
    return table


def of_head(table: ReportTable, head: str) -> Speed:
    return next(one for one in speeds(table) if one.entry.head == head)
