"""What is said of jobs that a real Slurm refuses, or lets wait."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.slurm.cluster import SlurmCluster
from tests.slurm.jobs import CELL, LONG, SLURM, job_of, wait_for_epochs, words
from tests.support.paths import ROOT
from tests.support.processes import cells, finish, spawn, wait_until
from wisesr.results.record_file import read_record

pytestmark = pytest.mark.slurm

ON_GPU = tuple(word for word in CELL if word != "trainer=cpu")


def test_a_partition_without_gpus(cluster: SlurmCluster, images: Path, tmp_path: Path) -> None:
    """One sentence, with the way out, and no job in the queue."""
    command = (*SLURM, *ON_GPU, "head=wise", f"dataset.root={images}")
    assert spawn(*command, cwd=tmp_path).wait(60) == 1
    text = words(tmp_path)
    assert "slurm refuses the job: Requested node configuration is not available" in text
    assert "A job asks for 1 GPU (gpus_per_node; trainer=cpu needs none), 1 core (cpus_per_task), 1 GB (mem_gb)" in text
    assert "Traceback" not in text
    assert text.count("refuses") == 1


def test_a_gpu_that_torch_does_not_see(cluster: SlurmCluster, images: Path, tmp_path: Path) -> None:
    """The cell is not computed on the CPU instead, for days."""
    more = ("hydra.launcher.slurm_partition=gpus", "recipe.epochs=1", f"dataset.root={images}")
    assert spawn(*SLURM, *ON_GPU, "head=wise", *more, cwd=tmp_path).wait(120) == 1
    assert "this cell was given 1 GPUs (CUDA_VISIBLE_DEVICES=0), and torch sees 0" in words(tmp_path)


def test_a_time_limit_that_the_partition_has_not(cluster: SlurmCluster, images: Path, tmp_path: Path) -> None:
    """Slurm takes such a job and lets it wait for ever: both the command and `wisesr status` tell."""
    more = ("hydra.launcher.timeout_min=240", f"dataset.root={images}")
    parent = spawn(*SLURM, *CELL, "head=wise", *more, cwd=tmp_path)
    job = job_of(tmp_path)
    # Slurm gives either reason, as it looks at the job for one purpose or another.
    meanings = (
        "hydra.launcher.timeout_min is more than its partition allows",
        "its partition has not what hydra.launcher asks for",
    )
    said = [f"slurm job {job} waits, perhaps for ever: {meaning}" for meaning in meanings]
    wait_until("the reason", lambda: any(text in words(tmp_path) for text in said))
    status = [sys.executable, "-m", "wisesr.cli", "status", "outputs"]
    told = subprocess.run(status, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert re.search(rf"Queued: .*: slurm job {job} is pending \(Partition.*\): (.*timeout_min)", " ".join(told.stdout.split()))
    assert "Waiting: the same command" not in told.stdout
    os.killpg(parent.pid, signal.SIGINT)
    assert parent.wait(60) == 130
    cluster.ask("scancel", job)


def test_from_inside_a_job(cluster: SlurmCluster, images: Path, tmp_path: Path) -> None:
    """A command inside a job submits cells with settings of their own; without the launcher it runs where it is."""
    outer = ["srun", "--ntasks=1", "--cpus-per-task=3", "--mem-per-cpu=100", sys.executable, str(ROOT / "train.py")]
    cell = ("head=wise", "recipe.epochs=1", f"dataset.root={images}")
    for name, command in (("there", (*SLURM, *CELL, *cell)), ("here", ("-m", *CELL, *cell))):
        (tmp_path / name).mkdir()
        done = subprocess.run([*outer, *command], cwd=tmp_path / name, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        (place,) = cells(tmp_path / name)
        record = read_record(place)
        assert record and record.provenance.environment["SLURM_CPUS_PER_TASK"] == {"there": "1", "here": "3"}[name]


def test_accounting_is_asked_of_jobs_that_the_queue_has_forgotten(cluster: SlurmCluster) -> None:
    """Without accounting such a job is gone, and nothing is said of it."""
    from wisesr.grid.cluster_queue import GONE, JobState, job_states

    told = cluster.ask("sbatch", "--hold", "--output=/dev/null", "--wrap", "true")
    job = told.split()[-1]
    states = job_states([job, "999999"])
    assert states == {job: JobState("PENDING", "JobHeldUser"), "999999": JobState(GONE)}
    assert states[job].stuck == "it is held: scontrol release JOB"
    assert job_states(["999999"]) == {"999999": JobState(GONE)}
    cluster.ask("scancel", job)
    assert job_states([job])[job].name == "CANCELLED"


@pytest.mark.slow
def test_a_time_limit_shorter_than_an_epoch(cluster: SlurmCluster, images: Path, tmp_path: Path) -> None:
    """Queued again once, then told: it would never get further."""
    limits = ("hydra.launcher.timeout_min=1", "hydra.launcher.slurm_signal_delay_s=30", "recipe.epochs=100000")
    parent = spawn(*SLURM, *LONG, *limits, f"dataset.root={images}", "trainer.accumulate=1", cwd=tmp_path)
    stopped: set[int] = set()

    def hold_up() -> bool:
        from tests.support.processes import cells_of

        for pid in set(cells_of(tmp_path)) - stopped:
            os.kill(pid, signal.SIGSTOP)
            stopped.add(pid)
        return parent.poll() is not None

    wait_until("the end", hold_up, seconds=300)
    assert parent.returncode == 1
    assert len(stopped) == 2
    assert "hydra.launcher.timeout_min=1) was over 2 times before one epoch had ended" in " ".join(words(tmp_path).split())


@pytest.mark.slow
def test_with_accounting(images: Path, tmp_path: Path) -> None:
    from tests.slurm.cluster import missing
    from wisesr.grid.cluster_queue import _accounted

    if lacks := missing(accounting=True):
        pytest.skip(f"accounting needs what is not here: {', '.join(lacks)}")
    cluster = SlurmCluster(tmp_path / "slurm", accounting=True)
    cluster.start()
    try:
        place = tmp_path / "cells"
        place.mkdir()
        conf = cluster.environment["SLURM_CONF"]
        parent = spawn(*SLURM, *LONG, f"dataset.root={images}", cwd=place, SLURM_CONF=conf)
        wait_for_epochs(place, 2)
        job = job_of(place)
        cluster.ask("scontrol", "requeue", job)
        finish(parent, place / "terminal.txt")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SLURM_CONF", conf)
            wait_until("the accounting", lambda: _accounted([job]).get(job, ("",))[0] == "COMPLETED")
        assert "sacct" not in words(place)
    finally:
        cluster.stop()
