"""Composing the cells of a sweep: once for each combination of groups, which is what takes Hydra its time.

Values (`seed=1`, `head.dropout=0.5`) are put into a copy, as Hydra itself does last of all. 1,000 seeds of one combination take
a second instead of minutes.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from wisesr.config.schema import RootSchema


class Composer:
    """Composes the cells of one sweep.

    Args:
        loader: Hydra's.
        config: of the sweep as a whole.
    """

    def __init__(self, loader: ConfigLoader, config: DictConfig) -> None:
        self._loader, self._config = loader, config
        self._parser = OverridesParser.create(config_loader=loader)
        self._bases: dict[tuple[str, ...], tuple[DictConfig, DictConfig]] = {}
        self._current: tuple[str, ...] | None = None

    def compose(self, overrides: Sequence[str]) -> DictConfig:
        """A cell's configuration; `${hydra:...}` in it is resolved as that stands until the next one is composed.

        Args:
            overrides: of this cell.

        Raises:
            HydraException: an override that does not fit.
        """
        parsed = self._parser.parse_overrides(list(overrides))
        choices = tuple(text for text, one in zip(overrides, parsed, strict=True) if not _is_value(one))
        if choices not in self._bases:
            whole = self._loader.load_sweep_config(self._config, list(choices))
            self._bases[choices] = (whole, OmegaConf.masked_copy(whole, [str(key) for key in whole if key != "hydra"]))
        whole, base = self._bases[choices]
        if _asks_hydra(base) or any("${hydra" in text for text in overrides):
            whole = self._loader.load_sweep_config(self._config, list(overrides))
            HydraConfig.instance().set_config(whole)
            self._current = None
            return whole
        if choices != self._current:
            HydraConfig.instance().set_config(whole)
            self._current = choices
        own = copy.deepcopy(base)
        OmegaConf.set_struct(own, True)
        ConfigLoaderImpl._apply_overrides_to_config([one for one in parsed if _is_value(one)], own)
        return own


def _asks_hydra(config: DictConfig) -> bool:
    """Whether a value depends on what Hydra knows of this cell beyond the groups that were chosen."""
    return re.search(r"\$\{hydra:(?!runtime\.choices)|\$\{hydra\.", OmegaConf.to_yaml(config)) is not None


def _is_value(override: Override) -> bool:
    """Whether an override cannot be the choice of a group: the name of a group has no dot."""
    key = override.key_or_group
    return override.package is None and not key.startswith("hydra") and ("." in key or key in RootSchema.__annotations__)
