"""Cells as jobs of a cluster, through submitit (https://github.com/facebookincubator/submitit). No torch.

The cells, their locks, records and resumes are those of a grid on one machine; only where they run differs. The folder of the
outputs must be on a disk that all nodes share. A job that is preempted, loses its node or reaches its time limit is queued
again, and its cell continues from the last finished epoch. The process that submits may end: jobs go on, and the same command
finds them again.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import IO, Any, NamedTuple

from wisesr.config.schema import Config, LauncherSchema
from wisesr.config.setting_types import mismatches, schema_settings
from wisesr.errors import UserError
from wisesr.grid.cell_dirs import Cell
from wisesr.grid.cell_process import environment
from wisesr.grid.cluster_job import CellTask, ClusterJob
from wisesr.grid.cluster_queue import SlurmQueue
from wisesr.grid.slots import Slot
from wisesr.results.atomic_files import write_json
from wisesr.results.submitted import SUBMITTED, submitted_job
from wisesr.wording import count_of

_JOBS = ".jobs"
_AUTO = "auto"


class Cluster(NamedTuple):
    """The settings of a `hydra/launcher=submitit_...`."""

    kind: str
    """slurm; local for processes of this machine, to try it out."""
    cores: int
    """CPU cores of a job."""
    gpus: int | None
    """GPUs of a job; None for as many as its cell needs."""
    requeue: int
    """How often a job is queued again when its time is over; preemptions do not count."""
    parameters: Mapping[str, Any]
    """Of submitit's executor: timeout_min, slurm_partition, ..."""


def make_cluster(kind: str, settings: Mapping[str, Any]) -> Cluster:
    """The cluster, slurm or local, that a launcher's settings beside `_target_` and `kind` describe.

    Raises:
        UserError: submitit is not installed; a wrong setting.
    """
    known = {key: setting for key, setting in schema_settings(LauncherSchema).items() if key in settings}
    if problems := mismatches("hydra.launcher", {key: settings[key] for key in known}, known):
        raise UserError("\n".join(problems))
    try:
        import submitit  # noqa: F401
    except ImportError:
        raise UserError(f"hydra/launcher=submitit_{kind} needs a package: pip install 'wisesr[slurm]'") from None
    given = {key: value for key, value in settings.items() if value is not None}
    cores = int(given.get("cpus_per_task", 1))
    gpus = given.pop("gpus_per_node", 0)
    return Cluster(kind, cores, None if gpus == _AUTO else int(gpus), int(given.pop("max_num_timeout", 0)), given)


