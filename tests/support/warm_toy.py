"""A warm parent that imports nothing and forks what a test wants to see end: `python -m tests.support.warm_toy`."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import ClassVar

from wisesr.grid.warm import __main__ as warm
from wisesr.grid.warm import child
from wisesr.grid.warm.parent import WarmParent


class ToyParent(WarmParent):
    """Its cells do what their first argument says."""

    _MODULE: ClassVar = "tests.support.warm_toy"


def main() -> int:
    """The forked cell."""
    what, lock = sys.argv[1], sys.argv[-1]
    print(f"{what} {lock} session {os.getsid(0) == os.getpid()}", flush=True)
    if what == "raise":
        raise ValueError("from the cell")
    if what == "exit":
        sys.exit(int(sys.argv[2]))
    if what == "die":
        os.kill(os.getpid(), signal.SIGSEGV)
    if what == "sleep":
        time.sleep(60)
    if what == "leave" and os.fork() == 0:
        time.sleep(60)
    return 0


def _refuse() -> int:
    raise BlockingIOError("no more processes")


if __name__ == "__main__":
    if "TOY_FORKS" in os.environ:
        os.fork = _refuse
    warm.import_all = lambda **_: None
    warm.unfit_to_fork = lambda: os.environ.get("TOY_UNFIT", "")
    child._MODULES = {"cell": "tests.support.warm_toy"}
    warm.main()
