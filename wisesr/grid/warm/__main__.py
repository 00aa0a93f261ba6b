"""A slot's warm parent: `python -m wisesr.grid.warm --channel FD --parent PID`. It imports, then forks what it is asked for.

Messages to it: {"run": "cell", "arguments": [...]} with the log and the lock as files, or {"run": "planner"} with standard
input, output and error. Its own: {"ready": seconds}, then for each request {"pid": N} and {"code": N}; or the last one that it
sends, {"stale": true} where the disk holds other code by now, {"unfit": reason} where it cannot fork.
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from wisesr.cell.lifeline import end_with_parent
from wisesr.cell.log import begin_log
from wisesr.cell.run import FAILED
from wisesr.encoding import begin_in_utf_8
from wisesr.grid.warm.channel import Channel
from wisesr.grid.warm.child import ENDING, Handlers, become
from wisesr.grid.warm.loaded import Loaded, import_all, unfit_to_fork


def main() -> None:
    """The command: see above."""
    begin_in_utf_8()  # before any child: it may begin the process again
    parser = argparse.ArgumentParser(prog="python -m wisesr.grid.warm", description="A process that cells are forked from.")
    parser.add_argument("--channel", type=int, required=True, metavar="FD", help="a socket to the grid")
    parser.add_argument("--parent", type=int, required=True, metavar="PID", help="end when this process, the grid, ends")
    parser.add_argument("--wandb", action="store_true", help="a cell logs to W&B: import it, too")
    given = parser.parse_args()
    end_with_parent(given.parent)
    channel = Channel.from_descriptor(given.channel)
    inherited = {number: signal.signal(number, signal.SIG_IGN) for number in ENDING}  # cells end in order; then this
    loaded, began = Loaded(), time.monotonic()
    begin_log()
    import_all(wandb=given.wandb)
    if reason := unfit_to_fork():
        channel.send({"unfit": reason})
        while _receive(channel):  # what was asked meanwhile: a socket that closes on it would lose the answer, too
            pass
        return
    loaded.note()
    gc.collect()
    gc.freeze()  # https://docs.python.org/3/library/gc.html#gc.freeze: so that children share these pages for long
    channel.send({"ready": time.monotonic() - began})
    _serve(channel, loaded, inherited)


def _serve(channel: Channel, loaded: Loaded, inherited: Handlers) -> None:
    """Fork what is asked for, one after another, until nobody can ask, or what is loaded is not what lies on the disk."""
    child = 0
    while (asked := _receive(channel)) is not None:
        if child:
            os.waitpid(child, 0)  # only now, when the grid is done with it: its number cannot belong to anybody else before
        if loaded.is_stale:
            channel.send({"stale": True})
            return
        child = _fork(channel, *asked, inherited)
        channel.send({"code": _exit_code(child)})


def _receive(channel: Channel) -> tuple[dict[str, Any], list[int]] | None:
    """What is asked for next; None where nobody will ask."""
    try:
        return channel.receive(wait=True)
    except EOFError:
        return None


def _fork(channel: Channel, request: Mapping[str, Any], files: Sequence[int], inherited: Handlers) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)  # until the child listens
    parent = os.getpid()
    try:
        child = os.fork()
    except OSError as error:  # of processes, or of memory, there is no more
        channel.send({"unfit": f"the process that they were to be forked from cannot fork: {error}"})
        sys.exit(FAILED)
    if child == 0:
        channel.close()  # who holds it would keep the grid from seeing that the parent has ended
        become(request, files, parent, inherited)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    for file in files:
        os.close(file)
    channel.send({"pid": child})
    return child


def _exit_code(child: int) -> int:
    """Wait for a child's end; its exit code, negative for a signal. It stays a zombie."""
    ended = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert ended is not None
    return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status


if __name__ == "__main__":
    main()
