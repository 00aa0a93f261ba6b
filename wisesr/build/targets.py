"""What a `_target_` names, imported, with the settings of its node filled in."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

from wisesr.errors import UserError, unknown


def make_part(where: str, node: Mapping[str, Any], skip: tuple[str, ...] = ()) -> Callable[..., Any]:
    """What `_target_` names with its settings filled in, to be called with what the code provides.

    Raises:
        UserError: from here if it cannot be imported or has no such setting, from the call if a value is refused.
    """
    target = locate(where, node["_target_"])
    settings = {key: value for key, value in node.items() if key != "_target_" and key not in skip}
    accepted = inspect.signature(target).parameters
    for key in settings:
        if key not in accepted:
            raise UserError(unknown(f"key of {where}", key, accepted))
    return partial(_call, where, target, settings)


def _call(where: str, target: Callable[..., Any], settings: Mapping[str, Any], *arguments: Any) -> Any:
    try:
        return target(*arguments, **settings)
    except UserError:
        raise
    except ValueError as error:
        raise UserError(f"{where}: {error}") from error


def locate(where: str, target: str) -> Callable[..., Any]:
    """A function or class by its dotted name.

    Args:
        where: it is named in the configuration, for messages.
        target: its name.

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
