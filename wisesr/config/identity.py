"""What a computation is called: the fingerprint of a configuration, and the directory of its cell. No torch."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from wisesr.config.defaults import as_json, whole_numbers, with_defaults, without_defaults
from wisesr.config.schema import Config

# What decides where and how fast a cell runs, and what is measured beside, but no number that it computes.
_NOT_IN_FINGERPRINT = (
    "study",
    "logger",
    "output_dir",
    "replicate",  # it says what seed and split_seed are
    "dataset.root",
    "dataset.workers",
    "dataset.download",
    "dataset.on_leak",
    "dataset.fingerprint",
    "dataset.cache_dir",
    "trainer.threads",
    "trainer.train_eval_images",
    "trainer.keep_checkpoints",
)

_ONLY_AT = {"dataset.cache": "reduced", "dataset.features": "fp16"}
"""Settings of how numbers are come by that change none but at this value."""


def fingerprint(config: Mapping[str, Any]) -> str:
    """64 hexadecimal digits that name the computation: equal for two configurations that must give equal numbers.

    Settings at their defaults are no part of it, as in exca (https://github.com/facebookresearch/exca), so that a key that
    comes later, with what cells did before as its default, renames no finished cell.
    """
    return hashlib.sha256(as_json(without_defaults(computation(config))).encode()).hexdigest()


def computation(config: Mapping[str, Any]) -> Config:
    """A copy of the configuration without what decides only where and how fast a cell runs.

    Settings that it lacks stand in it with their defaults, and 1.0 as 1.
    """
    relevant: Config = whole_numbers(json.loads(json.dumps(with_defaults(config))))
    _remove_all(relevant)
    return relevant


def without_places(config: Mapping[str, Any]) -> Config:
    """A copy of the configuration as it is written, without what decides only where and how fast a cell runs."""
    copied: Config = json.loads(json.dumps(config))
    _remove_all(copied)
    return copied


def _remove_all(config: Config) -> None:
    """Take out what decides only where and how fast a cell runs."""
    remove(config, _NOT_IN_FINGERPRINT)
    for path, value in _ONLY_AT.items():
        group, key = path.split(".")
        if config.get(group, {}).get(key) != value:
            remove(config, [path])


def remove(config: Config, paths: Iterable[str]) -> None:
    """Take what stands at dotted names out of a configuration; one that has nothing there stays as it is."""
    for path in paths:
        *groups, key = path.split(".")
        node = config
        for group in groups:
            node = node.get(group, {})
        node.pop(key, None)


def cell_dir(config: Mapping[str, Any], name: str | None = None) -> Path:
    """Where the cell of this configuration lives, below `output_dir`; `name` is its fingerprint, where known.

    `.../seed-0-1a2b3c4d`, or of a fold `.../seed-0-fold-2-1a2b3c4d`.
    """

    def safe(name: str) -> str:
        return re.sub(r"[^\w.-]", "_", name)

    fold = "" if config["dataset"].get("fold") is None else f"fold-{config['dataset']['fold']}-"
    return Path(
        config["output_dir"],
        config["study"],
        f"{safe(config['dataset']['name'])}-{config['resolution']['size']}",
        f"{safe(config['backbone']['name'])}-{safe(config['head']['name'])}",
        f"seed-{config['seed']}-{fold}{(name or fingerprint(config))[:8]}",
    )
