"""How training was called: `python train.py` in a checkout, `wisesr train` where the package alone is installed."""

from __future__ import annotations

import sys
from collections.abc import Sequence

CHECKOUT = "python train.py"
INSTALLED = "wisesr train"
"""What `sys.argv[0]` is while that command runs."""


def program() -> str:
    """What a user types to train, as messages, `--help` and hints have it."""
    return INSTALLED if sys.argv and sys.argv[0] == INSTALLED else CHECKOUT


def keep_typed(words: Sequence[str]) -> None:
    """Note what was typed, when `sys.argv` holds it as Hydra reads it; it is forgotten with the next `sys.argv`."""
    _typed[:] = [(sys.argv[1:], list(words))]


def command_line() -> list[str]:
    """The words of the command that this process was started by, as typed: `["train.py", ...]`, `["wisesr", "train", ...]`.

    A worker process of somebody else's launcher has them as Hydra reads them.
    """
    words = next((typed for arranged, typed in _typed if arranged == sys.argv[1:]), sys.argv[1:])
    return [*(INSTALLED.split() if program() == INSTALLED else sys.argv[:1]), *words]


_typed: list[tuple[list[str], list[str]]] = []
