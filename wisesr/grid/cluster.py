"""Cells as jobs of a cluster, through submitit (https://github.com/facebookincubator/submitit). No torch.

The cells, their locks, records and resumes are those of a grid on one machine; only where they run differs. The folder of the
outputs must be on a disk that all nodes share. A job that is preempted or reaches its time limit is queued again by
submitit, and its cell continues from the last finished epoch. The process that submits may end: jobs go on, and the
same command finds them again.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

from wisesr.errors import UserError
from wisesr.grid.cell_dirs import Cell
from wisesr.grid.cell_process import environment
from wisesr.grid.cluster_job import CellTask, ClusterJob
from wisesr.grid.slots import Slot
from wisesr.results.atomic_files import read_json, write_json

_JOBS = ".jobs"
_SUBMITTED = "submitted.json"


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


def make_cluster(kind: str, settings: Mapping[str, Any]) -> Cluster:
    """The cluster, slurm or local, that a launcher's settings beside `_target_` and `kind` describe.

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
    """Starts cells as jobs of a cluster, whose nodes all share the folder of the outputs.

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

    def start(self, cell: Cell, run_dir: Path, slot: Slot, lock: IO[Any], *, force: bool) -> ClusterJob:
        """Submit a cell, or find the job again that was submitted before. The lock is the job's to take.

        Raises:
            OSError: the cluster does not take it.
        """
        from submitit.helpers import environment_variables

        note = cell.directory / _SUBMITTED
        if job := self._submitted(read_json(note)):
            return job
        task = CellTask(cell.directory.absolute(), run_dir.absolute(), slot, force)
        handler = signal.getsignal(signal.SIGINT)
        try:
            if self._kind == "local":  # the terminal's Ctrl-C, which reaches all its children, is for this process only
                signal.signal(signal.SIGINT, signal.SIG_IGN)
            with environment_variables(PYTHONPATH=environment()["PYTHONPATH"]):  # nodes import the package from the same place
                job = self._executor.submit(task)
        except (RuntimeError, subprocess.CalledProcessError) as error:
            raise OSError(f"{self._kind} refuses the job: {error}") from error
        finally:
            signal.signal(signal.SIGINT, handler)
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
