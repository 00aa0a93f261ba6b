"""Overrides that a message hands to the user to copy: a shell and Hydra take them back to the very value. No torch.

https://hydra.cc/docs/1.3/advanced/override_grammar/basic/
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

_BARE = re.compile(r"[A-Za-z0-9_./@%+-]+(?: [A-Za-z0-9_./@%+-]+)*")
"""What Hydra takes without quotes, but for numbers and words of its own."""
_WORDS = ("null", "true", "false", "nan", "inf")


def override(key: str, value: str | Sequence[str] | Mapping[str, str | None] | None) -> str:
    """`dataset.train=Train`, `'dataset.leave_out=[old,"a, b"]'`: a word of a command line.

    Args:
        key: dotted.
        value: a text, several, texts by name, or None for null.
    """
    return shlex.quote(f"{key}={_written(value)}")


def overrides(values: Mapping[str, str | Sequence[str] | None]) -> str:
    """Several, as they stand in one command."""
    return " ".join(override(key, value) for key, value in values.items())


def leave_out(already: Sequence[str], more: Sequence[str]) -> str:
    """The override that does without more files and folders than before."""
    return override("dataset.leave_out", [*already, *more])


def _written(value: str | Sequence[str] | Mapping[str, str | None] | None) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_cell(one)}' for key, one in value.items())}}}"
    return f"[{','.join(map(_quoted, value))}]"


def _cell(text: str | None) -> str:
    """A text by name: quotes around spaces show where it ends."""
    return f'"{text}"' if text and " " in text and _quoted(text) == text else _written(text)


def _quoted(text: str) -> str:
    """A text for Hydra: with quotes where it would be read as something else, and `${` as no interpolation.

    Within quotes, Hydra reads backslashes as they are, but before a quotation mark; OmegaConf does, but before `${`.
    """
    if _BARE.fullmatch(text) and text.lower() not in _WORDS and not _is_number(text):
        return text
    literal = re.sub(r"(\\*)\$\{", r"\1\1\\${", text)
    return '"' + re.sub(r'(\\*)"', r'\1\1\\"', re.sub(r"(\\+)\Z", r"\1\1", literal)) + '"'


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
