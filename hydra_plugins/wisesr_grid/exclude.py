"""`grid.exclude`: combinations that a grid leaves out. No torch.

A rule holds for a cell whose composed configuration has all its values, however they came there: by an override, an
experiment, or a default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from hydra_plugins.wisesr_grid.axes import SIZES
from hydra_plugins.wisesr_grid.composer import Composer
from wisesr.config.options import GROUPS
from wisesr.errors import UserError, unknown
from wisesr.wording import count_of

_ABSENT = object()


class Excluded:
    """The cells that rules leave, and how many cells each rule has left out.

    Args:
        setting: `grid.exclude`: maps (`{head: flatten, resolution: 512}`), texts (`head=flatten resolution=512`), or one.
        swept: keys with several values, for messages.

    Raises:
        UserError: a rule that is none.
    """

    def __init__(self, setting: object, swept: Sequence[str] = ()) -> None:
        listed = setting if isinstance(setting, list) else [] if setting is None else [setting]
        self._rules = [(_text(each), _rule(each)) for each in listed]
        self._swept = swept
        self._hits = [0] * len(self._rules)
        self._known: set[str] = set()

    def kept(self, cells: Sequence[Sequence[str]], composer: Composer) -> list[list[str]]:
        """The overrides of the cells that no rule holds for.

        Raises:
            UserError: a key that no cell has; all cells are left out.
        """
        kept = [list(cell) for cell in cells if not self._holds(composer.compose(cell))]
        for text, rule in self._rules:
            if strange := [key for key in rule if key not in self._known]:
                raise UserError(f"grid.exclude, {text}: {unknown('key of these cells', strange[0], self._swept)}")
        if not kept:
            raise UserError(f"grid.exclude leaves none of the {count_of(len(cells), 'combination')}")
        return kept

    def without_effect(self) -> list[str]:
        """A sentence for each rule that has left out nothing."""
        return [
            f"grid.exclude: {text} is none of the combinations"
            for (text, _), hits in zip(self._rules, self._hits, strict=True)
            if not hits
        ]

    def _holds(self, config: DictConfig) -> bool:
        """Whether a rule holds for the cell that was composed last."""
        found = False
        for index, (_, rule) in enumerate(self._rules):
            values = {key: _values(config, key) for key in rule}
            self._known.update(key for key, own in values.items() if own)
            if all(set(values[key]) & set(wanted) for key, wanted in rule.items()):
                self._hits[index] += 1
                found = True
        return found


def _values(config: DictConfig, key: str) -> list[str]:
    """What a cell has at a key, by each of its names; nothing where it has no such key."""
    names = SIZES if key in SIZES else (f"{key}.name",) if key in GROUPS else (key,)
    found = [OmegaConf.select(config, name, default=_ABSENT) for name in names]
    if key in GROUPS:
        found.append(HydraConfig.get().runtime.choices.get(key))
    return [_plain(value) for value in found if value is not _ABSENT and not OmegaConf.is_config(value)]


def _rule(setting: object) -> dict[str, list[str]]:
    if isinstance(setting, Mapping):
        rule = {str(key): [_plain(one) for one in (own if isinstance(own, list) else [own])] for key, own in setting.items()}
    else:
        parts = [part.partition("=") for part in str(setting).split()]
        if any(not (key and sign and value) for key, sign, value in parts):
            parts = []
        rule = {key: [_plain(one) for one in value.split(",")] for key, _, value in parts}
    if not rule:
        raise UserError(
            f"grid.exclude: {setting!r} names no combination; 'grid.exclude=[{{head:flatten,resolution:512}}]' leaves out one"
        )
    return rule


def _text(setting: object) -> str:
    """A rule as a message has it: `head=flatten resolution=512`."""
    if not isinstance(setting, Mapping):
        return str(setting)
    words = {key: ",".join(map(_written, own if isinstance(own, list) else [own])) for key, own in setting.items()}
    return " ".join(f"{key}={value}" for key, value in words.items())


def _written(value: object) -> str:
    """A value as YAML has it."""
    return {None: "null", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else str(value)


def _plain(value: object) -> str:
    """A value to compare: 1e-3, 0.001 and "0.001" are one, and so are true and "true"."""
    try:
        return repr(float(_written(value)))
    except ValueError:
        return _written(value)
