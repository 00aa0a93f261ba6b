"""Configurations: composed as `train.py` does, changed at one place."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra import initialize_config_dir
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra

from wisesr.config.compose import compose_cell
from wisesr.config.files import register_resolvers
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
    """One cell, not checked, so that what `check` says of it can be asserted."""
    return compose_cell(overrides)


@contextmanager
def hydra_loader(conf: Path | None = None) -> Iterator[ConfigLoader]:
    """Hydra's own composer, of the project's YAML or of another folder's."""
    register_resolvers()
    with initialize_config_dir(str(conf or conf_dir()), version_base="1.3"):
        yield GlobalHydra.instance().config_loader()
