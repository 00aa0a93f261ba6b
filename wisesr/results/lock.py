"""One process a cell: a lock that goes with the process that holds it, however that ends.

`flock` belongs to the open file, so a parent can take it and hand the file to the child that it starts: between a look at the
cell and its first line of work no other process can come in. Forked workers hold it too, until they end.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

_LOCK = ".lock"


def acquire_lock(directory: Path, *, patience: float = 0.0) -> IO[Any] | None:
    """The lock of a cell, held until the file and all copies that children have of it are closed; None if it is taken.

    `patience` are seconds to wait for it: after a kill, workers that decode images hold it for a few more. A file that its
    holder has removed since it was opened here counts as taken: it would keep nobody out.
    """
    path = directory / _LOCK
    deadline = time.monotonic() + patience
    while True:
        file = path.open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        except (BlockingIOError, FileNotFoundError):
            pass
        except OSError:  # a file system that knows no locks
            file.close()
            raise
        file.close()
        if time.monotonic() >= deadline:
            return None
        time.sleep(0.05)


@contextmanager
def locked(directory: Path, *, patience: float = 0.0, inherited: int | None = None) -> Iterator[bool]:
    """Hold the cell while the block runs; yields False if another process holds it, after `patience` seconds.

    `inherited` is the descriptor of a lock that the parent took and handed on.
    """
    file = os.fdopen(inherited, "ab") if inherited is not None else acquire_lock(directory, patience=patience)
    if file is None:
        yield False
        return
    with file:
        yield True


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
