"""How training was called: `python train.py` in a checkout, `wisesr train` where the package alone is installed."""

from __future__ import annotations

import sys

CHECKOUT = "python train.py"
INSTALLED = "wisesr train"
"""What `sys.argv[0]` is while that command runs."""


def program() -> str:
    """What a user types to train, as messages, `--help` and hints have it."""
    return INSTALLED if sys.argv and sys.argv[0] == INSTALLED else CHECKOUT


def command_line() -> list[str]:
    """The words of the command that this process was started by: `["train.py", "-m", ...]`, `["wisesr", "train", ...]`."""
    return [*INSTALLED.split(), *sys.argv[1:]] if program() == INSTALLED else list(sys.argv)
