"""What a `_target_` names, imported, with the settings of its node filled in."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

from wisesr.build.contracts import broken
from wisesr.errors import UserError, unknown


def make_part(where: str, node: Mapping[str, Any], kind: Any, skip: tuple[str, ...] = ()) -> Callable[..., Any]:
    """What `_target_` names with its settings filled in, to be called with what the code provides.

    Settings are all other keys of the node but those to skip. Something of the kind must come of it. Messages name where the
    node stands.

    Raises:
        UserError: from here if it cannot be imported, is of another kind or has no such setting; from the call if it does not
            take what it is called with, if a value is refused, or if something of another kind comes of it.
    """
    target = locate(where, node["_target_"])
    if isinstance(target, type) and not issubclass(target, kind):
        raise broken(where, target, f"is no {kind.__name__}")
    settings = {key: value for key, value in node.items() if key != "_target_" and key not in skip}
    check_settings(where, target, settings)
    return partial(_call, where, target, kind, settings)


def check_settings(where: str, target: Callable[..., Any], settings: Mapping[str, Any]) -> None:
    """Raises UserError for settings that a function or class does not have, with the nearest ones."""
    accepted = _signature(where, target).parameters
    for key in settings:
        if key not in accepted:
            raise UserError(unknown(f"key of {where}", key, accepted))


def _call(where: str, target: Callable[..., Any], kind: Any, settings: dict[str, Any], *arguments: Any) -> Any:
    try:
        _signature(where, target).bind(*arguments, **settings)
    except TypeError as error:
        raise broken(where, target, f"cannot be called so ({error})") from error
    try:
        made = target(*arguments, **settings)
    except UserError:
        raise
    except ValueError as error:
        raise UserError(f"{where}: {error}") from error
    if not isinstance(made, kind):
        raise broken(where, target, f"gives a {type(made).__name__}")
    return made


def _signature(where: str, target: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(target)
    except ValueError as error:  # some built-in functions have none
        raise broken(where, target, "has no signature that could be read") from error


def locate(where: str, target: str) -> Callable[..., Any]:
    """A function or class by its dotted name; messages say where the configuration names it.

    Raises:
        UserError: it cannot be imported, or is neither.
    """
    module, _, name = target.rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"{where}._target_: {target} cannot be imported ({error})") from error
    if not callable(found):
        raise UserError(f"{where}._target_: {target} is neither a function nor a class")
    return found  # type: ignore[no-any-return]
