"""Settings by the names that users gave them: `augment=paper` in place of twelve keys."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import yaml
from omegaconf.errors import OmegaConfBaseException

from wisesr.config.axes import Leaves, leaves
from wisesr.config.identity import computation
from wisesr.config.options import load_option, options

_GROUPS = ("augment", "recipe")
"""Groups whose options have no name of their own in a configuration."""


def known(config: Mapping[str, Any]) -> Leaves:
    """The values of a cell's computation by dotted name, those that it has by default included."""
    return leaves(computation(config))


def by_option(values: Sequence[Leaves]) -> list[Leaves]:
    """The same cells, with an option's name in place of its keys where the cells have several options of a group.

    A key in which a cell departs from its option stays a key of its own, in all cells of this option; so values that were
    different are different still. An option that all cells with it depart from in the same way is `paper(changed)`.

    Args:
        values: of `known`.
    """
    found = [dict(one) for one in values]
    for group in _GROUPS:
        names = [_nearest(group, one) for one in found]
        if None in names or len(set(names)) == 1:
            continue
        departed: dict[str, set[str]] = defaultdict(set)
        for name, one in zip(names, found, strict=True):
            option = _options(group)[str(name)]
            departed[str(name)] |= {key for key in _own(group, one) if _derived(option, key) or not _same(one, option, key)}
        told = {name: _told(group, name, found, keys) for name, keys in departed.items()}
        for name, one in zip(map(str, names), found, strict=True):
            for key in _own(group, one).keys() - departed[name]:
                del one[key]
            one[group] = told[name]
    return found


def _told(group: str, name: str, values: Sequence[Leaves], departed: set[str]) -> str:
    """The option's name, marked where what it was changed in would not be told, being the same in all cells."""
    kept = {key for key in departed if not _derived(_options(group)[name], key)}
    constant = {key for key in kept if len({repr(one.get(key)) for one in values}) == 1}
    return f"{name}(changed)" if constant else name


def _derived(option: Leaves, key: str) -> bool:
    """Whether the option leaves a value to the dataset or the size: `${paper_epochs:...}`."""
    return isinstance(option.get(key), str) and "${" in option[key]


def _own(group: str, values: Leaves) -> Leaves:
    return {key: value for key, value in values.items() if key.startswith(f"{group}.")}


def _nearest(group: str, values: Leaves) -> str | None:
    """The option that a cell departs from in the fewest keys; None where it lacks a key of every option."""
    own = _own(group, values)
    found = {
        name: sum(not _same(own, option, key) and not _derived(option, key) for key in own)
        for name, option in _options(group).items()
        if option.keys() <= own.keys()
    }
    return min(found, key=lambda name: (found[name], name), default=None)


def _same(one: Leaves, other: Leaves, key: str) -> bool:
    return key in one and key in other and repr(one[key]) == repr(other[key])


@cache
def _options(group: str) -> dict[str, Leaves]:
    """What each YAML file of a group says; one that cannot be read names nothing."""
    found = {}
    for name in options(group):
        try:
            found[name] = known({group: load_option(group, name)})
        except (OSError, ValueError, AssertionError, OmegaConfBaseException, yaml.YAMLError):
            continue
    return found
