"""What a computation is called: the fingerprint of a configuration, and the directory of its cell. No torch."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wisesr.config.schema import Config

# What decides where and how fast a cell runs, but no number in its record.
_NOT_IN_FINGERPRINT = ("study", "logger", "output_dir", "dataset.root", "dataset.workers", "trainer.threads")

# Keys that are younger than cells on disk: at the value that all cells had before, they are not part of a cell's name.
NEUTRAL = {
    "trainer.num_nodes": 1,
    "recipe.init": "timm",
    "recipe.batch_norm": "timm",
    "recipe.structure": "timm",
    "recipe.head_init": "normal",
    "recipe.optimizer.lr_in_velocity": False,
}


def fingerprint(config: Mapping[str, Any]) -> str:
    """64 hexadecimal digits that name the computation: equal for two configurations that must give equal numbers."""
    return hashlib.sha256(json.dumps(computation(config), sort_keys=True).encode()).hexdigest()


def computation(config: Mapping[str, Any]) -> Config:
    """A copy of the configuration without what decides only where and how fast a cell runs; 1.0 stands as 1."""
    relevant: Config = _numbers(json.loads(json.dumps(config)))
    for path in (*_NOT_IN_FINGERPRINT, *NEUTRAL):
        *groups, key = path.split(".")
        node = relevant
        for group in groups:
            node = node.get(group, {})
        if path not in NEUTRAL or node.get(key) == NEUTRAL[path]:
            node.pop(key, None)
    return relevant


def _numbers(value: Any) -> Any:
    """1.0 as 1, so that `dropout=0` and `dropout=0.0` are one computation."""
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def cell_dir(config: Mapping[str, Any], name: str | None = None) -> Path:
    """Where the cell of this configuration lives, below `output_dir`.

    Args:
        config: of the cell.
        name: its fingerprint, where that is known already.
    """

    def safe(name: str) -> str:
        return re.sub(r"[^\w.-]", "_", name)

    return Path(
        config["output_dir"],
        config["study"],
        f"{safe(config['dataset']['name'])}-{config['resolution']['size']}",
        f"{safe(config['backbone']['name'])}-{safe(config['head']['name'])}",
        f"seed-{config['seed']}-{(name or fingerprint(config))[:8]}",
    )
