"""Settings of whatever a `_target_` of wisesr names, read from its source.

It is not imported: importing torch to find out that `head.non_negative=banana` is wrong takes seconds, reading the file takes
a millisecond. For that, targets keep to one form: keyword-only settings, annotated with builtins, None or Literal.
"""

from __future__ import annotations

import ast
import types
import typing
from collections.abc import Iterable
from dataclasses import MISSING
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, Union

from wisesr.config.setting_types import Setting
from wisesr.errors import UserError, unknown
from wisesr.wording import shown_value

_PACKAGE = Path(__file__).parent.parent
EXTENDING = "docs/extending.md"
"""The page that has the rules for parts of one's own."""
_KINDS = "int, float, str, bool, list[...], dict[str, str], Literal[...] and None"
BY_POSITION = "is taken by position, and settings are keyword-only: put a * before it"
NO_ANNOTATION = f"has no annotation, and needs one made of {_KINDS}"
OTHER_ANNOTATION = f"needs an annotation made of {_KINDS}"
"""The rules of a setting, as messages tell them."""
_NAMES = {"int": int, "float": float, "str": str, "bool": bool, "list": list, "dict": dict, "Literal": Literal}


@cache
def target_settings(target: str) -> dict[str, Setting]:
    """The keyword-only settings of a function or class, `wisesr.models.heads.gap.GlobalAverageHead`, read from its source.

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

    Raises:
        UserError: as of `target_settings`.
    """
    source = _read(target)
    arguments = source.arguments()
    by_position = {argument.arg: argument for argument in (*arguments.posonlyargs, *arguments.args)}
    return [str(source.fault(f"the setting {key} {BY_POSITION}", by_position[key])) for key in keys if key in by_position]


def makes(target: str) -> str:
    """What a target gives as its source has it: `class` for a class, of a function what it says that it returns, or nothing.

    Raises:
        UserError: as of `target_settings`.
    """
    node = _read(target).node
    if isinstance(node, ast.ClassDef):
        return "class"
    return "" if node.returns is None else ast.unparse(node.returns)


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
            raise self.fault(f"the setting {argument.arg} {NO_ANNOTATION}", argument)
        text = ast.unparse(argument.annotation)
        try:
            annotation = eval(text, {"__builtins__": {}}, dict(_NAMES))
        except Exception:  # of whatever stands there
            annotation = ...
        if not fit_for_yaml(annotation):
            raise self.fault(f"the setting {argument.arg} is annotated with {text}, and {OTHER_ANNOTATION}", argument)
        return annotation


def fit_for_yaml(annotation: Any) -> bool:
    """Whether a type is one that settings may have: builtins, None, Literal, and lists and unions of them."""
    origin = typing.get_origin(annotation)
    if origin in (list, Union, types.UnionType):
        return all(map(fit_for_yaml, typing.get_args(annotation)))
    return origin is Literal or annotation in (int, float, str, bool, None, type(None), dict[str, str | None])


@cache
def _read(target: str) -> _Source:
    module, _, name = target.rpartition(".")
    if not all(part.isidentifier() for part in target.split(".")):  # `wisesr./tmp/x.Head` would name a file outside the package
        raise UserError(f"_target_ {shown_value(target)} is no dotted name")
    path = _PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py")
    if not path.is_file():
        raise UserError(f"_target_ {shown_value(target)}: there is no module {module}")
    try:
        body = ast.parse(path.read_text(encoding="utf-8")).body
    except SyntaxError as error:
        raise UserError(
            f"_target_ {shown_value(target)}: {error.msg} ({path.relative_to(_PACKAGE.parent)}:{error.lineno})"
        ) from error
    public = {
        node.name: node for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
    }
    if name not in public:
        raise UserError(f"_target_ {shown_value(target)}: " + unknown(f"function or class of {module}", name, public))
    return _Source(target, path, public[name])
