"""What heads are ranked by: for each dataset of some tables the value of each head that is on all of them.

A block is a dataset, as its images are what its tables share over sizes, backbones, splits and seeds: two tables of one dataset
are not two witnesses. Its name tells it; what varies beyond the name (`dataset.split_seed`) makes no other one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from wisesr.report.settings import settings_of
from wisesr.report.study import Entry, ReportTable
from wisesr.report.twins import figures
from wisesr.statistics.ranks import Values
from wisesr.wording import natural_key

Row = Mapping[str, Entry]
"""One backbone and settings of a table: its heads."""


class RankedValues(NamedTuple):
    """Heads by datasets."""

    datasets: tuple[str, ...]
    heads: tuple[str, ...]
    """That are on all datasets; by name."""
    values: Values
    """(datasets, heads): the mean over the rows that all these heads have on the dataset of the mean over the seeds that they
    all have in the row."""
    last_epochs: bool
    """Whether these are means over the last epochs, as under protocol=paper the highest of all favours a head that moves; not
    where no file has them."""
    absent: Mapping[str, tuple[str, ...]]
    """Other heads, and the datasets that lack them."""
    without_row: tuple[str, ...]
    """Datasets with all of the heads but in no row together, with a seed in common."""
    unlike: Mapping[str, tuple[str, ...]]
    """Heads whose settings are not the same on all datasets, and the names of these settings."""
    twins: Mapping[str, tuple[str, ...]]
    """Heads, and others that are one computation with them in every row: these count once."""


def dataset_of(table: ReportTable) -> str:
    """The dataset of a table with entries, by its name alone."""
    return str(table.entries[0].cells[0].config["dataset"]["name"])


def ranked_values(tables: Sequence[ReportTable]) -> RankedValues | None:
    """The values to rank; None where fewer than two datasets compare heads.

    Args:
        tables: with entries, of one protocol.
    """
    rows = _rows(tables)
    if len(rows) < 2:
        return None
    has = {dataset: {head for row in own for head in row} for dataset, own in rows.items()}
    every = sorted(set.intersection(*has.values()))
    others = sorted(set.union(*has.values()) - set(every))
    twins = _twins(every, [row for own in rows.values() for row in own])
    heads = [head for head in every if not any(head in same for same in twins.values())]
    last_epochs = any(entry.last for own in rows.values() for row in own for entry in row.values())
    found = {dataset: _block(own, heads, last_epochs=last_epochs) for dataset, own in rows.items()} if len(heads) > 1 else {}
    blocks = {dataset: block for dataset, block in found.items() if block}
    return RankedValues(
        datasets=tuple(blocks) if found else tuple(rows),
        heads=tuple(heads),
        values=np.array(list(blocks.values()), np.float64).reshape(len(blocks), len(heads)),
        last_epochs=last_epochs,
        absent={head: tuple(dataset for dataset in rows if head not in has[dataset]) for head in others},
        without_row=tuple(dataset for dataset in found if dataset not in blocks),
        unlike={head: keys for head in heads if (keys := _unlike(head, [rows[dataset] for dataset in blocks]))},
        twins=twins,
    )


def _rows(tables: Sequence[ReportTable]) -> dict[str, list[Row]]:
    """The rows of each dataset that compare heads."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for table in sorted(tables, key=lambda table: natural_key(dataset_of(table))):
        for entries in table.groups().values():
            if len(entries) > 1:
                rows[dataset_of(table)].append({entry.head: entry for entry in entries})
    return rows


def _twins(heads: Sequence[str], rows: Sequence[Row]) -> dict[str, tuple[str, ...]]:
    """Heads by name, with those after them that have the same figures in all rows."""
    same: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for head in heads:
        same[tuple(figures(row[head]) if head in row else "" for row in rows)].append(head)
    return {first: tuple(others) for first, *others in same.values() if others}


def _block(rows: Sequence[Row], heads: Sequence[str], *, last_epochs: bool) -> list[float]:
    """The value of each head on a dataset; empty where no row has all heads with a seed in common."""
    means = [means for row in rows if (means := _means(row, heads, last_epochs=last_epochs))]
    return [math.fsum(column) / len(means) for column in zip(*means, strict=True)]


def _means(row: Row, heads: Sequence[str], *, last_epochs: bool) -> list[float]:
    """The mean of each head over the seeds that all have; empty where they have none, or a head is not there."""
    if not row.keys() >= set(heads):
        return []
    by_seed = [_by_seed(row[head], last_epochs=last_epochs) for head in heads]
    shared = set.intersection(*map(set, by_seed))
    return [math.fsum(own[seed] for seed in shared) / len(shared) for own in by_seed] if shared else []


def _by_seed(entry: Entry, *, last_epochs: bool) -> dict[int, float]:
    """The value of each seed; empty where those of the last epochs are asked for and cannot be read."""
    values = entry.values if not last_epochs else entry.last.values if entry.last is not None else ()
    return dict(zip(entry.seeds, values, strict=True)) if values else {}


def _unlike(head: str, datasets: Sequence[Sequence[Row]]) -> tuple[str, ...]:
    """Settings of a head that are not the same on all datasets: a label names only what varies within a table."""
    settings = []
    for rows in datasets:
        found: dict[str, set[str]] = defaultdict(set)
        for entry in (row[head] for row in rows if head in row):  # the cells of an entry differ in their seeds alone
            for key, value in settings_of(entry.cells[0].config["head"]).items():
                found[key].add(repr(value))
        settings.append(found)
    keys = {key for own in settings for key in own}
    return tuple(sorted(key for key in keys if any(own.get(key) != settings[0].get(key) for own in settings)))
