"""What goes wrong by the user's hand: a message that fits on one screen, never a traceback."""

from __future__ import annotations

import difflib
import shutil
import sys
from collections.abc import Iterable, Sequence
from itertools import accumulate

from wisesr.wording import folded, legible, natural_key, shown_value, some_of

_SHOWN = 100
"""Choices that a message lists: all options of a group, not all classes of ImageNet."""

_LIST = 1500
"""Characters that they take in all, at most."""

_LINE = 2000
"""Characters of one line of a message: 17 lines of a terminal."""

_LONG = 200
"""Characters of a name that are held against others."""


class UserError(ValueError):
    """Wrong input. Its text names the argument, the rule and the value, and lists the choices."""


def unknown(kind: str, name: str, choices: Iterable[str]) -> str:
    """One sentence for a name that does not exist, with the nearest ones and the list, cut where it is very long.

    Args:
        kind: what is being named: "head", "key of recipe".
        name: what the user wrote.
        choices: all that exist.
    """
    listed = sorted(choices, key=natural_key)
    near = difflib.get_close_matches(name[:_LONG], listed, n=2, cutoff=0.5)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"no {kind} is called {shown_value(name, _LONG)}.{hint} There are: {_listed(listed) or 'none'}"


def _listed(names: Sequence[str]) -> str:
    """The first names: as many as a message can take."""
    lengths = accumulate(len(name) + 2 for name in names)
    return some_of(names, min(_SHOWN, max(1, sum(length <= _LIST for length in lengths))))


def message(text: str) -> str:
    """A text as standard error is to get it: in lines of whole words where that is a terminal, else as it is.

    A line that begins with four blanks is there to be copied into a shell, and stays whole. What does not print stands as its
    escape, and a line that would fill the screen is cut: no answer to a slip of the keyboard hides what stands above it.
    """
    text = "\n".join(_cut(legible(line)) for line in text.split("\n"))
    if sys.stderr is None or not sys.stderr.isatty():
        return text
    width = shutil.get_terminal_size().columns
    return "\n".join(line if line.startswith("    ") else folded(line, width) for line in text.split("\n"))


def _cut(line: str) -> str:
    return line if len(line) <= _LINE else f"{line[: _LINE - 200]} ... {line[-150:]}"
