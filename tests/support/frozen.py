"""Cells whose backbone is frozen, of a toy model's weights that are drawn anew."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import timm
import torch


def weights_file(path: Path, model: str = "test_efficientnet", seed: int = 0) -> Path:
    """Weights as timm saves them, of a model in which every channel is alive: statistics and scales are drawn, too."""
    torch.manual_seed(seed)
    state = timm.create_model(model).state_dict()
    for name, value in state.items():
        if name.endswith("running_var"):
            state[name] = torch.rand_like(value) + 0.5
        elif name.endswith(("running_mean", "bias")):
            state[name] = 0.2 * torch.randn_like(value)
    torch.save(state, path)
    return path


def frozen(config: dict[str, Any], weights: Path, features: str, **changes: dict[str, Any]) -> dict[str, Any]:
    """The configuration with a frozen backbone, no augmentation, two epochs; `changes` are settings by group."""
    changed = copy.deepcopy(config)
    changed["augment"] = {"_target_": "wisesr.data.augmentation.Plain"}
    changed["recipe"]["epochs"] = 2
    changed["backbone"] |= {"weights": str(weights), "freeze": "all"}
    changed["dataset"] |= {"features": features}
    for group, settings in changes.items():
        changed[group] = {**changed[group], **settings} if isinstance(settings, dict) else settings
    return changed
