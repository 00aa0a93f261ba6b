"""A lock that ends with the process that holds it, as an empty file that is removed when it is let go. No torch."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wisesr.errors import UserError


@contextmanager
def held(path: Path, otherwise: str) -> Iterator[None]:
    """Hold the lock while the block runs.

    Args:
        path: of the file.
        otherwise: the message if another process holds it.

    Raises:
        UserError: another process holds it; something else than an empty file is there, which stays.
    """
    while (lock := _try(path, otherwise)) is None:
        pass
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(lock)


def _try(path: Path, otherwise: str) -> int | None:
    """A descriptor that holds it; None where its holder has ended, and removed it, between two calls."""
    no_lock = UserError(f"{path} is in the way, and is no lock of this command (an empty file): move or remove it")
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise no_lock from None
        raise
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        status = os.fstat(lock)
        if not stat.S_ISREG(status.st_mode) or status.st_size:
            raise no_lock
        with suppress(FileNotFoundError):
            if os.path.samestat(status, path.lstat()):
                return lock
    except BlockingIOError:
        os.close(lock)
        raise UserError(otherwise) from None
    except BaseException:
        os.close(lock)
        raise
    os.close(lock)
    return None
