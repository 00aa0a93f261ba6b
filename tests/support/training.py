"""Trainings whose numbers only the batch can change."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from wisesr.build.cell import build
from wisesr.build.data import build_manifest
from wisesr.training.fit import fit


def plain(config: dict[str, Any]) -> dict[str, Any]:
    """SGD, no dropout, a model without BatchNorm, in double precision: numbers that only the batch can change."""
    config = copy.deepcopy(config)
    config["backbone"]["model"] = "test_convnext"
    config["resolution"]["size"] = 32
    config["head"]["dropout"] = 0.0
    config["recipe"]["optimizer"] = {
        "_target_": "wisesr.training.optimizers.sgd",
        "lr": 0.5,
        "momentum": 0.9,
        "weight_decay": 0.0,
    }
    config["augment"] = {"_target_": "wisesr.data.augmentation.Plain"}
    config["trainer"]["precision"] = "64-true"
    config["recipe"]["epochs"] = 2
    return config


def trained(config: dict[str, Any], directory: Path) -> Any:
    directory.mkdir()
    parts = build(config, build_manifest(config))
    fit(parts.module, parts.data, parts.trainer, directory=directory, loggers=[])
    return parts.module
