"""A cell as a job of a cluster: what submitit runs there, and what this process sees of it. No torch."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from wisesr.cell.run import BUSY, FAILED, INTERRUPTED
from wisesr.errors import UserError
from wisesr.grid.cell_process import CONTINUES, launch
from wisesr.grid.cluster_queue import GONE, JobState, SlurmQueue
from wisesr.grid.slots import Slot
from wisesr.results.metrics import read_metrics
from wisesr.results.state import State
from wisesr.results.status_file import write_status

_INTERVAL = 2.0
"""Seconds between two looks at a job."""
_GRACE = 900.0
"""Seconds that a job waits to be stopped, once its cell was told to end: a preemption may leave it minutes (GraceTime)."""
_ANSWER = 15.0
"""Seconds in which what a job has written is seen here, once it has ended (NFS)."""
_ROUNDING = 60.0
"""Seconds by which Slurm may tell a job too early that its time is over: https://slurm.schedmd.com/sbatch.html#OPT_signal"""
_FRUITLESS = 2
"""Time limits that may pass without one epoch; the first may have gone into what is done only once."""


class CellTask(NamedTuple):
    """What a job does; pickled by submitit."""

    directory: Path
    """Of the cell, absolute."""
    run_dir: Path
    """Where it is computed."""
    slot: Slot
    force: bool
    """Whether a finished cell is done anew."""
    gpus: int = 0
    """That the job asks for."""
    minutes: int = 0
    """Its time limit; 0 where nobody says."""
    notice: int = 0
    """Seconds before its end at which it is told."""
    fruitless: int = 0
    """Time limits before this one, in a row, in which no epoch was finished."""

    def __call__(self) -> int:
        """Run the cell in a process of its own, which ends with this one.

        Returns:
            Its exit code.
        """
        _BEGAN[self.directory] = time.monotonic(), len(read_metrics(self.run_dir))
        code = launch(self.directory, self.run_dir, self._slot(), force=self.force).wait()
        if code in (INTERRUPTED, -signal.SIGTERM, -signal.SIGUSR2):
            # The signal that ends the job reached the cell first; Slurm, or submitit's handler, queues the job again.
            time.sleep(_GRACE)
        return code

    def _slot(self) -> Slot:
        """With the GPUs that the cluster has given the job, so that a cell fails that does not see them."""
        given = tuple(filter(None, os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")))
        return self.slot._replace(gpus=given) if self.gpus and len(given) == self.gpus else self.slot

    def checkpoint(self) -> Any:
        """Called by submitit before it queues the job again: the same cell, which continues by itself.

        Raises:
            UserError: its time was over twice before one epoch had ended.
        """
        from submitit.helpers import DelayedSubmission

        began, epochs = _BEGAN.get(self.directory, (time.monotonic(), 0))
        over = self.minutes and time.monotonic() - began >= 60 * self.minutes - self.notice - _ROUNDING
        stands = len(read_metrics(self.run_dir)) <= epochs
        fruitless = (self.fruitless + bool(over)) if stands else 0
        if fruitless < _FRUITLESS:
            return DelayedSubmission(self._replace(fruitless=fruitless))
        reason = (
            f"the time of its job (hydra.launcher.timeout_min={self.minutes}) was over {fruitless} times before one epoch had "
            "ended, so it would never get further: give it more, with grid.retry=failed"
        )
        with suppress(OSError):
            write_status(self.run_dir, state=State.FAILED, reason=reason, told=True)
        raise UserError(reason)


_BEGAN: dict[Path, tuple[float, int]] = {}
"""Of a job's own process: when it began with a cell, and the epochs that the cell had."""


class ClusterJob:
    """A job of submitit that runs a cell; its name is `slurm job 1234`.

    Args:
        job: submitit's.
        name: of it.
        queue: of its cluster; None for submitit's own processes of this machine.
    """

    ended = ""
    """What the cluster says of its end."""

    def __init__(self, job: Any, name: str, queue: SlurmQueue | None = None) -> None:
        self._job, self.name, self._queue = job, name, queue
        self._asked, self._left = 0.0, False
        self._state: JobState | None = None
        self._gone: float | None = None

    @property
    def waits(self) -> str:
        """Why it waits, in Slurm's word: `Resources`; empty where it does not, or nobody knows."""
        return self._state.waits if self._state else ""

    @property
    def stuck(self) -> str:
        """What it waits for that its user has to see to; empty where waiting is enough."""
        return self._state.stuck.replace("JOB", self._job.job_id) if self._state else ""

    def poll(self) -> int | None:
        """Its exit code; None while it waits or runs. Once left alone, BUSY: it runs elsewhere."""
        if self._left:
            return BUSY
        if time.monotonic() - self._asked < _INTERVAL:
            return None
        self._asked = time.monotonic()
        if not self._is_over():
            return None
        if self._queue is not None:
            self._queue.forget(self._job.job_id)
            if not self._has_answer():
                return self._without_answer()
        try:
            return int(self._job.result())
        except Exception as error:  # submitit's own errors, and whatever a broken job left in its place
            return self._fail(str(error) or type(error).__name__)

    def _is_over(self) -> bool:
        """Whether there is an answer, or none to be had any more."""
        if self._queue is None:
            return bool(self._job.done())
        if self._has_answer():
            return True
        due = self._gone is not None and time.monotonic() >= self._gone
        with suppress(OSError):  # Slurm does not answer: the job goes on
            self._state = self._queue.look(self._job.job_id, since=self._gone if due and self._gone else float("-inf"))
        if self._state is None or not self._state.ended:
            self._gone = None
            return False
        if self._gone is None:
            self._gone = time.monotonic() + _ANSWER  # it may be queued again by then
        return due

    def _has_answer(self) -> bool:
        folder = self._job.paths.folder
        with suppress(OSError):  # what others have written is seen then: https://stackoverflow.com/q/3112546
            folder.chmod(folder.stat().st_mode)
        return bool(self._job.paths.result_pickle.exists())

    def _without_answer(self) -> int:
        """Exit code of a job that has ended, and its cell has not."""
        assert self._state is not None
        why = {
            "CANCELLED": "was cancelled",
            "PREEMPTED": "was preempted, and not queued again",
            "NODE_FAIL": "lost its node, and was not queued again",
            "TIMEOUT": "was out of time before it could be queued again (hydra.launcher.slurm_signal_delay_s)",
            "DEADLINE": "was out of time",
            GONE: "is none that Slurm knows any more",
        }.get(self._state.name)
        if why is not None:
            self.ended = f"{self.name} {why}; {CONTINUES}"
            return INTERRUPTED
        if self._state.name == "OUT_OF_MEMORY":
            self.ended = f"{self.name} was out of memory (hydra.launcher.mem_gb); {CONTINUES}"
            return FAILED
        return self._fail(f"{', '.join(filter(None, [self._state.name, self._state.reason]))}{self._last_words()}")

    def _last_words(self) -> str:
        """Of its log: `: exit code 3`, `: module: command not found`."""
        with suppress(OSError):
            if lines := self._job.paths.stderr.read_text(encoding="utf-8", errors="replace").split("\n"):
                return next((f": {line.strip()}" for line in reversed(lines) if line.strip()), "")
        return ""

    def _fail(self, text: str) -> int:
        """Of a job that has failed, and not its cell: submitit's text holds a trace, whose last line tells what happened."""
        parts = text.split("-" * 22)
        last = (parts[1] if len(parts) > 2 else text).strip().rpartition("\n")[2].strip()
        if "timed-out too many times" in last:
            self.ended = f"the time of {self.name} was over more often than hydra.launcher.max_num_timeout allows; {CONTINUES}"
            return INTERRUPTED
        self.ended = f"{self.name} ended without an answer: {last}; its log: {self._job.paths.stderr}"
        return FAILED

    def interrupt(self) -> None:
        """Ctrl-C ends the watching, not the job."""
        self._left, self.ended = True, f"{self.name} goes on; the same command finds it again"

    kill = interrupt
