"""A process that ends with the one that started it, however that ends; kill -9 included. No torch."""

from __future__ import annotations

import ctypes
import os
import signal
import stat
import sys
import threading

_PR_SET_PDEATHSIG = 1  # https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
_PR_SET_NAME = 15  # https://man7.org/linux/man-pages/man2/PR_SET_NAME.2const.html


def end_with_parent(parent: int | None = None) -> None:
    """From now on, the end of the parent is the end of this process.

    On Linux the kernel sees to it. Elsewhere a thread waits for the end of standard input, if that is a pipe, which only the
    parent must hold.

    Args:
        parent: its process id; this process ends at once if that one is gone already. None where it is not known.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if parent is not None and os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
    elif stat.S_ISFIFO(os.fstat(0).st_mode):
        threading.Thread(target=_watch_stdin, daemon=True).start()


def name_process(name: str) -> None:
    """What `top` and `ps -o comm` call this process, where the kernel takes it: 15 bytes of it."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_NAME, name.encode()[:15])


def _watch_stdin() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGKILL)
