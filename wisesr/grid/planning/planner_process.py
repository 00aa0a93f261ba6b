"""The planner in a process of its own, as the grid sees it. No torch.

Its stdin stays open until it has answered: that it ends when this process does needs no more than that.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any

from rich.console import Console

from wisesr.grid.cell_dirs import Cell
from wisesr.grid.cell_process import environment
from wisesr.grid.stages import Stages
from wisesr.wording import count_of

_TAIL = 8
_COMMAND = (sys.executable, "-m", "wisesr.grid.planning.planner")


def ask_planner(
    cells: Sequence[Cell], console: Console, *, gpus: int, cores: int | None = None, wait: str = "auto"
) -> dict[str, Any] | str:
    """What the planner answers on a grid that sees so many GPUs, or in a sentence for users how it ended without one.

    `cores` are those of one cell on this machine, on which steps are to be timed, its threads waiting as `wait` (`grid.wait`)
    says; None to time none.
    """
    question = json.dumps({"cells": [cell.config for cell in cells], "gpus": gpus, "cores": cores}) + "\n"
    current = ""
    answer: dict[str, Any] | None = None
    with tempfile.TemporaryFile() as errors, _child(errors, wait) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        with suppress(BrokenPipeError), Stages(console) as stages:
            stages.say(f"checking {count_of(len(cells), 'model')} before the first cell starts: importing torch")
            child.stdin.write(question.encode())
            child.stdin.flush()
            for line in child.stdout:
                message = json.loads(line)
                if "paces" in message:
                    answer = None if answer is None else answer | message
                    break
                if "costs" in message:
                    answer = message  # which stands, should a timed step take more memory than there is
                    continue
                current = cells[message.get("cell", message.get("timed"))].label
                timed = "timed" in message
                what = "timing a step" if timed else f"checking model {message['done'] + 1:,} of {len(cells):,}"
                stages.say(f"{what}: {current}", aloud=timed)
        if answer is not None:
            return answer
        errors.flush()
        return _describe_end(child.wait(), current, errors)


@contextmanager
def _child(errors: IO[bytes], wait: str) -> Iterator[subprocess.Popen[bytes]]:
    """The planner, without GPUs so that it cannot take any of their memory; it does not outlive the block."""
    child = subprocess.Popen(
        _COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env=environment(wait) | {"CUDA_VISIBLE_DEVICES": ""},
        start_new_session=True,  # Ctrl-C is for the grid, which ends this
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            with suppress(BrokenPipeError):  # what was still to be written to it
                pipe.close()  # type: ignore[union-attr]


def _describe_end(code: int, current: str, errors: IO[bytes]) -> str:
    """A sentence for users: the child gave no answer while it looked at the cell `current`; and the end of what it printed."""
    errors.seek(0)
    tail = errors.read().decode("utf-8", errors="replace").splitlines()[-_TAIL:]
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    memory = " (out of memory?)" if code == -signal.SIGKILL else ""
    where = f" while it looked at {current}" if current else ""
    text = f"the process that builds all cells beforehand {how}{memory}{where}"
    return "\n".join([text, *(f"    | {line}" for line in tail)])
