"""What repeats a cell: its seed, and with `replicate` or folds the split too. Cells of two heads are paired by all of it.

A replicate moves `dataset.split_seed` with the seed, so that its number tells both; a fold is a test split of its own. Neither
is another dataset: all replicates, or all folds, of a dataset are repetitions in one table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from statistics import fmean
from typing import Any

from wisesr.config.axes import Leaves
from wisesr.config.replicates import split_moves_with_seed
from wisesr.report.scores import Scoring
from wisesr.report.study import ReportCell
from wisesr.wording import count_of

_SEED, _SPLIT, _FOLD, _FOLDS = "seed", "dataset.split_seed", "dataset.fold", "dataset.folds"
Split = tuple[int, int | None]
"""`dataset.split_seed` and `dataset.fold`."""


class SeedAndFold(int):
    """A seed and a fold as one number, which is what repetitions are paired and sorted by; as text `0 fold 2`."""

    text: str

    def __new__(cls, seed: int, fold: int, folds: int) -> SeedAndFold:
        """Of one table, whose cells have the same number of folds."""
        both = super().__new__(cls, seed * folds + fold)
        both.text = f"{seed} fold {fold}"
        return both

    def __str__(self) -> str:
        return self.text

    def __format__(self, spec: str) -> str:
        return format(self.text, spec)


def repetition(values: Leaves) -> int:
    """What tells a cell from those that repeat it: its seed, or seed and fold."""
    seed, fold = values[_SEED], values.get(_FOLD)
    return seed if fold is None else SeedAndFold(seed, fold, values[_FOLDS])


def without_repetitions(cells: Sequence[Leaves], classes: Sequence[Hashable]) -> list[Leaves]:
    """Settings of cells without what only repeats: which fold; and `split_seed`, where it is the seed in all cells of a class.

    Where `split_seed` and seed vary by themselves, each split is a dataset of its own.
    """
    members: dict[Hashable, list[Leaves]] = defaultdict(list)
    for values, name in zip(cells, classes, strict=True):
        members[name, values["dataset.name"]].append(values)
    moved = {key: split_moves_with_seed(own) for key, own in members.items()}
    return [
        {
            key: "each" if key == _FOLD and value is not None else value
            for key, value in values.items()
            if not (key == _SPLIT and moved[name, values["dataset.name"]])
        }
        for values, name in zip(cells, classes, strict=True)
    ]


def split_of(config: Mapping[str, Any]) -> Split:
    """What the splits of a cell were drawn by."""
    return config["dataset"].get("split_seed", 0), config["dataset"].get("fold")


def repeated_by(configs: Sequence[Mapping[str, Any]]) -> str:
    """What tells these cells, of one head, from their repetitions: `fold`, `replicate` or `seed`."""
    if any(config["dataset"].get("fold") is not None for config in configs):
        return "fold"
    given = any(config.get("replicate") is not None for config in configs)
    return "replicate" if given or len({split_of(config) for config in configs}) > 1 else "seed"


def tested_over_trained(cells: Sequence[ReportCell], scoring: Scoring) -> float | None:
    """Test images divided by those that models were made from, trained and chosen on; None where all have one test split.

    Args:
        cells: finished, a repetition each.
        scoring: tells test images apart; where it cannot, cells of other data are taken for cells of other test images.
    """
    if len({cell.finished_record.provenance.data.fingerprint for cell in cells}) < 2:
        return None
    read = [scoring(cell) for cell in cells]
    digests = {own if isinstance(own, str) else own.images for own in read}
    if len(digests) == 1 and not any(isinstance(own, str) for own in read):
        return None
    counts = [cell.finished_record.provenance.data.images for cell in cells]
    return fmean(own["test"] / max(1, sum(own.values()) - own["test"]) for own in counts)


def repetition_notes(cells: Sequence[ReportCell]) -> list[str]:
    """What a seed is in a table whose repetitions have splits of their own."""
    splits = {split_of(cell.config) for cell in cells}
    if len(splits) < 2:
        return []
    folds = {fold for _, fold in splits if fold is not None}
    if not folds:
        return [f"Seeds are replicates: each of the {len(splits)} has a split of its own, drawn with the seed's number."]
    of = cells[0].config["dataset"]["folds"]
    seeds = len({cell.config["seed"] for cell in cells})
    times = f", and each of {count_of(seeds, 'seed')} is one more" if seeds > 1 else ""
    return [f"Seeds are folds: each tests one of {of} parts of the images; {len(folds)} of the {of} are here{times}."]
