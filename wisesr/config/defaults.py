"""Settings at their defaults: added to a configuration that lacks them, left out of what names it. No torch.

A default is that of the key in its schema, or of the setting in the signature that a `_target_` of wisesr names. Foreign code
has none here, as it would have to be imported to read its signature: all its settings count.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import MISSING
from typing import Any

from wisesr.config.schema import MOVED, Config, fixed_settings
from wisesr.config.signatures import target_settings
from wisesr.errors import UserError

_Defaults = dict[str, Any]


def with_defaults(config: Mapping[str, Any]) -> Config:
    """The configuration with what it lacks and has a default, which comes last in its node; what it has stays as it is.

    A `config.yaml` that was written before there was a key is the same computation as one that holds the key at its default. So
    it is with a key that has gone (`MOVED`), which is left out where it says what its absence says.
    """

    def fill(node: Config, defaults: _Defaults) -> Config:
        return node | {key: deepcopy(default) for key, default in defaults.items() if key not in node}

    return _each_node(_without_moved(config), fill)


def _without_moved(config: Mapping[str, Any]) -> Config:
    kept = dict(config)
    for path, (silent, _) in MOVED.items():
        group, key = path.split(".")
        node = kept.get(group)
        if isinstance(node, Mapping) and node.get(key) == silent:
            kept[group] = {name: value for name, value in node.items() if name != key}
    return kept


def without_defaults(config: Mapping[str, Any]) -> Config:
    """The configuration without the settings that are at their default, of the default's type: `1` is not `true`."""

    def strip(node: Config, defaults: _Defaults) -> Config:
        return {key: value for key, value in node.items() if key not in defaults or as_json(value) != as_json(defaults[key])}

    return _each_node(config, strip)


def _each_node(node: Mapping[str, Any], change: Callable[[Config, _Defaults], Config], path: str = "") -> Config:
    """The configuration with every node changed, given its defaults; what lies below a `_target_` is a value of its own."""
    inner = {
        key: _each_node(value, change, f"{path}.{key}" if path else str(key))
        for key, value in node.items()
        if isinstance(value, Mapping) and "_target_" not in node
    }
    return change({**node, **inner}, _defaults(node, path))


def _defaults(node: Mapping[str, Any], path: str) -> _Defaults:
    """The defaults of the settings that may stand in a node."""
    settings = fixed_settings(path)
    target = node.get("_target_")
    if isinstance(target, str) and target.startswith("wisesr."):
        with suppress(UserError):  # if there is no such target, `check` tells it
            settings = settings | target_settings(target)
    return {key: setting.default for key, setting in settings.items() if setting.default is not MISSING}


def as_json(value: object) -> str:
    """A text that is equal for equal values: 1 and 1.0 are one number, `true` is none, keys have no order.

    Raises:
        TypeError: a value that no configuration can hold.
    """
    return json.dumps(whole_numbers(value), sort_keys=True)


def whole_numbers(value: Any) -> Any:
    """1.0 as 1, so that `dropout=0` and `dropout=0.0` are one computation."""
    if isinstance(value, dict):
        return {key: whole_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
