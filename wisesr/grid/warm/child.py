"""The forked process: from here on it is what `python -m wisesr.cell DIR`, or the planner, would have been."""

from __future__ import annotations

import atexit
import importlib
import os
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from wisesr.cell.lifeline import end_with_parent
from wisesr.cell.run import INTERRUPTED

_MODULES = {"cell": "wisesr.cell.__main__", "planner": "wisesr.grid.planning.planner"}


def become(request: Mapping[str, Any], files: Sequence[int], parent: int) -> NoReturn:
    """Turn this child of a warm parent into what was asked for; the process ends in here.

    Args:
        request: see `wisesr.grid.warm.__main__`; `environment` are variables to be set.
        files: descriptors that came with it.
        parent: process id of the warm parent.
    """
    _leave(lambda: _run(request, files, parent))


def _run(request: Mapping[str, Any], files: Sequence[int], parent: int) -> int:
    os.setsid()  # the terminal's Ctrl-C, and what ends this process's own children, stop here
    end_with_parent(parent)
    os.environ.update(request.get("environment", {}))
    arguments = list(request.get("arguments", ()))
    if request["run"] == "cell":
        log, lock = files
        _place({1: log, 2: log})
        arguments.append(f"--lock={lock}")
    else:
        _place(dict(enumerate(files)))
    _reseed()
    module = importlib.import_module(_MODULES[request["run"]])
    sys.modules["__main__"] = module  # as it is in a process of its own: loggers note the program by it
    sys.argv = [str(module.__file__), *arguments]
    return module.main() or 0


def _place(wanted: Mapping[int, int]) -> None:
    """Make open files the standard ones."""
    for place, file in wanted.items():
        os.dup2(file, place)
    for file in set(wanted.values()):
        os.close(file)


def _reseed() -> None:
    """Numpy's old generator as a new process has it, from the system; `random` and torch see to theirs.

    Nothing that is computed draws from it.
    """
    import numpy as np

    np.random.seed()


def _leave(main: Callable[[], int]) -> NoReturn:
    """Run and end as an interpreter does, threads and handlers of the exit included, but for half a second of tidying memory.

    As multiprocessing ends its children: https://docs.python.org/3/library/os.html#os._exit
    """
    code = 1
    try:
        code = main()
    except SystemExit as end:
        code = _code_of(end)
    except KeyboardInterrupt:  # before the cell listens to signals
        code = INTERRUPTED
    except BaseException:
        traceback.print_exc()
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _code_of(end: SystemExit) -> int:
    """As `sys.exit` has it: a text is printed, and counts as 1."""
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr)
    return 1
