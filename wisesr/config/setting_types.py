"""Types of settings as annotations tell them, bounds of numbers among them, and values from YAML held against them."""

from __future__ import annotations

import math
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, Union

from wisesr.config.written import in_file, unknown_key
from wisesr.wording import shown_value

_HUGE = 2**63
"""What no whole number of a computer's word holds: a slip of the keyboard, whatever it is for."""


class Setting(NamedTuple):
    """One keyword of a target or key of a schema."""

    annotation: Any
    required: bool
    """Whether a configuration must hold it."""
    default: Any = MISSING
    """What it is where a configuration does not say it, as YAML would give it; `MISSING` where it has no default."""


@dataclass(frozen=True)
class Bound:
    """A bound for `Annotated` numbers: `Bound("at least", 1)`, as messages tell it."""

    rule: Literal["at least", "above", "below"]
    limit: float

    def __str__(self) -> str:
        return f"{self.rule} {self.limit:g}"

    def holds(self, number: float) -> bool:
        """Whether a number keeps to it."""
        if self.rule == "at least":
            return number >= self.limit
        return number > self.limit if self.rule == "above" else number < self.limit


def describe(annotation: Any) -> str:
    """An annotation in a user's words: "a whole number", "one of none, projection"."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        base, *bounds = typing.get_args(annotation)
        return f"{describe(base)} {' and '.join(map(str, bounds))}"
    if origin is Literal:
        return "one of " + ", ".join(str(choice) for choice in typing.get_args(annotation))
    if origin in (Union, types.UnionType):
        return " or ".join(describe(part) for part in typing.get_args(annotation))
    words = {int: "a whole number", float: "a number", str: "text", bool: "true or false", type(None): "null"}
    words |= {
        list[float]: "a list of numbers",
        list[str]: "a list of texts",
        list[list[str]]: "a list of such lists",
        dict[str, str | None]: "names of names",
    }
    if annotation not in words and origin is list:
        return f"a list (each {describe(typing.get_args(annotation)[0])})"
    return words.get(annotation, "a map" if origin is dict else str(annotation))


def fits(value: object, annotation: Any) -> bool:
    """Whether a value from YAML is of the annotated type. A whole number is a number; true and false are neither."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return fits(value, arguments[0]) and all(bound.holds(value) for bound in arguments[1:])
    if origin is Literal:
        return any(type(value) is type(choice) and value == choice for choice in arguments)
    if origin in (Union, types.UnionType):
        return any(fits(value, part) for part in arguments)
    if annotation is None or annotation is type(None):
        return value is None
    if annotation is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if annotation is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if annotation in (str, bool, dict):
        return isinstance(value, annotation)
    if origin is list:
        return isinstance(value, list) and all(fits(item, arguments[0]) for item in value)
    if origin is dict:
        key, item = arguments
        return isinstance(value, dict) and all(fits(name, key) and fits(own, item) for name, own in value.items())
    raise TypeError(f"settings are annotated with builtins, None or Literal, not with {annotation!r}")


def mismatches(
    where: str,
    node: Mapping[str, object],
    settings: Mapping[str, Setting],
    elsewhere: Callable[[str, object], str] = lambda key, value: "",
    whole: Mapping[str, object] | None = None,
) -> list[str]:
    """All that is wrong with a node of the configuration, a sentence each.

    Args:
        where: the node's name, as in `head`; empty for the top.
        node: its keys and values; keys that begin with an underscore are skipped.
        settings: the keys that it may have.
        elsewhere: what to add to the sentence on a key and its value.
        whole: the configuration, where an unknown key may stand in another node.
    """
    below, problems = f"{where}." if where else "", []
    for key, value in node.items():
        if str(key).startswith("_"):
            continue
        if key not in settings:
            problems.append(unknown_key(where, str(key), value, settings, whole or {}))
        elif not fits(value, settings[key].annotation):
            annotation = settings[key].annotation
            rule = f"{below}{key} must be {describe(annotation)}, not {_said(key, value, whole or {})}"
            rule += _range_hint(f"{below}{key}", value, annotation)
            problems.append(rule + elsewhere(key, value) + in_file(f"{below}{key}", value))
        elif isinstance(value, int) and abs(value) >= _HUGE:
            problems.append(f"{below}{key} must be below 2^63, not {shown_value(value)}" + in_file(f"{below}{key}", value))
    missing = [key for key, setting in settings.items() if setting.required and key not in node]
    return problems + [f"{below}{key} is missing: {describe(settings[key].annotation)}" for key in missing]


def _said(key: str, value: object, whole: Mapping[str, object]) -> str:
    """A value in a few words; all settings of a node, which `${head}` stands for, by the name of that."""
    nodes = [name for name, own in whole.items() if name != key and isinstance(value, dict) and value and own == value]
    if not nodes or not isinstance(value, dict):
        return shown_value(value)
    return f"all settings of {nodes[0]}" + (f": its name is ${{{nodes[0]}.name}}" if "name" in value else "")


def _range_hint(key: str, value: object, annotation: Any) -> str:
    """`: 1 to 3 are -m 'seed=range(1,4)'` of `1..3` and `1-3`, where whole numbers are asked for."""
    found = re.fullmatch(r"(\d{1,9})\s*(?:\.{2,3}|[-:\u2013])\s*(\d{1,9})", value) if isinstance(value, str) else None
    if found is None or key.startswith("grid.") or not fits(int(found[1]), annotation) or int(found[1]) >= int(found[2]):
        return ""
    return f": {found[1]} to {found[2]} are -m '{key}=range({found[1]},{int(found[2]) + 1})'"


@cache
def schema_settings(schema: type) -> dict[str, Setting]:
    """The keys of a dataclass. All are required, those with a default too: every setting stands in the YAML."""
    kinds = typing.get_type_hints(schema, include_extras=True)
    return {field.name: Setting(kinds[field.name], True, field.default) for field in fields(schema)}
