"""A cell's settings by dotted name, and by the names that users gave them: `augment=paper` in place of twelve keys."""

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
from wisesr.errors import UserError
from wisesr.results.checks import LARGEST

_GROUPS = ("augment", "recipe")
"""Groups whose options have no name of their own in a configuration."""


def settings_of(config: Mapping[str, Any]) -> Leaves:
    """The values of a cell's computation by dotted name.

    Args:
        config: as `config.files.load_cell` reads it, or of a record; or a group of it.

    Raises:
        UserError: it holds what no configuration can: a date, a word where a group belongs, a number too large.
    """
    try:
        values = leaves(computation(config))
    except (AttributeError, TypeError, ValueError, RecursionError) as error:
        raise UserError(f"config.yaml: {error}") from error
    large = next((name for name, value in values.items() if isinstance(value, int) and abs(value) > LARGEST), None)
    if large is not None:
        raise UserError(f"config.yaml: {large} is too large a number")
    return values


def by_option(cells: Sequence[Leaves]) -> list[Leaves]:
    """The settings of cells, with an option's name in place of its keys where the cells have several options of a group.

    A key in which a cell departs from its option stays a key of its own, in all cells of this option; so values that were
    different are different still. An option that all cells with it depart from in the same way is `paper(changed)`.
    """
    named = [dict(values) for values in cells]
    for group in _GROUPS:
        names = [_nearest(group, values) for values in named]
        if None in names or len(set(names)) == 1:
            continue
        departed: dict[str, set[str]] = defaultdict(set)
        for name, values in zip(map(str, names), named, strict=True):
            option = _options(group)[name]
            departed[name] |= {key for key in _keys(group, values) if _derived(option, key) or not _same(values, option, key)}
        labels = {name: _label(group, name, named, keys) for name, keys in departed.items()}
        for name, values in zip(map(str, names), named, strict=True):
            for key in set(_keys(group, values)) - departed[name]:
                del values[key]
            values[group] = labels[name]
    return named


def _label(group: str, name: str, cells: Sequence[Leaves], departed: set[str]) -> str:
    """The option's name, marked where what it was changed in would be in no label, being the same in all cells."""
    kept = {key for key in departed if not _derived(_options(group)[name], key)}
    constant = {key for key in kept if len({repr(values.get(key)) for values in cells}) == 1}
    return f"{name}(changed)" if constant else name


def _derived(option: Leaves, key: str) -> bool:
    """Whether the option leaves a value to the dataset or the size: `${paper_epochs:...}`."""
    return isinstance(option.get(key), str) and "${" in option[key]


def _keys(group: str, values: Leaves) -> list[str]:
    return [key for key in values if key.startswith(f"{group}.")]


def _nearest(group: str, values: Leaves) -> str | None:
    """The option that a cell departs from in the fewest keys; None where it lacks a key of every option."""
    keys = _keys(group, values)
    distances = {
        name: sum(not _same(values, option, key) and not _derived(option, key) for key in keys)
        for name, option in _options(group).items()
        if _needed(option, values) <= set(keys)
    }
    return min(distances, key=lambda name: (distances[name], name), default=None)


def _needed(option: Leaves, values: Leaves) -> set[str]:
    """Keys that a cell of an option has, but for those of parts that are other code in the cell and take other settings."""
    other = [key.removesuffix("_target_") for key in option if key.endswith("._target_") and not _same(values, option, key)]
    return {key for key in option if not any(key.startswith(part) and key != f"{part}_target_" for part in other)}


def _same(first: Leaves, second: Leaves, key: str) -> bool:
    return key in first and key in second and repr(first[key]) == repr(second[key])


@cache
def _options(group: str) -> dict[str, Leaves]:
    """The settings in each YAML file of a group; one that cannot be read names nothing."""
    known = {}
    for name in options(group):
        try:
            known[name] = settings_of({group: load_option(group, name)})
        except (OSError, ValueError, AssertionError, OmegaConfBaseException, yaml.YAMLError):
            continue
    return known
