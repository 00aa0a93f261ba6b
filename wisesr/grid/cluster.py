"""Cells as jobs of a cluster, through submitit (https://github.com/facebookincubator/submitit). No torch.

The cells, their locks, records and resumes are those of a grid on one machine; only where they run differs. The folder of the
outputs must be on a disk that all nodes share. A job that is preempted or reaches its time limit is queued again by
submitit, and its cell continues from the last finished epoch. The process that submits may end: jobs go on, and the
same command finds them again.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

from wisesr.cell.run import BUSY, FAILED, INTERRUPTED
from wisesr.errors import UserError
from wisesr.grid.cell_dirs import Cell
from wisesr.grid.cell_process import environment
from wisesr.grid.slots import Slot
from wisesr.results.atomic_files import read_json, write_json
from wisesr.results.record import LOG

_JOBS = ".jobs"
_SUBMITTED = "submitted.json"
_INTERVAL = 2.0
"""Seconds between two looks at a job."""
_GRACE = 90.0
"""Seconds that a job waits to be stopped, once its cell was told to end."""


class Cluster(NamedTuple):
    """The settings of a `hydra/launcher=submitit_...`."""

    kind: str
    """slurm; local for processes of this machine, to try it out."""
    cores: int
    """CPU cores of a job."""
    gpus: int
    """GPUs of a job."""
    requeue: int
    """How often a job is queued again when its time is over; preemptions do not count."""
    parameters: Mapping[str, Any]
    """Of submitit's executor: timeout_min, slurm_partition, ..."""


