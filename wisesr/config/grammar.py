"""One override in Hydra's grammar: read, and written so that it says a text whatever characters that has. No torch.

https://hydra.cc/docs/advanced/override_grammar/basic
"""

from __future__ import annotations

import re
import shlex
from functools import cache

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, ValueType
from hydra.errors import HydraException


@cache
def _parser() -> OverridesParser:
    return OverridesParser.create()


def read(override: str) -> Override | None:
    """What Hydra reads in `KEY=VALUE`; None if it cannot."""
    try:
        found = _parser().parse_rule(override, "override")
    except (HydraException, ValueError, RecursionError):  # a number of 5,000 digits, a thousand brackets
        return None
    return found if isinstance(found, Override) else None


def is_key(text: str) -> bool:
    """Whether Hydra takes a text as the name of a group or key: `head`, `recipe.optimizer.lr`, `hydra/launcher`."""
    found = read(f"{text}=1")
    return found is not None and bool(found.key_or_group)


def functions() -> list[str]:
    """The names that mean something to Hydra before a parenthesis: `choice`, `range`, ..."""
    return sorted(_parser().functions.functions)


def is_sweep(override: str) -> bool:
    """Whether Hydra reads several values in it, of which a sweep makes cells."""
    found = read(override)
    return found is not None and found.is_sweep_override() and not found.is_hydra_override()


def is_one_value(found: Override | None) -> bool:
    """Whether Hydra reads one value, and no sweep."""
    return found is not None and found.value_type == ValueType.ELEMENT


def quoted(text: str) -> str:
    r"""A value that Hydra and OmegaConf read as this text: `"p,q"`, `"\${x}"`.

    OmegaConf reads `${` after an even number of backslashes as the start of an interpolation:
    https://omegaconf.readthedocs.io/en/2.3_branch/grammar.html#escaping-in-interpolation-strings
    """
    text = re.sub(r"(\\*)\$\{", lambda found: f"{found[1]}{found[1]}\\${{", text)
    quote = "'" if '"' in text and "'" not in text else '"'
    inner = re.sub(rf"(\\*)({quote}|\Z)", lambda found: 2 * found[1] + (f"\\{quote}" if found[2] else ""), text)
    return f"{quote}{inner}{quote}"


def as_value(text: str) -> str:
    """A text as a value: as it stands where Hydra reads just that in it, else quoted."""
    found = read(f"key={text}")
    return text if found is not None and is_one_value(found) and found.value() == text and "${" not in text else quoted(text)


def for_shell(override: str) -> str:
    r"""An override as one types it: in quotes for the shell where it needs them; what does not print as escapes, `$'a\tb'`."""
    if override.isprintable():
        return shlex.quote(override)
    escaped = (
        character if character.isprintable() and character not in "\\'" else repr(character)[1:-1].replace("'", "\\'")
        for character in override
    )
    return f"$'{''.join(escaped)}'"


def as_text(key: str, text: str) -> str:
    """Lines for the end of a message: what to type so that a value is this text, and nothing else is read in it.

    Args:
        key: with the + before it, if there is one.
        text: the value as it was typed.
    """
    return f"As a text, just as it stands:\n{COMMAND}{for_shell(f'{key}={quoted(text)}')}"


COMMAND = "    "
"""Begins a line that is to be copied: `message` folds no such line."""
