"""The forked process: from here on it is what `python -m wisesr.cell DIR`, or the planner, would have been."""

from __future__ import annotations

import atexit
import gc
import importlib
import io
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn

from wisesr.cell.lifeline import end_with_parent, name_process
from wisesr.cell.run import INTERRUPTED
from wisesr.training.loggers.ahead import make_folders

_MODULES = {"cell": "wisesr.cell.__main__", "planner": "wisesr.grid.planning.planner"}


ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What asks a process to end."""
Handlers = Mapping[signal.Signals, Any]
"""What a process did at each of them when it was started."""


def become(request: Mapping[str, Any], files: Sequence[int], parent: int, inherited: Handlers) -> NoReturn:
    """Turn this child of a warm parent into what was asked for; the process ends in here.

    Args:
        request: see `wisesr.grid.warm.__main__`; `environment` are variables to be set.
        files: descriptors that came with it.
        parent: process id of the warm parent.
        inherited: what the warm parent itself was started with.
    """
    _leave(lambda: _run(request, files, parent, inherited))


def _run(request: Mapping[str, Any], files: Sequence[int], parent: int, inherited: Handlers) -> int:
    os.setsid()  # the terminal's Ctrl-C, and what ends this process's own children, stop here
    end_with_parent(parent)
    name_process(f"wisesr.{request['run']}")
    os.environ.update(request.get("environment", {}))
    arguments = list(request.get("arguments", ()))
    if request["run"] == "cell":
        log, lock = files
        _place({1: log, 2: log})
        arguments += ["--forked", f"--lock={lock}"]
    else:
        _place(dict(enumerate(files)))
    _listen(inherited)
    _forget()
    if request["run"] == "cell":  # a planner logs nothing, and is killed once it has answered
        make_folders()
    module = importlib.import_module(_MODULES[request["run"]])
    sys.modules["__main__"] = module  # as it is in a process of its own: loggers note the program by it
    sys.argv = [str(module.__file__), *arguments]
    return module.main() or 0


def _listen(inherited: Handlers) -> None:
    """Take signals again, those from the moment of the fork on: SIGINT and SIGTERM interrupt, the others do what they did."""
    for number in ENDING:
        interrupts = number in (signal.SIGINT, signal.SIGTERM)
        signal.signal(number, signal.default_int_handler if interrupts else inherited[number])
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def _place(wanted: Mapping[int, int]) -> None:
    """Make open files the standard ones."""
    for place, file in wanted.items():
        os.dup2(file, place)
    for file in set(wanted.values()):
        os.close(file)


def _forget() -> None:
    """What a new process does not know: numpy's old generator comes from the system, folders are looked into anew.

    Nothing that is computed draws from it; `random` sees to its own, and torch's begins as that of any process.
    """
    import numpy as np

    np.random.seed()
    importlib.invalidate_caches()


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
        _flush_files()
    finally:
        os._exit(code)


def _flush_files() -> None:
    """What files of anybody's still hold back, as an interpreter that ends has it written."""
    for each in gc.get_objects():
        if isinstance(each, io.TextIOWrapper | io.BufferedWriter):
            with suppress(OSError, ValueError):  # closed
                each.flush()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()


def _code_of(end: SystemExit) -> int:
    """As `sys.exit` has it: a text is printed, and counts as 1."""
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr)
    return 1
