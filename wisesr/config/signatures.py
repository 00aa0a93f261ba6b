"""Settings held against signatures: of the fixed keys' schema, and of whatever a `_target_` names.

A `_target_` within wisesr is read from its source, not imported: importing torch to find out that
`head.non_negative=banana` is wrong takes seconds, reading the file takes a millisecond. For that, targets keep to one
form: keyword-only settings, annotated with builtins, None or Literal.
"""

from __future__ import annotations

import ast
import math
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Union

from wisesr.errors import UserError, unknown

_PACKAGE = Path(__file__).parent.parent
_KINDS = "int, float, str, bool, list[...], Literal[...] and None"
EXTENDING = "docs/extending.md"
"""The page that has the rules for parts of one's own."""
_NAMES = {"int": int, "float": float, "str": str, "bool": bool, "list": list, "Literal": Literal}


class Setting(NamedTuple):
    """One keyword of a target or key of a schema."""

    annotation: Any
    required: bool
    """Whether a configuration must hold it."""
    default: Any = MISSING
    """What it is where a configuration does not say it, as YAML would give it; `MISSING` where it has no default."""


@dataclass(frozen=True)
class AtLeast:
    """A bound for `Annotated` numbers that may be equal to it."""

    bound: float

    def __str__(self) -> str:
        """`at least 1`, for messages."""
        return f"at least {self.bound:g}"


@dataclass(frozen=True)
class Above:
    """A bound for `Annotated` numbers that must be greater than it."""

    bound: float

    def __str__(self) -> str:
        """`above 0`, for messages."""
        return f"above {self.bound:g}"


@dataclass(frozen=True)
class Below:
    """A bound for `Annotated` numbers that must be less than it."""

    bound: float

    def __str__(self) -> str:
        """`below 1`, for messages."""
        return f"below {self.bound:g}"


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
    words[list[float]] = "a list of numbers"
    return words.get(annotation, str(annotation))


def fits(value: object, annotation: Any) -> bool:
    """Whether a value from YAML is of the annotated type. A whole number is a number; true and false are neither."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return fits(value, arguments[0]) and all(_within(value, bound) for bound in arguments[1:])
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
    raise TypeError(f"settings are annotated with builtins, None or Literal, not with {annotation!r}")


def _within(value: object, bound: object) -> bool:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return True
    if isinstance(bound, AtLeast):
        return value >= bound.bound
    if isinstance(bound, Above):
        return value > bound.bound
    if isinstance(bound, Below):
        return value < bound.bound
    raise TypeError(f"unknown bound {bound!r}")


def mismatches(where: str, node: Mapping[str, object], settings: Mapping[str, Setting]) -> list[str]:
    """All that is wrong with a node of the configuration, a sentence each.

    Args:
        where: the node's name, as in `head`; empty for the top.
        node: its keys and values; keys that begin with an underscore are skipped.
        settings: the keys that it may have.
    """
    below, problems = f"{where}." if where else "", []
    for key, value in node.items():
        if str(key).startswith("_"):
            continue
        if key not in settings:
            problems.append(unknown(f"key of {where}" if where else "key or group", str(key), settings))
        elif not fits(value, settings[key].annotation):
            problems.append(f"{below}{key} must be {describe(settings[key].annotation)}, not {value!r}")
    missing = [key for key, setting in settings.items() if setting.required and key not in node]
    return problems + [f"{below}{key} is missing: {describe(settings[key].annotation)}" for key in missing]


@cache
def schema_settings(schema: type) -> dict[str, Setting]:
    """The keys of a dataclass. All are required, those with a default too: every setting stands in the YAML."""
    kinds = typing.get_type_hints(schema, include_extras=True)
    return {field.name: Setting(kinds[field.name], True, field.default) for field in fields(schema)}


@cache
def target_settings(target: str) -> dict[str, Setting]:
    """The keyword-only settings of a function or class of wisesr, read from its source.

    Args:
        target: dotted name, `wisesr.models.heads.gap.GlobalAverageHead`.

    Raises:
        UserError: no such file, or nothing of that name in it; a signature that breaks the rules, with the line at fault.
    """
    source = _read(target)
    arguments = source.arguments()
    return {
        argument.arg: Setting(source.annotation(argument), default is None, _default(default))
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    }


def _default(node: ast.expr | None) -> Any:
    """The value of a default that is written out; `MISSING` of one that is not, whose value the source does not show."""
    try:
        value = MISSING if node is None else ast.literal_eval(node)
    except ValueError:
        return MISSING
    return list(value) if isinstance(value, tuple) else value  # YAML has no tuples


def positional_settings(target: str, keys: Iterable[str]) -> list[str]:
    """Those of a node's keys that its target takes by position, a sentence each: settings are keyword-only.

    Args:
        target: dotted name, within wisesr.
        keys: of the node.

    Raises:
        UserError: as of `target_settings`.
    """
    source = _read(target)
    arguments = source.arguments()
    by_position = {argument.arg: argument for argument in (*arguments.posonlyargs, *arguments.args)}
    rule = "is taken by position, and settings are keyword-only: put a * before it"
    return [str(source.fault(f"the setting {key} {rule}", by_position[key])) for key in keys if key in by_position]


class _Source(NamedTuple):
    """A target as it stands in its file."""

    target: str
    path: Path
    node: ast.FunctionDef | ast.ClassDef

    def fault(self, what: str, node: ast.AST) -> UserError:
        """An error that names the rule, the line and the page."""
        line = f"{self.path.relative_to(_PACKAGE.parent)}:{node.lineno}"  # type: ignore[attr-defined]
        return UserError(f"{self.target}: {what} ({line}; see {EXTENDING})")

    def arguments(self) -> ast.arguments:
        """Of the function, or of the class's own `__init__`."""
        if isinstance(self.node, ast.FunctionDef):
            return self.node.args
        inits = [item for item in self.node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"]
        if not inits:
            raise self.fault(
                f"the class {self.node.name} needs an __init__ of its own, whose signature has its settings", self.node
            )
        return inits[0].args

    def annotation(self, argument: ast.arg) -> Any:
        """The type of a setting: our own source, names restricted to builtins and Literal."""
        if argument.annotation is None:
            raise self.fault(f"the setting {argument.arg} has no annotation, and needs one made of {_KINDS}", argument)
        text = ast.unparse(argument.annotation)
        try:
            annotation = eval(text, {"__builtins__": {}}, dict(_NAMES))
        except Exception:  # of whatever stands there
            annotation = ...
        if not _fit_for_yaml(annotation):
            raise self.fault(
                f"the setting {argument.arg} is annotated with {text}, and needs an annotation made of {_KINDS}", argument
            )
        return annotation


def _fit_for_yaml(annotation: Any) -> bool:
    """Whether `fits` knows it."""
    origin = typing.get_origin(annotation)
    if origin in (list, Union, types.UnionType):
        return all(map(_fit_for_yaml, typing.get_args(annotation)))
    return origin is Literal or annotation in (int, float, str, bool, None, type(None))


@cache
def _read(target: str) -> _Source:
    module, _, name = target.rpartition(".")
    path = _PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py")
    if not path.is_file():
        raise UserError(f"_target_ {target!r}: there is no module {module}")
    try:
        body = ast.parse(path.read_text()).body
    except SyntaxError as error:
        raise UserError(f"_target_ {target!r}: {error.msg} ({path.relative_to(_PACKAGE.parent)}:{error.lineno})") from error
    public = {
        node.name: node for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
    }
    if name not in public:
        raise UserError(f"_target_ {target!r}: " + unknown(f"function or class of {module}", name, public))
    return _Source(target, path, public[name])
