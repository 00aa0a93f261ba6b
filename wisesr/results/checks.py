"""What a value read from JSON or YAML may be, and the sentence for a file that holds something else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from wisesr.wording import some_of

Check = Callable[[Any], bool]

LARGEST = sys.float_info.max
"""JSON and YAML have integers that are no float any more."""

_SHOWN = 2
"""Absent keys that are named."""


def is_number(value: Any) -> bool:
    """A finite number; true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST  # not of NaN


def is_amount(value: Any) -> bool:
    """A number that is not negative."""
    return is_number(value) and value >= 0


def is_count(value: Any) -> bool:
    """An integer that is not negative."""
    return isinstance(value, int) and is_amount(value)


def is_size(value: Any) -> bool:
    """A count of at least 1."""
    return is_count(value) and value > 0


def is_whole(value: Any) -> bool:
    """A count, written as 3 or as 3.0."""
    return is_amount(value) and float(value).is_integer()


def is_share(value: Any) -> bool:
    """A number from 0 to 1."""
    return is_number(value) and 0 <= value <= 1


def is_text(value: Any) -> bool:
    """Text that is not empty."""
    return isinstance(value, str) and bool(value)


def is_string(value: Any) -> bool:
    """Text, which may be empty."""
    return isinstance(value, str)


def is_protocol(value: Any) -> bool:
    """How the epoch is selected: holdout or paper."""
    return value in ("holdout", "paper")


def is_texts(value: Any) -> bool:
    """A list of texts, which may be empty."""
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def is_counts(value: Any) -> bool:
    """A mapping to counts."""
    return isinstance(value, Mapping) and all(is_count(count) for count in value.values())


def is_lists(value: Any) -> bool:
    """A mapping to lists of texts."""
    return isinstance(value, Mapping) and all(is_texts(names) for names in value.values())


def is_shape(value: Any) -> bool:
    """A list of three counts."""
    return isinstance(value, list) and len(value) == 3 and all(map(is_count, value))


def is_group(value: Any) -> bool:
    """A mapping that is not empty."""
    return isinstance(value, Mapping) and bool(value)


def or_none(check: Check) -> Check:
    """The same check, or None."""
    return lambda value: value is None or check(value)


def problem(values: Mapping[str, Any], checks: Mapping[str, Check]) -> str:
    """The first keys that are absent, else the first that holds what it cannot; empty if nothing is wrong.

    Args:
        values: nested mappings.
        checks: what must be there, by dotted name.
    """
    looked_up = {name: look_up(values, name) for name in checks}
    if absent := [name for name, (there, _) in looked_up.items() if not there]:
        return f"no {some_of(absent, _SHOWN)}"
    wrong = next((name for name, (_, value) in looked_up.items() if not checks[name](value)), None)
    if wrong is None:
        return ""
    text = repr(looked_up[wrong][1])
    return f"{wrong} is {text if len(text) <= 40 else f'{text[:37]}...'}"


def look_up(values: Any, name: str) -> tuple[bool, Any]:
    """Whether a dotted name leads to anything, and to what; the empty one to the whole."""
    for key in filter(None, name.split(".")):
        if not isinstance(values, Mapping) or key not in values:
            return False, None
        values = values[key]
    return True, values
