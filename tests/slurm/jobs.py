"""Commands that send small cells to the tests' cluster, and what becomes of them."""

from __future__ import annotations

from pathlib import Path

from tests.slurm.cluster import SlurmCluster
from tests.support.processes import TOY, cells, wait_until
from wisesr.results.metrics import read_metrics
from wisesr.results.submitted import submitted_job

SLURM = (
    "-m",
    "hydra/launcher=submitit_slurm",
    "hydra.launcher.cpus_per_task=1",
    "hydra.launcher.mem_gb=1",
    "hydra.launcher.timeout_min=30",
)
CELL = (*TOY, "dataset=folder", "logger=none")
LONG = (*CELL, "head=wise", "recipe.epochs=15", "trainer.train_eval_images=0")
"""Some seconds of training, in many epochs."""


def job_of(folder: Path) -> str:
    """The job of the only cell below a folder, once it has one."""
    wait_until("a job", lambda: cells(folder) and submitted_job(cells(folder)[0]))
    note = submitted_job(cells(folder)[0])
    assert note is not None
    return note["job"]


def wait_for_epochs(folder: Path, count: int) -> None:
    wait_until(f"{count} epochs", lambda: cells(folder) and len(read_metrics(cells(folder)[0])) >= count)


def state_of_job(cluster: SlurmCluster, job: str) -> str:
    return cluster.ask("squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%T")


def words(folder: Path) -> str:
    return (folder / "terminal.txt").read_text(encoding="utf-8")
