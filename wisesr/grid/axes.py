"""What tells cells of the same dataset, backbone, head and seed apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from wisesr.config import computation

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


def extra_axes(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Keys of the computation that differ between cells of the same dataset, backbone, head and seed."""
    alike: dict[tuple[Any, ...], list[Leaves]] = defaultdict(list)
    for config in configs:
        names = tuple(config[group]["name"] for group in ("dataset", "backbone", "head"))
        alike[(*names, config["resolution"]["size"], config["seed"])].append(leaves(computation(config)))
    axes: dict[str, None] = {}
    for group in alike.values():
        for key in dict.fromkeys(key for one in group for key in one):
            if len({repr(one.get(key)) for one in group}) > 1:
                axes[key] = None
    return list(axes)
