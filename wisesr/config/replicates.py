"""Repetitions of a cell: other seeds, other splits drawn, other folds. What they are called, and what contradicts. No torch.

`replicate=n` is no setting of its own: `conf/` makes `seed` and `dataset.split_seed` of it, so a cell's `config.yaml` says all
three, and the cell is the one that `seed=n dataset.split_seed=n` names, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from wisesr.config.schema import DatasetSchema

_DEFAULTS = {field.name: field.default for field in fields(DatasetSchema)}


def repetition_names(config: Mapping[str, Any]) -> tuple[str, ...]:
    """`("seed-0",)`, `("replicate-3", "fold-2")`: what tells a cell from its repetitions, as W&B names it."""
    replicate, fold = config.get("replicate"), config["dataset"].get("fold")
    names = (f"seed-{config['seed']}" if replicate is None else f"replicate-{replicate}",)
    return names if fold is None else (*names, f"fold-{fold}")


def split_moves_with_seed(cells: Iterable[Mapping[str, Any]]) -> bool:
    """Whether cells, as dotted names and values, are replicates: the split of each is drawn with its seed's number."""
    return all(values.get("dataset.split_seed", 0) == values["seed"] for values in cells)


def replicate_problems(config: Mapping[str, Any]) -> list[str]:
    """What contradicts in `replicate`, `seed` and the dataset's split, a sentence each; wrong types are told elsewhere."""
    dataset = config["dataset"]
    return _replicate(config.get("replicate"), config.get("seed"), dataset.get("split_seed")) + _folds(dataset)


def _replicate(replicate: object, seed: object, split_seed: object) -> list[str]:
    if replicate is None:
        return []
    others = [f"{key}={value}" for key, value in (("seed", seed), ("dataset.split_seed", split_seed)) if value != replicate]
    if not others:
        return []
    return [
        f"replicate={replicate} makes seed and dataset.split_seed {replicate}, and {' '.join(others)} says otherwise: "
        "leave out one of the two; where an experiment brings replicates, replicate=null does"
    ]


def _folds(dataset: Mapping[str, Any]) -> list[str]:
    fold, folds = dataset.get("fold"), dataset.get("folds", _DEFAULTS["folds"])
    if not _is_count(folds):
        return []
    if fold is None:
        if folds == _DEFAULTS["folds"]:
            return []
        way = f"-m 'dataset.fold=range(0,{folds})' trains with each of them as test split"
        return [f"dataset.folds={folds} has no effect without dataset.fold: {way}"]
    if not _is_count(fold):
        return []
    if fold >= folds:
        return [f"dataset.fold={fold} is too high: with dataset.folds={folds} it is 0 to {folds - 1}"]
    fraction = dataset.get("test_fraction")
    if fraction != _DEFAULTS["test_fraction"]:
        share = f"the test split is one of {folds} folds"
        return [f"dataset.test_fraction={fraction} has no effect with dataset.fold, as {share}: leave out one of the two"]
    return []


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
