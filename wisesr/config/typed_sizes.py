"""Words of a command line that are too long or too deep for what they name, told before Hydra looks for files of such names."""

from __future__ import annotations

import re

from wisesr.config.key_kinds import is_choice
from wisesr.errors import UserError
from wisesr.wording import shown_value

_NAME = 200
"""Characters of a key, and of the name of an option: both become names of files, of which most disks take 255 bytes."""

_DEPTH = 16
"""Lists and nodes within one another; values of ours have two, and Python reads no thousand."""


def refuse_what_is_too_long(word: str) -> None:
    """Raise UserError for a word that nothing can be called, or that nothing can be nested as."""
    key, _, value = word.partition("=")
    if len(key) > _NAME:
        raise UserError(f"no key or group is called {shown_value(key)}")
    if is_choice(key.lstrip("+~")) and (long := next((name for name in value.split(",") if len(name) > _NAME), None)):
        raise UserError(f"no {key} is called {shown_value(long)}")
    if (depth := _depth(value)) > _DEPTH:
        raise UserError(
            f"{key}={shown_value(value)[1:-1]}: brackets stand {depth} deep within one another, at most {_DEPTH} can"
        )


def _depth(text: str) -> int:
    """How deep brackets of lists and nodes stand within one another."""
    depth = deepest = 0
    for bracket in re.findall(r"[\[{\]}]", text):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest
