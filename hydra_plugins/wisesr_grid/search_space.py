"""What a sweeper of somebody else's searches over, held against what can be known before its first trial. No torch.

Optuna would tell of an interval without the key that has it, and of a wrong name once in each trial.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hydra.core.config_loader import ConfigLoader
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.types import IntervalSweep, Override, OverrideType, RangeSweep, ValueType
from omegaconf import DictConfig, OmegaConf

from hydra_plugins.wisesr_grid.axes import values_of
from wisesr.config.options import GROUPS, is_option
from wisesr.errors import UserError, unknown

_OPTUNA = "hydra_optuna_sweeper"
_SPACES = ("search_space", "custom_search_space")
"""Of Optuna's sweeper, where what is searched over may stand too."""
_ABSENT = object()


def refuse_search_space(searched: Sequence[Override], config: DictConfig, loader: ConfigLoader) -> None:
    """Hold the overrides of a search against what no trial could be made of.

    Args:
        searched: what the command, and an experiment before it, gives.
        config: of the sweep as a whole.
        loader: of Hydra, which knows the options of a user's own, too.

    Raises:
        UserError: a pattern, a range from the higher to the lower, an option that there is not, nothing to search over.
    """
    last = {override.get_key_element(): override for override in searched}
    swept = [override for override in last.values() if override.is_sweep_override()]
    for override in swept:
        _refuse_glob(override)
        _refuse_bounds(override)
        _refuse_options(override, loader)
    sweeper = config.hydra.sweeper
    elsewhere = any(OmegaConf.select(sweeper, key) for key in _SPACES)
    if _OPTUNA in str(OmegaConf.select(sweeper, "_target_")) and not swept and not elsewhere:
        raise UserError(
            "nothing is searched over: give a range or several values, as 'head.dropout=interval(0,0.5)' or head=gap,wise; "
            "one cell is trained without hydra/sweeper"
        )


def absent_keys(searched: Iterable[Override], config: DictConfig) -> list[str]:
    """Searched keys that no trial has: those below a group of which several options are searched may be of some."""
    swept = [override for override in searched if override.is_sweep_override()]
    groups = {override.key_or_group for override in swept}
    return [
        override.key_or_group
        for override in swept
        if override.type == OverrideType.CHANGE
        and "." in override.key_or_group
        and override.key_or_group.partition(".")[0] in (set(GROUPS) - groups)
        and OmegaConf.select(config, override.key_or_group, default=_ABSENT) is _ABSENT
    ]


def _refuse_glob(override: Override) -> None:
    """Raises UserError for options that only Hydra's composing can list, as sweepers of somebody else's see no files."""
    if override.value_type == ValueType.GLOB_CHOICE_SWEEP:
        key = override.get_key_element()
        raise UserError(f"{override.input_line}: this sweeper takes names, not patterns: {key}=ONE,OTHER")


def _refuse_bounds(override: Override) -> None:
    """Raises UserError for an interval or a range whose end comes before its start, or that a logarithm has no value of."""
    value = override.value()
    if isinstance(value, IntervalSweep):
        name, low, high = "interval", value.start, value.end
    elif isinstance(value, RangeSweep) and (value.step or 1) > 0:
        name, low, high = "range", value.start, value.stop
    else:
        return
    if low is None or high is None:
        return
    key = override.get_key_element()
    if low > high:
        meant = f"{key}={name}({_short(high)},{_short(low)})"
        raise UserError(f"{override.input_line}: {name}(FROM,TO) goes from the lower to the higher: '{meant}'")
    if "log" in value.tags and low <= 0:
        raise UserError(f"{override.input_line}: with the tag log, an interval begins above 0, and not at {_short(low)}")


def _refuse_options(override: Override, loader: ConfigLoader) -> None:
    """Raises UserError for an option of a group that there is not."""
    group = override.key_or_group
    if group not in GROUPS or group == "logger" or override.package is not None or not override.is_choice_sweep():
        return
    listed = [name for name in loader.get_group_options(group, ObjectType.CONFIG) if is_option(name)]
    for name in values_of(override):
        if (plain := name.strip("'\"")) not in listed and "/" not in plain and "$" not in plain:
            raise UserError(unknown(group, plain, listed))


def _short(number: float) -> str:
    """`1` of 1.0, which Hydra makes of the bounds of an interval."""
    return repr(number).removesuffix(".0")
