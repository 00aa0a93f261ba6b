"""A cell's log: what its process prints, a line with the time for each sentence. No torch."""

from __future__ import annotations

import logging
import sys


def begin_log() -> None:
    """Let log lines go to standard output; to be called before Lightning is imported, which would add a handler of its own."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stdout)
