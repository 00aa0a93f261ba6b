"""A cell in a process of its own: what one cell breaks (memory, CUDA, a crash) ends with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import wisesr
from wisesr.cell.attempt import RANKS
from wisesr.cell.run import BUSY, DISK_FULL, DONE, INTERRUPTED
from wisesr.cell.wait import wait_variables
from wisesr.encoding import CHILD_OUTPUT
from wisesr.grid.cell_dirs import Cell
from wisesr.grid.slots import Slot
from wisesr.grid.snapshot import PROGRAMS
from wisesr.results.cell_files import LOG
from wisesr.results.state import State
from wisesr.results.status_file import read_status

CONTINUES = "the same command continues from the last finished epoch"
RUNS_ELSEWHERE = "another process runs this cell"


class ProcessJob:
    """A cell in a process of this machine that leads a session of its own: the terminal's Ctrl-C reaches only the parent."""

    name = ended = ""
    """What a cluster knows: how it calls the job, and why that ended without an exit code of its cell."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs.

        What it has left running (decoding workers, DDP's processes) ends with it.
        """
        code = self._process.poll()
        if code is not None:
            end_session(self._process)
            if self._process.stdin is not None:
                self._process.stdin.close()
        return code

    def interrupt(self) -> None:
        """SIGINT to the cell alone, which tells its own processes."""
        self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL to all of its session."""
        end_session(self._process)
        self._process.wait()
        self.poll()


def end_session(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL to all of the session that a process leads; it may have ended."""
    with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
        os.killpg(process.pid, signal.SIGKILL)


def module_command(module: str, code: Path | None = None) -> list[str]:
    """The command that runs a module of wisesr, `wisesr.cell`: as it is, or as frozen code has it."""
    return [sys.executable, *(["-m", module] if code is None else [str(code / PROGRAMS[module])])]


def environment(wait: str = "auto", code: Path | None = None) -> dict[str, str]:
    """Environment variables of a child process that imports the package that this process runs; its output is UTF-8.

    Of frozen code: that in its folder.

    Its threads wait as `wait`, which is `grid.wait`, says. Without ranks: they number this process among others (of srun, of a
    pod), and its cells are no part of that.
    """
    root = str(Path(wisesr.__file__).resolve().parent.parent)
    paths = [*([] if code is None else [str(code)]), root, *filter(None, [os.environ.get("PYTHONPATH")])]
    own = {name: value for name, value in os.environ.items() if name not in RANKS}
    return {**own, **wait_variables(wait, own), "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1", **CHILD_OUTPUT}


def devices_of(slot: Slot) -> dict[str, str]:
    """The environment variable that gives a slot's process its GPUs, and no others."""
    return {"CUDA_VISIBLE_DEVICES": ",".join(slot.gpus)} if slot.gpus else {}


def cell_arguments(directory: Path, slot: Slot, *, force: bool) -> list[str]:
    """Arguments of `python -m wisesr.cell`, but for those that tell of the process that starts it."""
    cpus = ["--cpus", ",".join(map(str, slot.cpus))] if slot.cpus else []
    return [str(directory), "--cores", str(slot.cores), *cpus, "--gpus", str(len(slot.gpus)), *["--force"] * force]


def launch(directory: Path, run_dir: Path, slot: Slot, lock: IO[Any] | None = None, *, force: bool) -> subprocess.Popen[bytes]:
    """`python -m wisesr.cell DIR`, all that it prints going to `log.txt`. It ends with this process, however that ends.

    Args:
        directory: of the cell.
        run_dir: where it is computed, which differs where it is done anew.
        slot: where it runs.
        lock: of the cell, held by this process; the child holds it from here on. None where the child is to take it.
        force: whether a finished cell is done anew.

    Raises:
        OSError: log.txt cannot be written, or no process can be started.
    """
    command = [
        *module_command("wisesr.cell", slot.code),
        *cell_arguments(directory, slot, force=force),
        "--parent",
        str(os.getpid()),
    ]
    handed_on = [] if lock is None else [lock.fileno()]
    run_dir.mkdir(exist_ok=True)
    with (run_dir / LOG).open("ab") as log:
        return subprocess.Popen(
            command + [f"--lock={descriptor}" for descriptor in handed_on],
            stdin=subprocess.PIPE,  # its end tells the child of this one's: `wisesr.cell.lifeline`
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment(slot.wait, slot.code) | devices_of(slot),
            start_new_session=True,
            pass_fds=handed_on,
        )


def start(cell: Cell, run_dir: Path, slot: Slot, lock: IO[Any], *, force: bool) -> ProcessJob:
    """Start a cell on this machine; as `launch`."""
    return ProcessJob(launch(cell.directory, run_dir, slot, lock, force=force))


def state_after_exit(directory: Path, code: int, *, since: float = 0.0, ended: str = "") -> tuple[State, str]:
    """State (DONE, FAILED, BUSY, INTERRUPTED) and reason of a cell whose process has ended.

    Args:
        directory: where it was computed.
        code: its exit code; negative for a signal.
        since: when it was started, seconds since 1970: what an earlier attempt said is no reason of this one.
        ended: what the place where it ran knows of its end, as `ClusterJob.ended`.
    """
    if code == DONE:
        return State.DONE, ""
    if code == BUSY:
        return State.BUSY, RUNS_ELSEWHERE
    if code == INTERRUPTED:
        return State.INTERRUPTED, ended or CONTINUES
    status = read_status(directory)
    if status.get("state") is State.FAILED and status.get("time", 0.0) >= since:
        return State.FAILED, status.get("reason", "")  # of this process, or of another of the cell's that took it down
    if ended:
        return State.FAILED, ended
    if code == DISK_FULL:
        return State.FAILED, f"the disk is full: {directory} cannot be written"
    if code < 0:
        name = signal.Signals(-code).name
        return State.FAILED, f"killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "") + f"; {CONTINUES}"
    return State.FAILED, f"ended with exit code {code}"


def log_tail(directory: Path, lines: int = 8) -> list[str]:
    """The last lines of a failed cell's log; none where its reason says it all."""
    if read_status(directory).get("told"):
        return []
    try:
        text = (directory / LOG).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return text.splitlines()[-lines:]
