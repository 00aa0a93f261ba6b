"""What a `_target_` names, imported, with the settings of its node filled in."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from functools import partial
from importlib import import_module
from typing import Any

from wisesr.build.contracts import contract_error, provided_arguments, setting_error
from wisesr.config.setting_types import Setting, mismatches
from wisesr.config.signatures import BY_POSITION, NO_ANNOTATION, OTHER_ANNOTATION, fit_for_yaml
from wisesr.errors import UserError, unknown

_LIBRARIES = ("torch", "torchvision", "lightning", "timm")
"""Their parts are written for everybody, and keep to rules of their own."""


def make_part(where: str, node: Mapping[str, Any], kind: Any, skip: tuple[str, ...] = ()) -> Callable[..., Any]:
    """What `_target_` names with its settings filled in, to be called with what the code provides.

    Settings are all other keys of the node but those to skip. Something of the kind must come of it. Messages name where the
    node stands.

    Raises:
        UserError: from here if it cannot be imported, is of another kind, has no such setting, or takes a setting against
            the rules; from the call if it does not take what it is called with, if a value is refused, or if something of
            another kind comes of it.
    """
    target = locate(where, node["_target_"])
    if isinstance(target, type) and not issubclass(target, kind):
        raise contract_error(where, target, f"is no {kind.__name__}")
    if inspect.isabstract(target):
        raise contract_error(where, target, "is abstract, a rule for others to keep")
    settings = {key: value for key, value in node.items() if key != "_target_" and key not in skip}
    check_settings(where, target, settings)
    if _is_held_to_rules(where, target):
        _check_rules(where, target, settings)
    return partial(_call, where, target, kind, settings)


def _is_held_to_rules(where: str, target: Callable[..., Any]) -> bool:
    """Wisesr's own parts were checked before torch was imported; an optimizer's class has torch's signature."""
    is_optimizer = where == "recipe.optimizer" and isinstance(target, type)
    return not is_optimizer and target.__module__.partition(".")[0] not in ("wisesr", *_LIBRARIES)


def check_settings(
    where: str,
    target: Callable[..., Any],
    settings: Mapping[str, Any],
    *,
    provided: int | None = None,
    named: Collection[str] = (),
    added: Collection[str] = (),
) -> None:
    """Hold the names of settings against those that a function or class has.

    Args:
        where: the place of its node, for messages.
        target: the function or class.
        settings: its settings by name.
        provided: how many arguments the framework gives by position; None for the place's own.
        named: arguments that it gives by name.
        added: keys beside the target's own settings.

    Raises:
        UserError: there is no such setting, with the nearest ones, or the framework gives it.
    """
    parameters = _parameters(where, target)
    by_position = [name for name, parameter in parameters.items() if parameter.kind is not parameter.KEYWORD_ONLY]
    given = {*by_position[: provided_arguments(where) if provided is None else provided], *named}
    accepted = [name for name in (*parameters, *added) if name not in given]
    for key in settings:
        if key in given:
            raise UserError(f"{where}.{key} is given by the framework and cannot be set: leave it out")
        if key not in accepted:
            raise UserError(unknown(f"key of {where}", key, accepted))


def _check_rules(where: str, target: Callable[..., Any], settings: Mapping[str, Any]) -> None:
    """Hold somebody's own target to the rules that `config.signatures` reads from the source of wisesr's, and values to it."""
    parameters, known = _parameters(where, target), {}
    for key in settings:
        if parameters[key].kind is not inspect.Parameter.KEYWORD_ONLY:
            raise setting_error(where, target, key, BY_POSITION)
        if parameters[key].annotation is inspect.Parameter.empty:
            raise setting_error(where, target, key, NO_ANNOTATION)
        annotation = _annotation(target, parameters[key].annotation)
        if not fit_for_yaml(annotation):
            text = inspect.formatannotation(parameters[key].annotation).strip("'")
            raise setting_error(where, target, key, f"is annotated with {text}, and {OTHER_ANNOTATION}")
        known[key] = Setting(annotation, False)
    if problems := mismatches(where, settings, known):
        raise UserError("; ".join(problems))


def _annotation(target: Callable[..., Any], annotation: Any) -> Any:
    """A type, also where `from __future__ import annotations` left its text; `...` where that cannot be resolved."""
    if not isinstance(annotation, str):
        return annotation
    function = inspect.unwrap(getattr(target, "__init__") if isinstance(target, type) else target)  # noqa: B009
    try:
        return eval(annotation, getattr(function, "__globals__", {}))
    except Exception:  # of whatever stands there: a name that is imported for type checkers alone
        return ...


def _parameters(where: str, target: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """What it takes by name; `*arguments` and `**settings` name nothing."""
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {name: own for name, own in _signature(where, target).parameters.items() if own.kind not in several}


def _call(where: str, target: Callable[..., Any], kind: Any, settings: dict[str, Any], *arguments: Any) -> Any:
    try:
        _signature(where, target).bind(*arguments, **settings)
    except TypeError as error:
        raise contract_error(where, target, f"cannot be called so ({error})") from error
    try:
        made = target(*arguments, **settings)
    except UserError:
        raise
    except ValueError as error:
        raise UserError(f"{where}: {error}") from error
    if not isinstance(made, kind):
        raise contract_error(where, target, f"gives a {type(made).__name__}")
    return made


def _signature(where: str, target: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(target)
    except ValueError as error:  # some built-in functions have none
        raise contract_error(where, target, "has no signature that could be read") from error


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
