"""The command line of one cell: `python -m wisesr.cell DIR`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

from wisesr.cell.attempt import is_main
from wisesr.cell.lifeline import end_with_parent
from wisesr.cell.log import begin_log
from wisesr.cell.own_cores import bind, cpu_numbers
from wisesr.cell.run import FAILED, INTERRUPTED, RunOptions, run
from wisesr.cell.wait import wait_variables
from wisesr.encoding import begin_in_utf_8
from wisesr.errors import UserError
from wisesr.training.loggers.wandb_agent import forget_others

_MAIN = "WISESR_MAIN"
"""Variable with the process id of the cell's first process on this machine."""


def _interrupt(signum: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def main() -> int:
    """Run the cell that the command line names.

    Returns:
        An exit code, as of `wisesr.cell.run.run`.
    """
    begin_in_utf_8()
    parser = argparse.ArgumentParser(prog="python -m wisesr.cell", description="Run one cell's directory.")
    parser.add_argument("directory", type=Path, help="a cell, as train.py made it: outputs/STUDY/.../seed-...")
    parser.add_argument(
        "--force", action="store_true", help="redo a finished cell; its record stands until the new one is complete"
    )
    parser.add_argument("--cores", type=int, help="CPU cores that it may use, where trainer.threads is auto (default: all)")
    parser.add_argument(
        "--cpus", type=cpu_numbers, default=(), metavar="0,1", help="CPUs that it is bound to, by number (default: none)"
    )
    parser.add_argument("--gpus", type=int, default=0, help="GPUs that it was given: fail if there are fewer (default: 0)")
    parser.add_argument("--parent", type=int, metavar="PID", help="end when this process, which started it, ends")
    parser.add_argument("--lock", type=int, metavar="FD", help="the cell's lock, taken by the parent")
    parser.add_argument("--forked", action="store_true", help="note in the record that a warm parent has forked this process")
    given = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # ignored in what a shell has put in the background
        signal.signal(number, _interrupt)
    if is_main():
        if given.parent is not None:
            end_with_parent(given.parent)
        os.environ[_MAIN] = str(os.getpid())  # for the processes that Lightning starts
    else:
        end_with_parent(int(os.environ[_MAIN]) if _MAIN in os.environ else None)
    if given.lock is not None and is_main():
        os.set_inheritable(given.lock, False)
    begin_log()
    options = RunOptions(given.force, given.cores, given.gpus, given.lock if is_main() else None, given.forked)
    os.environ |= wait_variables("auto", os.environ)  # of a cell that a grid starts, that has chosen
    forget_others(os.environ)
    try:
        if given.cpus:
            bind(given.cpus)
        return run(given.directory, options)
    except UserError as error:
        print(error, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
