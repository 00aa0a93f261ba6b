"""Four invented GPUs, the settings of a grid, cells that take what they are given."""

from __future__ import annotations

import copy
from dataclasses import asdict
from typing import Any

from wisesr.config.schema import GridSchema

GRID = asdict(GridSchema())
"""Where a command says nothing."""

FOUR = ["GPU-a", "GPU-b", "GPU-c", "GPU-d"]


def on_any_device(config: dict[str, Any], **trainer: Any) -> dict[str, Any]:
    changed = copy.deepcopy(config)
    changed["trainer"] |= {"accelerator": "auto", "threads": "auto"} | trainer
    return changed
