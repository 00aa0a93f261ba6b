"""One process a cell: a lock that goes with the process that holds it, however that ends."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

_LOCK = ".lock"


@contextmanager
def locked(directory: Path, *, patience: float = 0.0) -> Iterator[bool]:
    """Hold the cell while the block runs; yields False if another process holds it. The lock goes with its process.

    Args:
        directory: of the cell.
        patience: seconds to wait for it: after a kill, workers that decode images hold it for a few more.
    """
    with (directory / _LOCK).open("a") as file:
        deadline = time.monotonic() + patience
        while not (mine := _try_lock(file)) and time.monotonic() < deadline:
            time.sleep(0.2)
        yield mine


def _try_lock(file: IO[Any]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_running(directory: Path) -> bool:
    """Whether a process holds the cell; only looks."""
    try:
        with (directory / _LOCK).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
