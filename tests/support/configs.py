"""Configurations: composed as `train.py` does, changed at one place."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from hydra import initialize_config_dir
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf.errors import OmegaConfBaseException

from hydra_plugins.wisesr_grid.composer import Composer
from wisesr.config.check import split_grid
from wisesr.config.command_line import quote_choices
from wisesr.config.compose import compose_cell
from wisesr.config.files import register_resolvers, to_dict
from wisesr.config.options import conf_dir
from wisesr.errors import UserError


def change(config: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(config)
    *groups, key = path.split(".")
    node = changed
    for group in groups:
        node = node[group]
    node[key] = value
    return changed


def composed(*overrides: str) -> dict[str, Any]:
    """One cell, not checked, so that what `check` says of it can be asserted.

    Each combination of groups is composed once, by what composes sweeps: a tenth of a second less (`test_composer` holds it
    against Hydra). What chooses other things than groups and values, or is wrong, goes the way of a single cell.
    """
    if not any(word.startswith(("experiment=", "~", "+", "hydra")) for word in overrides):
        try:
            ((cell,), _) = split_grid([to_dict(_composer(conf_dir()).compose(quote_choices(overrides)))])
        except (HydraException, OmegaConfBaseException, UserError):
            return compose_cell(overrides)
        return cell
    return compose_cell(overrides)


@cache
def _composer(conf: Path) -> Composer:
    with hydra_loader(conf) as loader:
        return Composer(loader, loader.load_configuration("config", [], run_mode=RunMode.MULTIRUN))


@contextmanager
def hydra_loader(conf: Path | None = None) -> Iterator[ConfigLoader]:
    """Hydra's own composer, of the project's YAML or of another folder's."""
    register_resolvers()
    with initialize_config_dir(str(conf or conf_dir()), version_base="1.3"):
        yield GlobalHydra.instance().config_loader()
