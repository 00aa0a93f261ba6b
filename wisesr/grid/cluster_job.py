"""A cell as a job of a cluster: what submitit runs there, and what this process sees of it. No torch."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any, NamedTuple

from wisesr.cell.run import BUSY, FAILED, INTERRUPTED
from wisesr.grid.cell_process import launch
from wisesr.grid.slots import Slot

_INTERVAL = 2.0
"""Seconds between two looks at a job."""
_GRACE = 90.0
"""Seconds that a job waits to be stopped, once its cell was told to end."""


class CellTask(NamedTuple):
    """What a job does; pickled by submitit."""

    directory: Path
    """Of the cell, absolute."""
    run_dir: Path
    """Where it is computed."""
    slot: Slot
    force: bool
    """Whether a finished cell is done anew."""

    def __call__(self) -> int:
        """Run the cell in a process of its own, which ends with this one.

        Returns:
            Its exit code.
        """
        code = launch(self.directory, self.run_dir, self.slot, force=self.force).wait()
        if code in (INTERRUPTED, -signal.SIGTERM, -signal.SIGUSR2):
            # The signal that ends the job reached the cell first; submitit's handler, which queues it again, is about to run.
            time.sleep(_GRACE)
        return code

    def checkpoint(self) -> Any:
        """Called by submitit before it queues the job again: the same cell, which continues by itself."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


class ClusterJob:
    """A job of submitit that runs a cell; its name is `slurm job 1234`."""

    ended = ""
    """What the cluster says of its end."""

    def __init__(self, job: Any, name: str) -> None:
        self._job, self.name = job, name
        self._asked, self._left = 0.0, False

    def poll(self) -> int | None:
        """Its exit code; None while it waits or runs. Once left alone, BUSY: it runs elsewhere."""
        if self._left:
            return BUSY
        if time.monotonic() - self._asked < _INTERVAL:
            return None
        self._asked = time.monotonic()
        if not self._job.done():
            return None
        try:
            return int(self._job.result())
        except Exception as error:  # submitit's own errors, and whatever a broken job left in its place
            lines = str(error).strip().splitlines() or [type(error).__name__]
            log = self._job.paths.stderr
            self.ended = f"{self.name} ended without an answer ({self._job.state}): {lines[-1]}; its log: {log}"
            return FAILED

    def interrupt(self) -> None:
        """Ctrl-C ends the watching, not the job."""
        self._left, self.ended = True, f"{self.name} goes on; the same command finds it again"

    kill = interrupt
