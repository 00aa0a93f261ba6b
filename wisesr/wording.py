"""Counts, lists and their order in sentences, and sentences in lines, written once. No torch."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence


def count_of(number: int, noun: str, plural: str = "") -> str:
    """`1 cell`, `0 cells`, `1,340 images`.

    Args:
        number: how many; at least 0.
        noun: in the singular.
        plural: where it takes more than an s.
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def some_of(names: Sequence[str], shown: int, separator: str = ", ") -> str:
    """The first names, and how many there are beyond them: `a, b and 1,003 more`.

    Args:
        names: at least one.
        shown: names that are written out at most.
        separator: between names.
    """
    more = f" and {len(names) - shown:,} more" if len(names) > shown else ""
    return separator.join(names[:shown]) + more


def legible(text: str) -> str:
    """Text in which what does not print, bytes that are no UTF-8 for instance, is written as its escape."""
    return text if text.isprintable() else "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def shown_value(value: object, most: int = 80) -> str:
    """A value as a message shows it, and as YAML has it: `null`, `true`, `'text'`, `[1, null]`.

    What does not print stands as its escape, and what is long is cut, with its length: a screen must be left for the sentence.

    Args:
        value: of plain data.
        most: characters of it.
    """
    if isinstance(value, str):
        cut = f" ({len(value):,} characters)" if len(value) > most else ""
        return repr(value[:most] + "..." if cut else value) + cut
    text = _as_yaml(value)
    return text if len(text) <= most else f"{text[:most]}... ({len(text):,} characters)"


def _as_yaml(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return f"[{', '.join(map(_as_yaml, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_as_yaml(item)}' for key, item in value.items())}}}"
    return repr(value)


_KEPT = "\0"
"""Stands for a blank that no line ends at."""


def folded(text: str, width: int, indent: int | None = None) -> str:
    """The lines of a text, none longer than `width` characters but for words that are longer themselves.

    No word is broken, and no command in backquotes: a path, a name or a command can be copied.

    Args:
        text: one or more lines.
        width: in characters.
        indent: blanks before what goes on; by default as many as the line has, and those of a dash or bar at its beginning.
    """
    return "\n".join(_folded_line(line, width, indent) for line in text.split("\n"))


def _folded_line(line: str, width: int, indent: int | None) -> str:
    if len(line) <= width:
        return line
    found = re.match(r" *(?:[-|] )?", line)
    start = len(found[0]) if found else 0
    after = " " * (start if indent is None else indent)
    parts = textwrap.wrap(
        re.sub(r"`[^`]+`", lambda command: command[0].replace(" ", _KEPT), line[start:]),
        max(8, width),
        initial_indent=line[:start],
        subsequent_indent=after,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
    )
    return "\n".join(parts).replace(_KEPT, " ") if parts else line


def percent(share: float, digits: int = 2) -> str:
    """`97.90` of 0.979: accuracies are stored as shares from 0 to 1, and people read percent.

    Args:
        share: from 0 to 1.
        digits: after the point.
    """
    return f"{100 * share:.{digits}f}"


def duration(seconds: float) -> str:
    """`40 seconds`, `12 minutes`, `3.5 hours`."""
    if seconds < 90:
        return count_of(max(round(seconds), 1), "second")
    if seconds < 90 * 60:
        return count_of(round(seconds / 60), "minute")
    return f"{seconds / 3600:.1f} hours" if seconds < 36000 else f"{seconds / 3600:,.0f} hours"


def size(count: int) -> str:
    """Bytes with a unit a reader can compare: `1.2 GB`."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if amount < 999.5 or unit == "TB":
            break
        amount /= 1000
    return f"{amount:.0f} {unit}" if unit == "B" or amount >= 99.5 else f"{amount:.3g} {unit}"


def natural_key(text: str) -> tuple[tuple[tuple[str, int, str], ...], str]:
    """A key for `sorted`: runs of digits count by their value, so 2 comes before 10 and `fold2` before `fold10`.

    Names without digits keep the order of a plain sort. Names that differ only in leading zeros, as 1 and 01, are told apart by
    the text itself, so that the order never depends on the one in which they came. A value is compared by its number of digits
    first, since `int` refuses very long ones.
    """
    runs = re.findall(r"([^0-9]*)([0-9]*)", text)
    values = [(before, digits.lstrip("0"), bool(digits)) for before, digits in runs]
    return tuple((before, len(value) if has_digits else -1, value) for before, value, has_digits in values), text
