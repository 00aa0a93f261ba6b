"""Configurations: composed as train.py does, changed at one place."""

from __future__ import annotations

import copy
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig

from wisesr.config.check import split_grid
from wisesr.config.command_line import quote_choices
from wisesr.config.files import register_resolvers, to_dict
from wisesr.config.options import conf_dir


def change(config: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(config)
    *groups, key = path.split(".")
    node = changed
    for group in groups:
        node = node[group]
    node[key] = value
    return changed


def composed(*overrides: str) -> dict[str, Any]:
    register_resolvers()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        cfg = compose("config", overrides=quote_choices(overrides), return_hydra_config=True)
    HydraConfig.instance().set_config(cfg)
    (cell,), _ = split_grid([to_dict(cfg)])
    return cell
