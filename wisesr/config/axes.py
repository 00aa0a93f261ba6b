"""What tells cells of the same dataset, backbone, head and seed apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from wisesr.config.defaults import without_defaults
from wisesr.config.identity import computation

Leaves = dict[str, Any]
RATES = ("recipe.optimizer.lr", "recipe.head_lr_scale")
"""Settings that each head may need its own of."""
COMPUTING = ("precision", "clip", "accumulate")
"""Keys of `trainer` that say what is computed; the others say how."""


def leaves(config: Mapping[str, Any], below: str = "") -> Leaves:
    """Dotted names of all values: `{"head.dropout": 0.5, ...}`; an empty node is a value too."""
    values: Leaves = {}
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            values |= leaves(value, f"{below}{key}.")
        else:
            values[below + key] = value
    return values


def settings(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """For each cell, what of its computation differs from the cells that have its study, dataset, backbone, head and seed.

    Returns:
        `head.dropout=0.5 recipe.epochs=9`, or an empty text for a cell that its names tell apart.
    """
    alike: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for index, config in enumerate(configs):
        names = tuple(config[group]["name"] for group in ("dataset", "backbone", "head"))
        place = (config["study"], *names, config["resolution"]["size"], config["seed"])
        alike[place].append(index)
    texts = [""] * len(configs)
    for group in alike.values():
        computations = [computation(configs[index]) for index in group]
        axes = _axes(computations)
        for index, values in zip(group, map(leaves, computations), strict=True):
            texts[index] = " ".join(setting_text(axis, values[axis]) for axis in axes if axis in values)
    return texts


def _axes(computations: Sequence[Mapping[str, Any]]) -> list[str]:
    """Keys whose values differ, and keys that only some have (another `_target_` takes none such) and not at their default."""
    values = [leaves(each) for each in computations]
    set_by_hand = {key for each in computations for key in leaves(without_defaults(each))}

    def is_axis(key: str) -> bool:
        different = len({repr(each[key]) for each in values if key in each}) > 1
        return different or (key in set_by_hand and any(key not in each for each in values))

    return [key for key in dict.fromkeys(key for each in values for key in each) if is_axis(key)]


def setting_text(axis: str, value: object) -> str:
    """`head.dropout=0.5`; a part that is code by the last of its name, `recipe.optimizer=sgd`."""
    part, _, key = axis.rpartition(".")
    if key == "_target_":
        return f"{part}={str(value).rpartition('.')[2]}"
    if isinstance(value, str) and value.count("/") > 2:  # a path: its end tells it from others
        value = "/".join(["...", *value.split("/")[-2:]])
    words = {None: "null", True: "true", False: "false"}
    return f"{axis}={words[value] if value is None or isinstance(value, bool) else value}"
