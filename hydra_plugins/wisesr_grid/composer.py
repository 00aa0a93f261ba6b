"""Composing the cells of a sweep: once for each combination of groups, which is what takes Hydra its time.

Values (`seed=1`, `head.dropout=0.5`) are put into a copy, as Hydra itself does last of all. 1,000 seeds of one combination take
a second instead of minutes. Whatever else an override may be, and whatever is wrong with one, is left to Hydra.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence

from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from wisesr.config.options import refuse_shared_files
from wisesr.config.schema import ROOT_KEYS


class Composer:
    """Composes the cells of one sweep with Hydra's loader; `config` is that of the sweep as a whole."""

    def __init__(self, loader: ConfigLoader, config: DictConfig) -> None:
        self._loader, self._config = loader, config
        self._parser = OverridesParser.create(config_loader=loader)
        self._bases: dict[tuple[str, ...], tuple[DictConfig, DictConfig, bool]] = {}
        self._parsed: dict[str, Override] = {}
        self._current: tuple[str, ...] | None = None

    def compose(self, overrides: Sequence[str]) -> DictConfig:
        """A cell's configuration; `${hydra:...}` in it is resolved as that stands until the next one is composed.

        Raises:
            HydraException: an override that does not fit.
            UserError: one that chooses a file that only holds what options share.
        """
        if new := [text for text in overrides if text not in self._parsed]:
            self._parsed |= zip(new, self._parser.parse_overrides(new), strict=True)
        others, values = _divide([self._parsed[text] for text in overrides])
        if others not in self._bases:
            refuse_shared_files(others)
            whole = self._loader.load_sweep_config(self._config, list(others))
            base = OmegaConf.masked_copy(whole, [str(key) for key in whole if key != "hydra"])
            self._bases[others] = (whole, base, _asks_hydra(base))
        whole, base, asks_hydra = self._bases[others]
        if asks_hydra or any("${hydra" in text for text in overrides):
            return self._compose_whole(overrides)
        cell = copy.deepcopy(base)
        OmegaConf.set_struct(cell, True)
        try:
            for value in values:
                OmegaConf.update(cell, value.key_or_group, value.value(), merge=True)
        except OmegaConfBaseException:
            return self._compose_whole(overrides)  # which raises Hydra's own error
        if others != self._current:
            HydraConfig.instance().set_config(whole)
            self._current = others
        return cell

    def _compose_whole(self, overrides: Sequence[str]) -> DictConfig:
        whole = self._loader.load_sweep_config(self._config, list(overrides))
        HydraConfig.instance().set_config(whole)
        self._current = None
        return whole


def _asks_hydra(config: DictConfig) -> bool:
    """Whether a value depends on what Hydra knows of this cell beyond the groups that were chosen."""
    return re.search(r"\$\{hydra:(?!runtime\.choices)|\$\{hydra\.", OmegaConf.to_yaml(config)) is not None


def _divide(overrides: Sequence[Override]) -> tuple[tuple[str, ...], list[Override]]:
    """The overrides that Hydra composes, as they were written, and the values that are put in afterwards.

    Groups are chosen before any value is set, wherever they stand. What adds or deletes a key is not, so that a value before
    it must stay before it.
    """
    last = max((index for index, each in enumerate(overrides) if _is_key(each) and not _is_value(each)), default=-1)
    values = [index for index, each in enumerate(overrides) if _is_value(each) and index > last]
    others = [each for index, each in enumerate(overrides) if index not in values]
    return tuple(str(each.input_line) for each in others), [overrides[index] for index in values]


def _is_key(override: Override) -> bool:
    """Whether an override cannot be the choice of a group: the name of a group has no dot."""
    key = override.key_or_group
    return override.package is None and not key.startswith("hydra") and ("." in key or key in ROOT_KEYS)


def _is_value(override: Override) -> bool:
    """Whether an override gives another value to a key that is there."""
    return _is_key(override) and override.type == OverrideType.CHANGE
