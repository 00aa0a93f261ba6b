"""Dataclasses made from JSON or YAML: the annotation of a field says where it stands there and what it may be.

`top1: Annotated[float, is_share, Key("val/top1")]` stands under `val/top1` and is checked by `is_share`; a function after the
check converts the value. A field that is a dataclass itself is a mapping there. A field with a default may be absent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, NamedTuple, TypeVar, get_type_hints

from wisesr.results.checks import Check, look_up

Made = TypeVar("Made")


class Key(str):
    """The dotted name of a field that does not stand under its own; empty for the whole mapping."""


class _Field(NamedTuple):
    name: str
    key: str
    nested: Any
    """The dataclass that it is; None for a plain value."""
    functions: list[Callable[[Any], Any]]
    """A check, then conversions."""
    default: Any
    """Of a field that a file may lack; `MISSING` of one that it must have."""


@cache
def _fields(kind: Any) -> list[_Field]:
    hints = get_type_hints(kind, include_extras=True)
    found = []
    for field in fields(kind):
        name = field.name
        notes = getattr(hints[name], "__metadata__", ())
        key = next((note for note in notes if isinstance(note, Key)), name)
        plain = hints[name].__origin__ if notes else hints[name]
        functions = [note for note in notes if not isinstance(note, Key)]
        default = field.default if field.default_factory is MISSING else field.default_factory()
        found.append(_Field(name, key, plain if is_dataclass(plain) else None, functions, default))
    return found


def checks_of(kind: Any, prefix: str = "") -> Iterator[tuple[str, Check]]:
    """What must stand in the mapping that a dataclass is made from, with its dotted name."""
    for _, key, nested, functions, default in _fields(kind):
        if nested:
            yield from checks_of(nested, f"{prefix}{key}.")
        elif functions and default is MISSING:
            yield f"{prefix}{key}", functions[0]


def make(kind: Callable[..., Made], values: Mapping[str, Any]) -> Made:
    """A dataclass from a mapping in which `checks_of` found nothing wrong."""
    made = {}
    for name, key, nested, functions, default in _fields(kind):
        there, value = look_up(values, key)
        if default is not MISSING and not (there and functions[0](value)):
            made[name] = default
            continue
        for convert in functions[1:]:
            value = convert(value)
        made[name] = make(nested, value) if nested else value
    return kind(**made)


def as_written(made: Any) -> dict[str, Any]:
    """A dataclass that `make` made, as it stands in the file: keys of the file, lists.

    It holds what the dataclass reads and nothing else; fields that are a whole mapping (`Key()`) cannot be told back.
    """
    kind: Any = type(made)
    written: dict[str, Any] = {}
    for name, key, nested, _, default in _fields(kind):
        value = getattr(made, name)
        if value != default:
            *groups, last = key.split(".")
            place = written
            for group in groups:
                place = place.setdefault(group, {})
            place[last] = as_written(value) if nested else list(value) if isinstance(value, tuple) else value
    return written
