"""By which keys of their configuration runs stand in groups: seeds of one computation side by side, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wisesr.config.axes import leaves
from wisesr.config.identity import computation
from wisesr.config.replicates import split_moves_with_seed

_FIRST = ("dataset.name", "resolution.size", "protocol", "backbone.name", "head.name")
"""Names that users know cells by; other keys only where these do not tell cells apart."""


def grouping(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Keys of the configuration that together tell cells apart but for seeds, replicates and folds, the head always among them.

    Of keys that vary together (a recipe's), the first stands for all.
    """
    values = [leaves(computation(config)) for config in configs]
    repeating = {"seed", *["dataset.split_seed"] * split_moves_with_seed(values)}
    repeating |= {"dataset.fold"} if all(cell.get("dataset.fold") is not None for cell in values) else set()
    rest = sorted({key for cell in values for key in cell} - {*_FIRST, *repeating})
    chosen: list[str] = []
    parts = 1
    for key in (*_FIRST, *rest):
        count = len({tuple(repr(cell.get(name)) for name in (*chosen, key)) for cell in values})
        if count > parts:
            chosen, parts = [*chosen, key], count
    return chosen if "head.name" in chosen else [*chosen, "head.name"]


def group_values(values: Mapping[str, Any], keys: Sequence[str]) -> tuple[str, ...] | None:
    """Of a cell's dotted names and values, those of the group that it stands in, as W&B writes them.

    None where one is no plain text or number: how W&B writes such is not documented.
    """
    found = [values.get(key) for key in keys]
    if not all(isinstance(value, (str, int, float)) and not isinstance(value, bool) for value in found):
        return None
    return tuple(str(value) for value in found)