class CellTask:
    """What a job does; pickled by submitit.

    Args:
        directory: of the cell, absolute.
        work: where it is computed.
        cores: CPU cores of the job.
        force: whether a finished cell is done anew.
    """

    def __init__(self, directory: Path, work: Path, cores: int, *, force: bool) -> None:
        self._directory, self._work, self._cores, self._force = directory, work, cores, force

    def __call__(self) -> int:
        """Run the cell in a process of its own, which ends with this one.

        Returns:
            Its exit code.
        """
        command = [sys.executable, "-m", "wisesr.cell", str(self._directory), "--cores", str(self._cores)]
        command += ["--parent", str(os.getpid())] + ["--force"] * self._force
        with (self._work / LOG).open("ab") as log:
            cell = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment(),
                start_new_session=True,
            )
        code = cell.wait()
        if code in (INTERRUPTED, -signal.SIGTERM, -signal.SIGUSR2):
            # The signal that ends the job reached the cell first; submitit's handler, which queues it again, is about to run.
            time.sleep(_GRACE)
        return code

    def checkpoint(self) -> Any:
        """Called by submitit before it queues the job again: the same cell, which continues by itself."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


class ClusterJob:
    """A submitted cell.

    Args:
        job: of submitit.
        name: how the cluster calls it, `slurm job 1234`.
    """

    ended = ""
    """What the cluster says of its end."""

    def __init__(self, job: Any, name: str) -> None:
        self._job, self.name = job, name
        self._looked, self._left = 0.0, False

    def poll(self) -> int | None:
        """Its exit code; None while it waits or runs. Once left alone, BUSY: it runs elsewhere."""
        if self._left:
            return BUSY
        if time.monotonic() - self._looked < _INTERVAL:
            return None
        self._looked = time.monotonic()
        if not self._job.done():
            return None
        try:
            return int(self._job.result())
        except Exception as error:  # submitit's own errors, and whatever a broken job left in its place
            told = str(error).strip().splitlines() or [type(error).__name__]
            log = self._job.paths.stderr
            self.ended = f"{self.name} ended without an answer ({self._job.state}): {told[-1]}; its log: {log}"
            return FAILED

    def interrupt(self) -> None:
        """Ctrl-C ends the watching, not the job."""
        self._left, self.ended = True, f"{self.name} goes on; the same command finds it again"

    kill = interrupt


def make_cluster(kind: str, settings: Mapping[str, Any]) -> Cluster:
    """The cluster that a launcher's settings describe.

    Args:
        kind: slurm or local.
        settings: the YAML's keys beside `_target_` and `kind`.

    Raises:
        UserError: submitit is not installed.
    """
    try:
        import submitit  # noqa: F401
    except ImportError:
        raise UserError(f"hydra/launcher=submitit_{kind} needs a package: pip install 'wisesr[slurm]'") from None
    given = {key: value for key, value in settings.items() if value is not None}
    cores = int(given.get("cpus_per_task", 1))
    gpus = int(given.get("gpus_per_node", 0))
    return Cluster(kind, cores, gpus, int(given.pop("max_num_timeout", 0)), given)


def cluster_slots(cluster: Cluster, grid: Mapping[str, Any], cells: int) -> list[Slot]:
    """One for each cell: the cluster's queue decides; at most `grid.slots`.

    Raises:
        UserError: settings that belong to GPUs of this machine.
    """
    if grid["gpus_per_cell"] != "auto" or grid["cells_per_gpu"] != 1:
        raise UserError("grid.gpus_per_cell and grid.cells_per_gpu belong to this machine: use hydra.launcher.gpus_per_node")
    count = cells if grid["slots"] == "auto" else min(cells, grid["slots"])
    return [Slot(number, (), cluster.cores, cluster.kind) for number in range(count)]


class Submitter:
    """Starts cells as jobs.

    Args:
        cluster: where.
        outputs: folder of the outputs, shared by all nodes.

    Raises:
        UserError: the cluster is not there, or refuses a setting.
    """

    def __init__(self, cluster: Cluster, outputs: Path) -> None:
        from submitit import AutoExecutor

        self._kind, self._folder = cluster.kind, outputs.absolute() / _JOBS
        again = {f"{cluster.kind}_max_num_timeout": cluster.requeue}
        try:
            self._executor = AutoExecutor(str(self._folder), cluster=cluster.kind, **again)
            self._executor.update_parameters(**cluster.parameters)
        except (RuntimeError, ValueError, TypeError, NameError, AssertionError) as error:  # what submitit says of bad settings
            raise UserError(f"hydra.launcher: {error}") from error

    def start(self, cell: Cell, work: Path, slot: Slot, lock: IO[Any], *, force: bool) -> ClusterJob:
        """Submit a cell, or find the job again that was submitted before. The lock is the job's to take.

        Raises:
            OSError: the cluster does not take it.
        """
        from submitit.helpers import environment_variables

        note = cell.directory / _SUBMITTED
        if job := self._submitted(read_json(note)):
            return job
        task = CellTask(cell.directory.absolute(), work.absolute(), slot.cores, force=force)
        listening = signal.getsignal(signal.SIGINT)
        try:
            if self._kind == "local":  # the terminal's Ctrl-C, which reaches all its children, is for this process only
                signal.signal(signal.SIGINT, signal.SIG_IGN)
            with environment_variables(PYTHONPATH=environment()["PYTHONPATH"]):  # nodes import the package from the same place
                job = self._executor.submit(task)
        except (RuntimeError, subprocess.CalledProcessError) as error:
            raise OSError(f"{self._kind} refuses the job: {error}") from error
        finally:
            signal.signal(signal.SIGINT, listening)
        write_json(note, {"kind": self._kind, "folder": str(self._folder), "job": job.job_id})
        return ClusterJob(job, f"{self._kind} job {job.job_id}")

    def _submitted(self, note: Any) -> ClusterJob | None:
        """The job of an earlier command, if it is still waiting or running."""
        if not isinstance(note, dict) or note.get("kind") != self._kind or self._kind == "local":
            return None
        from submitit import SlurmJob

        job: Any = SlurmJob(folder=str(note.get("folder")), job_id=str(note.get("job")))
        if job.done(force_check=True) or job.state in ("UNKNOWN", "PREEMPTED"):  # submitit counts these as not done for ever
            return None
        return ClusterJob(job, f"{self._kind} job {job.job_id}")
