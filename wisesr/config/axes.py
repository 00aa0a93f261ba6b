"""What tells cells of the same dataset, backbone, head and seed apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from wisesr.config.identity import computation

Leaves = dict[str, Any]


def leaves(config: Mapping[str, Any], below: str = "") -> Leaves:
    """Dotted names of all values: `{"head.dropout": 0.5, ...}`; an empty node is a value too."""
    found: Leaves = {}
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            found |= leaves(value, f"{below}{key}.")
        else:
            found[below + key] = value
    return found


def settings(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """For each cell, what of its computation differs from the cells that have its study, dataset, backbone, head and seed.

    Returns:
        `head.dropout=0.5 recipe.epochs=9`, or an empty text for a cell that its names tell apart.
    """
    alike: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for index, config in enumerate(configs):
        names = tuple(config[group]["name"] for group in ("dataset", "backbone", "head"))
        alike[(config["study"], *names, config["resolution"]["size"], config["seed"])].append(index)
    texts = [""] * len(configs)
    for group in alike.values():
        values = [leaves(computation(configs[index])) for index in group]
        keys = dict.fromkeys(key for one in values for key in one)
        axes = [key for key in keys if len({repr(one.get(key)) for one in values}) > 1]
        for index, one in zip(group, values, strict=True):
            texts[index] = " ".join(_told(axis, one[axis]) for axis in axes if axis in one)
    return texts


def _told(axis: str, value: object) -> str:
    """`head.dropout=0.5`; a part that is code by the last of its name, `recipe.optimizer=sgd`."""
    part, _, key = axis.rpartition(".")
    if key == "_target_":
        return f"{part}={str(value).rpartition('.')[2]}"
    if isinstance(value, str) and value.count("/") > 2:  # a path: its end tells it from others
        value = "/".join(["...", *value.split("/")[-2:]])
    words = {None: "null", True: "true", False: "false"}
    return f"{axis}={words[value] if value is None or isinstance(value, bool) else value}"
