"""What goes wrong by the user's hand: a message that fits on one screen, never a traceback."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(ValueError):
    """Wrong input. Its text names the argument, the rule and the value, and lists the choices."""


def unknown(kind: str, name: str, choices: Iterable[str]) -> str:
    """One sentence for a name that does not exist, with the nearest ones and the whole list.

    Args:
        kind: what is being named: "head", "key of recipe".
        name: what the user wrote.
        choices: all that exist.
    """
    listed = sorted(choices)
    near = difflib.get_close_matches(name, listed, n=2, cutoff=0.5)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"no {kind} is called {name!r}.{hint} There are: {', '.join(listed) or 'none'}"