def gpus_of(cluster: Cluster, config: Config) -> int:
    """GPUs of the job of a cell: as the launcher says; where that is auto, none for the CPU, else the cell's devices.

    Raises:
        UserError: the cell takes as many as there are, and nobody says how many.
    """
    trainer = config["trainer"]
    if cluster.gpus is not None:
        return cluster.gpus
    if trainer["accelerator"] == "cpu":
        return 0
    if trainer["devices"] == _AUTO:
        raise UserError("trainer=ddp takes the GPUs that its job is given: say how many, hydra.launcher.gpus_per_node=4")
    return int(trainer["devices"])


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

    Args:
        cluster: its settings.
        outputs: `output_dir`.
        cells: that may be started, whose earlier jobs are looked for together.

    Raises:
        UserError: the cluster is not there, or refuses a setting.
    """

    def __init__(self, cluster: Cluster, outputs: Path, cells: Sequence[Cell] = ()) -> None:
        self._cluster, self._kind, self._folder = cluster, cluster.kind, outputs.absolute() / _JOBS
        self._executors: dict[int, Any] = {}
        self._accepted = False
        for gpus in sorted({gpus_of(cluster, cell.config) for cell in cells}):
            self._executor(gpus)
        self._queue = SlurmQueue() if self._kind == "slurm" else None
        self._over: set[str] = set()
        notes = [job for cell in cells if (job := submitted_job(cell.directory)) is not None]
        if self._queue is not None and notes:
            try:
                self._queue.ask([note["job"] for note in notes])
            except OSError as error:
                raise UserError(f"Slurm does not answer, so nothing was started: {error}") from error

    def start(self, cell: Cell, run_dir: Path, slot: Slot, lock: IO[Any], *, force: bool) -> ClusterJob:
        """Submit a cell, or find the job again that was submitted before. The lock is the job's to take.

        Raises:
            OSError: the cluster does not take it, and has taken others.
            UserError: it takes none.
        """
        if job := self.find(cell):
            return job
        gpus = gpus_of(self._cluster, cell.config)
        executor, parameters = self._executor(gpus), self._cluster.parameters
        limits = int(parameters.get("timeout_min", 0)), int(parameters.get("slurm_signal_delay_s", 0))
        task = CellTask(cell.directory.absolute(), run_dir.absolute(), slot, force, gpus, *limits)
        said = StringIO()
        try:
            with self._submitting(), redirect_stderr(said):  # submitit repeats what sbatch says
                job = executor.submit(task)
        except (RuntimeError, subprocess.CalledProcessError) as error:
            text = _refusal(self._kind, said.getvalue() or str(error))
            if self._accepted:
                raise OSError(text) from error
            raise UserError(f"{text}\n{self._asked_for(gpus)}") from error
        self._accepted = True
        write_json(cell.directory / SUBMITTED, {"kind": self._kind, "folder": str(self._folder), "job": job.job_id})
        return ClusterJob(job, f"{self._kind} job {job.job_id}", self._queue)

    def find(self, cell: Cell) -> ClusterJob | None:
        """The job of an earlier command, if it is still waiting or running.

        Raises:
            OSError: Slurm does not answer.
        """
        note = submitted_job(cell.directory)
        if note is None or self._queue is None or note["job"] in self._over:
            return None
        from submitit import SlurmJob

        if self._queue.look(note["job"]).ended:
            self._queue.forget(note["job"])
            self._over.add(note["job"])
            return None
        self._accepted = True
        return ClusterJob(SlurmJob(folder=note["folder"], job_id=note["job"]), f"slurm job {note['job']}", self._queue)

    def _executor(self, gpus: int) -> Any:
        """submitit's, for jobs with so many GPUs."""
        from submitit import AutoExecutor

        if gpus in self._executors:
            return self._executors[gpus]
        again = {f"{self._kind}_max_num_timeout": self._cluster.requeue}
        try:
            executor = AutoExecutor(str(self._folder), cluster=self._kind, **again)
            executor.update_parameters(**self._parameters(gpus))
        except (RuntimeError, ValueError, TypeError, NameError, AssertionError) as error:  # what submitit says of bad settings
            raise UserError(f"hydra.launcher: {error}") from error
        self._executors[gpus] = executor
        return executor

    def _parameters(self, gpus: int) -> dict[str, Any]:
        parameters = dict(self._cluster.parameters) | ({"gpus_per_node": gpus} if gpus else {})
        if self._kind != "slurm":
            return parameters
        # srun has not taken sbatch's number since Slurm 22.05: https://github.com/SchedMD/slurm/blob/slurm-22.05/RELEASE_NOTES
        own = list(parameters.get("slurm_srun_args", ()))
        more = dict(parameters.get("slurm_additional_parameters", {}))
        if not {"requeue", "no-requeue", "no_requeue"} & set(more):
            more["requeue"] = True  # after a preemption or the loss of a node, where the cluster's JobRequeue says otherwise
        return (
            {"name": "wisesr"}
            | parameters
            | {
                "slurm_srun_args": [f"--cpus-per-task={self._cluster.cores}", *own],
                "slurm_additional_parameters": more,
            }
        )

    @contextmanager
    def _submitting(self) -> Iterator[None]:
        """Inside, the environment is what a job is to have."""
        from submitit.helpers import environment_variables

        handler = signal.getsignal(signal.SIGINT)
        # Of the job that this command itself may be part of, whose settings would be taken for those of the new one.
        outer = {name: os.environ.pop(name) for name in list(os.environ) if _of_a_job(name)} if _in_a_job() else {}
        try:
            if self._kind == "local":  # the terminal's Ctrl-C, which reaches all its children, is for this process only
                signal.signal(signal.SIGINT, signal.SIG_IGN)
            with environment_variables(PYTHONPATH=environment()["PYTHONPATH"]):  # nodes import the package from the same place
                yield
        finally:
            os.environ.update(outer)
            signal.signal(signal.SIGINT, handler)

    def _asked_for(self, gpus: int) -> str:
        """What a job asks for, and where that is said."""
        said = self._cluster.parameters
        parts = [
            f"{count_of(gpus, 'GPU')} (gpus_per_node{'; trainer=cpu needs none' if gpus else ''})",
            f"{count_of(self._cluster.cores, 'core')} (cpus_per_task)",
            *([f"{said['mem_gb']} GB (mem_gb)"] if "mem_gb" in said else []),
            *([f"{said['timeout_min']} minutes (timeout_min)"] if "timeout_min" in said else []),
            f"partition {said.get('slurm_partition', 'by default')} (slurm_partition)",
        ]
        return (
            f"A job asks for {', '.join(parts)}: these are settings of hydra.launcher. What there is, one partition a line: "
            "sinfo -o '%P %l %c %m %G'"
        )


def _in_a_job() -> bool:
    return "SLURM_JOB_ID" in os.environ


def _of_a_job(name: str) -> bool:
    return name.startswith(("SLURM_", "SLURMD_", "SRUN_")) and name not in ("SLURM_CONF", "SLURM_CLUSTERS", "SLURM_JWT")


def _refusal(kind: str, text: str) -> str:
    """What `sbatch` says, in one line, without its prefixes."""
    lines = [line.removeprefix("sbatch: ").removeprefix("error: ") for line in text.strip().splitlines()]
    words = [line.removeprefix("Batch job submission failed: ") for line in lines if line]
    return f"{kind} refuses the job: {'; '.join(dict.fromkeys(words))}"
