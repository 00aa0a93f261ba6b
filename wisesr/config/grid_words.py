"""`grid.zip` and `grid.exclude` as people write them, without brackets: the rule, and the line to write. No torch."""

from __future__ import annotations

import re

from wisesr.config.grammar import for_shell
from wisesr.config.written import in_file
from wisesr.errors import UserError

OF_COMBINATIONS = ("grid.zip", "grid.exclude")
"""Settings of a command that hold a list, and whose commas are no sweep."""


def refuse_commas(key: str, text: str) -> None:
    """Raise for what Hydra would read as a sweep of a setting of the command.

    Args:
        key: one of `OF_COMBINATIONS`.
        text: what was typed.

    Raises:
        UserError: always, with the list that was meant.
    """
    parts = [part.strip().strip("'\"") for part in text.split(",") if part.strip()]
    if key == "grid.zip":
        raise UserError(f"{key}={text}: keys whose values go together are a list: {_zip_form(parts)}")
    if len(parts) > 1 and all("=" in part for part in parts):
        one, several = _rules(" ".join(parts)), _rules(*parts)
        raise UserError(f"{key}={text}: rules are a list. One rule of all: {one}; a rule for each: {several}")
    raise UserError(f"{key}={text}: rules are a list: {_rules(','.join(parts))}")


def refuse_other_types(key: str, setting: object) -> None:
    """Hold a value against its form before anything is counted by it.

    Args:
        key: one of `OF_COMBINATIONS`.
        setting: its value; interpolations in it stand as they were written.

    Raises:
        UserError: no list, or values that only a cell has; a text as `grid.exclude` is one rule.
    """
    line = in_file(key, setting)
    if value := _interpolation(setting):
        raise UserError(
            f"{key}{line}: {value} is a cell's, and a setting of the command is one for all: write the values themselves"
        )
    if key == "grid.zip" and isinstance(setting, str):
        keys = [part.strip() for part in setting.split(",")]
        form = f"`zip: [{', '.join(keys)}]`" if line and len(keys) > 1 else _zip_form(keys)
        raise UserError(f"grid.zip={setting}{line}: keys whose values go together are a list: {form}")
    if key == "grid.exclude" and isinstance(setting, dict):
        rule = "{" + ", ".join(f"{name}: {_plain(value)}" for name, value in setting.items()) + "}"
        form = f"`exclude: [{rule}]`" if line else for_shell(f"grid.exclude=[{rule.replace(' ', '')}]")
        raise UserError(f"grid.exclude={rule}{line}: rules are a list: {form}")


def _interpolation(setting: object) -> str:
    """The first `${seed}` of a value; variables of the shell are the same for all cells."""
    if isinstance(setting, dict):
        return next(filter(None, map(_interpolation, setting.values())), "")
    if isinstance(setting, list):
        return next(filter(None, map(_interpolation, setting)), "")
    found = re.search(r"\$\{(?!oc\.)[^}]*\}", setting) if isinstance(setting, str) else None
    return found[0] if found else ""


def _plain(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_plain, value))}]"
    return {None: "null", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else str(value)


def _zip_form(keys: list[str]) -> str:
    return for_shell(f"grid.zip=[{','.join(keys)}]") if len(keys) > 1 else "grid.zip=[KEY,OTHER], at least two"


def _rules(*rules: str) -> str:
    quoted = ",".join(f'"{rule}"' for rule in rules)
    return for_shell(f"grid.exclude=[{quoted}]")
