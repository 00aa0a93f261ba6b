"""A cell in a process of its own: what one cell breaks (memory, CUDA, a crash) ends with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import wisesr
from wisesr.cell import BUSY, DONE, INTERRUPTED
from wisesr.results.record import LOG
from wisesr.results.status import read_status


def start(directory: Path) -> subprocess.Popen[bytes]:
    """`python -m wisesr.cell DIR`, all that it prints going to `log.txt`."""
    root = str(Path(wisesr.__file__).resolve().parent.parent)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
    with (directory / LOG).open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "wisesr.cell", str(directory)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
        )


def outcome(directory: Path, code: int, *, since: float = 0.0) -> tuple[str, str]:
    """State (done, failed, busy, interrupted) and reason of a cell whose process has ended.

    Args:
        directory: of the cell.
        code: as `Popen.wait` returns it; negative for a signal.
        since: when it was started, seconds since 1970: what an earlier attempt said is no reason of this one.
    """
    if code == DONE:
        return "done", ""
    if code == BUSY:
        return "busy", "another process runs this cell"
    if code == INTERRUPTED:
        return "interrupted", "the same command continues from the last finished epoch"
    status = read_status(directory)
    if (
        status.get("state") == "failed" and status.get("time", 0.0) >= since
    ):  # said by this process, or by another of the cell's that took it down
        return "failed", status.get("reason", "")
    if code < 0:
        name = signal.Signals(-code).name
        return "failed", f"killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
    return "failed", f"ended with exit code {code}"


def log_tail(directory: Path, lines: int = 8) -> list[str]:
    """The last lines of a failed cell's log; none where its reason says it all."""
    if read_status(directory).get("told"):
        return []
    try:
        text = (directory / LOG).read_text(errors="replace")
    except FileNotFoundError:
        return []
    return text.splitlines()[-lines:]
