"""The planner in a process of its own, as the grid sees it. No torch.

Its stdin stays open until it has answered: that it ends when this process does needs no more than that.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

from rich.console import Console

from wisesr.grid.cell_dirs import Cell
from wisesr.grid.cell_process import end_session, environment, module_command
from wisesr.grid.stages import Stages
from wisesr.grid.warm.parent import WarmParent, WarmSlot
from wisesr.grid.warm.process import ForkedProcess
from wisesr.grid.warm.slots import WarmSlots
from wisesr.wording import count_of

_TAIL = 8
_MODULE = "wisesr.grid.planning.planner"
_NO_GPU = {"CUDA_VISIBLE_DEVICES": ""}


def ask_planner(
    cells: Sequence[Cell],
    console: Console,
    *,
    gpus: int,
    cores: int | None = None,
    warm: WarmSlots | None = None,
    wait: str = "auto",
    code: Path | None = None,
) -> dict[str, Any] | str:
    """What the planner answers on a grid that sees so many GPUs, or in a sentence for users how it ended without one.

    Args:
        cells: that are to run.
        console: for the progress.
        gpus: that the grid sees.
        cores: of one cell on this machine, on which steps are to be timed; None to time none.
        warm: of the grid, which tell how cells start and fork it; None for a Python each.
        wait: `grid.wait`, of the threads with which steps are timed.
        code: folder of frozen code that it runs from, in a Python of its own; None for the code as it is.
    """
    asked = {"cells": [cell.config for cell in cells], "gpus": gpus, "cores": cores, "forked": bool(warm and warm.forks)}
    with tempfile.TemporaryFile() as errors, Stages(console) as stages:
        stages.say(f"checking {count_of(len(cells), 'model')} before the first cell starts: importing torch")
        heard = _Heard(cells, stages)
        with _child(errors, warm.first if warm else None, wait, code) as child:
            with suppress(BrokenPipeError):
                child.stdin.write(f"{json.dumps(asked)}\n".encode())
                child.stdin.flush()
                for line in child.stdout:
                    if heard.take(json.loads(line)):
                        break
            if heard.answer is not None:
                return heard.answer
            errors.flush()
            return _describe_end(child.wait(), heard.current, errors)


class _Heard:
    """What the planner has said so far, told on as it comes."""

    def __init__(self, cells: Sequence[Cell], stages: Stages) -> None:
        self._cells, self._stages = cells, stages
        self.answer: dict[str, Any] | None = None
        self.current = ""
        """The cell that it looks at."""

    def take(self, message: dict[str, Any]) -> bool:
        """Take a line of the planner's; whether it was the last."""
        if "paces" in message:
            self.answer = None if self.answer is None else self.answer | message
            return True
        if "costs" in message:
            self.answer = message  # which stands, should a timed step take more memory than there is
            return False
        timed = "timed" in message
        self.current = self._cells[message["timed"] if timed else message["cell"]].label
        what = "timing a step" if timed else f"checking model {message['done'] + 1:,} of {len(self._cells):,}"
        self._stages.say(f"{what}: {self.current}", aloud=timed)
        return False


class _Child(NamedTuple):
    """The planner's process."""

    stdin: IO[bytes]
    stdout: IO[bytes]
    wait: Callable[[], int]
    """For its exit code, negative for a signal."""
    kill: Callable[[], None]


@contextmanager
def _child(errors: IO[bytes], warm: WarmSlot | None, wait: str, code: Path | None = None) -> Iterator[_Child]:
    """The planner, without GPUs so that it cannot take any of their memory; it does not outlive the block."""
    parent = None if warm is None else warm.ready()
    child = (parent and _forked(errors, parent)) or _spawned(errors, wait, code)
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            with suppress(BrokenPipeError):  # what was still to be written to it
                pipe.close()


def _spawned(errors: IO[bytes], wait: str, code: Path | None) -> _Child:
    child = subprocess.Popen(
        module_command(_MODULE, code),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env=environment(wait, code) | _NO_GPU,
        start_new_session=True,  # Ctrl-C is for the grid, which ends this
    )
    assert child.stdin is not None
    assert child.stdout is not None
    return _Child(child.stdin, child.stdout, child.wait, lambda: end_session(child))


def _forked(errors: IO[bytes], parent: WarmParent) -> _Child | None:
    """None where the parent forks none, as the code was edited since it was ready; the next cell finds that out, too."""
    asked, question = os.pipe()
    answers, answered = os.pipe()
    forked = ForkedProcess(parent, {"run": "planner", "environment": _NO_GPU}, [asked, answered, errors.fileno()])
    os.close(asked)
    os.close(answered)
    if not forked.has_begun():
        os.close(question)
        os.close(answers)
        return None
    return _Child(os.fdopen(question, "wb"), os.fdopen(answers, "rb"), forked.wait, forked.kill)


def _describe_end(code: int, current: str, errors: IO[bytes]) -> str:
    """A sentence for users: the child gave no answer while it looked at the cell `current`; and the end of what it printed."""
    errors.seek(0)
    tail = errors.read().decode("utf-8", errors="replace").splitlines()[-_TAIL:]
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    memory = " (out of memory?)" if code == -signal.SIGKILL else ""
    where = f" while it looked at {current}" if current else ""
    text = f"the process that builds all cells beforehand {how}{memory}{where}"
    return "\n".join([text, *(f"    | {line}" for line in tail)])
