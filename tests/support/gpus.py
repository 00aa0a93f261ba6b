"""Four invented GPUs, the settings of a grid, cells that take what they are given."""

from __future__ import annotations

import copy
from typing import Any

GRID = {"slots": "auto", "gpus_per_cell": "auto", "cells_per_gpu": 1, "retry": "none", "force": False, "plan": False}

FOUR = ["GPU-a", "GPU-b", "GPU-c", "GPU-d"]


def on_any_device(config: dict[str, Any], **trainer: Any) -> dict[str, Any]:
    changed = copy.deepcopy(config)
    changed["trainer"] |= {"accelerator": "auto", "threads": "auto"} | trainer
    return changed
