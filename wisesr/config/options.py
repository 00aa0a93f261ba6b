"""The YAML groups: where they lie, the options of each, the settings of one. No torch."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from wisesr.config.schema import Config
from wisesr.config.yaml_file import copied, read_yaml, shown
from wisesr.errors import UserError, unknown
from wisesr.wording import folded, natural_key

_WIDTH = 80
"""Columns of a terminal, for `--help`."""

GROUPS = ("backbone", "head", "dataset", "resolution", "recipe", "augment", "trainer", "logger")


def conf_dir() -> Path:
    """The folder of the YAML groups: the copy inside the wheel, else the checkout's.

    In this order, as beside an installed package there may lie a `conf` of somebody else's.
    """
    package = Path(__file__).parent.parent
    return package / "conf" if (package / "conf").is_dir() else package.parent / "conf"


def is_option(name: str) -> bool:
    """Whether a YAML file of this name can be chosen: `_base` only holds what options of its group share."""
    return not name.startswith("_")


def options(group: str) -> list[str]:
    """The choices of a group: its YAML files, without those that options share."""
    return sorted((path.stem for path in (conf_dir() / group).glob("*.yaml") if is_option(path.stem)), key=natural_key)


def options_by_group() -> str:
    """`augment: none, paper, standard`, lines for each group, for `--help`; options in a user's `--config-dir` included.

    Hydra asks for it in every composition, so folders are listed directly: `get_group_options` would take ten times as long.
    """
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.object_type import ObjectType

    found: dict[str, set[str]] = defaultdict(set)
    for source in GlobalHydra.instance().config_loader().get_sources():
        for group in source.list("", ObjectType.GROUP) if source.available() else ():
            found[group].update(filter(is_option, source.list(group, ObjectType.CONFIG)))
    named = {group: ", ".join(sorted(found[group], key=natural_key)) for group in sorted(found) if group != "hydra"}
    wide = max(map(len, named), default=0) + 2
    return "".join(folded(f"{group + ':':{wide}}{names}", _WIDTH, indent=wide) + "\n" for group, names in named.items())


def refuse_shared_files(overrides: Iterable[str]) -> None:
    """Refuse overrides that Hydra would take: `trainer=_base` is a choice like any other to it.

    Raises:
        UserError: one of them chooses a file that only holds what options share.
    """
    for override in overrides:
        group, _, choices = override.lstrip("+").partition("=")
        for name in re.split(r"[\[\],'\"\s]+", choices) if group in (*GROUPS, "experiment") else ():
            if not is_option(name):
                raise UserError(unknown(group, name, options(group)))


def load_option(group: str, name: str) -> Config:
    """The settings of one option as Hydra composes them, `_target_` included, without its `name`. Nothing is resolved.

    Raises:
        UserError: the group has no such option.
    """
    if not is_option(name) or not (conf_dir() / group / f"{name}.yaml").is_file():
        raise UserError(unknown(group, name, options(group)))
    path = conf_dir() / group / f"{name}.yaml"
    node = OmegaConf.to_container(_composed(path, _stamp(path.parent)), resolve=False)
    assert isinstance(node, dict)
    return {str(key): value for key, value in node.items() if key != "name"}


def _stamp(folder: Path) -> tuple[tuple[str, int], ...]:
    """Names and times of change of its files: a process that forks cells outlives an edit."""
    with os.scandir(folder) as entries:
        return tuple(sorted((entry.name, entry.stat().st_mtime_ns) for entry in entries))


@cache
def _composed(path: Path, stamp: tuple[tuple[str, int], ...]) -> DictConfig:
    """A YAML file with the files of its folder that its `defaults` name, merged in their order; `_self_` is last if not named.

    Kept while nothing in the folder changes, which `stamp` is for.
    Hydra itself would compose all groups: 50 times the time, which shows where every option of a group is read.
    https://hydra.cc/docs/advanced/defaults_list
    """
    own = copied(read_yaml(path))
    defaults = _named(path, own)
    whole = OmegaConf.create()
    for name in [*defaults, *(() if "_self_" in defaults else ("_self_",))]:
        whole.merge_with(own if name == "_self_" else _composed(path.with_name(f"{name}.yaml"), stamp))
    return whole


def _named(path: Path, own: DictConfig) -> list[str]:
    """Take the `defaults` out of what a file says: files beside it."""
    defaults = own.pop("defaults", None) or []
    names = [str(name) for name in defaults if isinstance(name, (str, int))]
    if len(names) < len(defaults) or isinstance(defaults, str):
        raise UserError(f"{shown(path)}: defaults of an option name files of the same folder, as in `defaults: [_base]`")
    for name in names:
        if name != "_self_" and not path.with_name(f"{name}.yaml").is_file():
            others = (each.stem for each in path.parent.glob("*.yaml") if each != path)
            raise UserError(f"{shown(path)}: {unknown(f'file of {path.parent.name}', name, others)}")
    return names


@cache
def keys_without_effect(path: Path) -> tuple[str, ...]:
    """Keys of an option's YAML file on which a file that its `defaults` name after `_self_` has the last word, in silence."""
    own = copied(read_yaml(path))
    defaults = _named(path, own)
    later = defaults[defaults.index("_self_") + 1 :] if "_self_" in defaults else []
    stamp = _stamp(path.parent)
    parts = [_composed(path.with_name(f"{name}.yaml"), stamp) for name in later]
    last = OmegaConf.merge(*parts) if parts else DictConfig({})
    return tuple(str(key) for key in own if key in last and not OmegaConf.is_missing(last, key))


def refuse_keys_without_effect(choices: Mapping[str, object]) -> None:
    """Hold the files of the chosen options against a trap: a value that somebody writes where another file has the last word.

    Args:
        choices: option by group, as Hydra has them.

    Raises:
        UserError: a file has such a key.
    """
    for group in GROUPS:
        path = conf_dir() / group / f"{choices.get(group)}.yaml"
        if path.is_file() and (keys := keys_without_effect(path)):
            raise UserError(
                f"conf/{group}/{path.name}: {', '.join(keys)} has no effect there, as what its defaults name after _self_ "
                f"comes later: set it in that, or on the command line with {group}.{keys[0]}=..."
            )
