"""Cells on a real Slurm: what disturbs a job changes no bit of what its cell computes. Daemons of this machine: conftest.py."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.slurm.cluster import NODES, SlurmCluster
from tests.slurm.jobs import CELL, LONG, SLURM, job_of, state_of_job, wait_for_epochs, words
from tests.support.cells import assert_same
from tests.support.processes import assert_whole, cells, cells_of, epochs_trained, finish, spawn, wait_until
from wisesr.results.record_file import read_record

pytestmark = pytest.mark.slurm


def finished_as(undisturbed: Path, folder: Path, *, attempts: int) -> None:
    """The only cell below a folder is done, after so many attempts, none of which trained an epoch again."""
    (cell,) = cells(folder)
    assert_whole(cell)
    assert_same(undisturbed, cell)
    record = read_record(cell)
    assert record and record.provenance.attempts == attempts
    assert set(epochs_trained(cell).values()) == {1}


def begin(images: Path, folder: Path, *more: str) -> subprocess.Popen[str]:
    return spawn(*SLURM, *LONG, f"dataset.root={images}", *more, cwd=folder)


def test_a_grid(cluster: SlurmCluster, images: Path, undisturbed: Path, tmp_path: Path) -> None:
    """Nothing is said of accounting, which there is none of, or of srun; no GPU is asked for; again, all is done."""
    arguments = [word.replace("head=wise", "head=wise,gap") for word in LONG]
    command = (*SLURM, *arguments, f"dataset.root={images}")
    finish(spawn(*command, cwd=tmp_path), tmp_path / "terminal.txt")
    (wise,) = (cell for cell in cells(tmp_path) if "wise" in cell.parent.name)
    assert_same(undisturbed, wise)
    text = words(tmp_path)
    assert not [word for word in ("sacct", "WARNING", "warning", "Traceback") if word in text]
    for cell in cells(tmp_path):
        assert_whole(cell)
        record = read_record(cell)
        assert record and record.provenance.environment["SLURM_CPUS_PER_TASK"] == "1"
        assert "srun" not in (cell / "log.txt").read_text()
    scripts = list((tmp_path / "outputs/.jobs").glob("*_submission.sh"))
    assert len(scripts) == 2
    assert not any("gpu" in script.read_text() for script in scripts)
    finish(spawn(*command, cwd=tmp_path), tmp_path / "terminal.txt")
    assert "2 cells: 2 done already" in words(tmp_path)


def test_requeued_in_mid_training(cluster: SlurmCluster, images: Path, undisturbed: Path, tmp_path: Path) -> None:
    parent = begin(images, tmp_path)
    wait_for_epochs(tmp_path, 3)
    cluster.ask("scontrol", "requeue", job_of(tmp_path))
    finish(parent, tmp_path / "terminal.txt")
    finished_as(undisturbed, tmp_path, attempts=2)


def test_told_that_its_time_is_over(cluster: SlurmCluster, images: Path, undisturbed: Path, tmp_path: Path) -> None:
    """By the signal that Slurm sends then."""
    parent = begin(images, tmp_path)
    wait_for_epochs(tmp_path, 3)
    cluster.ask("scancel", "--signal=USR2", job_of(tmp_path))
    finish(parent, tmp_path / "terminal.txt")
    finished_as(undisturbed, tmp_path, attempts=2)


@pytest.mark.slow
def test_out_of_time_in_mid_training(cluster: SlurmCluster, images: Path, undisturbed: Path, tmp_path: Path) -> None:
    """The cell is held up after some epochs, so that its time is over: Slurm tells the job, which queues itself again."""
    parent = begin(images, tmp_path, "hydra.launcher.timeout_min=2", "hydra.launcher.slurm_signal_delay_s=30")
    wait_for_epochs(tmp_path, 3)
    (cell,) = cells_of(tmp_path)
    os.kill(cell, signal.SIGSTOP)
    job = job_of(tmp_path)
    wait_until("the end of the job's first life", lambda: not Path(f"/proc/{cell}").exists())
    finish(parent, tmp_path / "terminal.txt")
    finished_as(undisturbed, tmp_path, attempts=2)
    log = (tmp_path / f"outputs/.jobs/{job}_0_log.err").read_text()
    assert "this job is timed-out" in log


def test_preempted(cluster: SlurmCluster, images: Path, undisturbed: Path, tmp_path: Path) -> None:
    """By a job of a partition that comes first, which takes both nodes."""
    parent = begin(images, tmp_path)
    wait_for_epochs(tmp_path, 3)
    wants = ("--partition=urgent", "--nodes=2", "--exclusive", "--output=/dev/null")
    assert "Submitted" in cluster.ask("sbatch", *wants, "--wrap", "srun sleep 2")
    finish(parent, tmp_path / "terminal.txt")
    finished_as(undisturbed, tmp_path, attempts=2)


def test_a_node_that_is_lost(cluster: SlurmCluster, images: Path, undisturbed: Path, tmp_path: Path) -> None:
    """Its cell goes on on the other one."""
    parent = begin(images, tmp_path)
    wait_for_epochs(tmp_path, 3)
    job = job_of(tmp_path)
    lost = cluster.ask("squeue", "--noheader", f"--jobs={job}", "--format=%N")
    assert lost in NODES
    cluster.stop_node(lost)
    try:
        cluster.ask("scontrol", "update", f"nodename={lost}", "state=down", "reason=lost")
        finish(parent, tmp_path / "terminal.txt")
        finished_as(undisturbed, tmp_path, attempts=2)
    finally:
        cluster.start_node(lost)
        cluster.ask("scontrol", "update", f"nodename={lost}", "state=resume")


def test_cancelled(cluster: SlurmCluster, images: Path, undisturbed: Path, tmp_path: Path) -> None:
    """It is said, and not tried again by itself; the same command submits it anew, and no epoch is trained twice."""
    parent = begin(images, tmp_path)
    wait_for_epochs(tmp_path, 3)
    first = job_of(tmp_path)
    cluster.ask("scancel", first)
    assert parent.wait(120) == 1
    assert f"slurm job {first} was cancelled; the same command continues from the last finished epoch" in words(tmp_path)
    finish(begin(images, tmp_path), tmp_path / "terminal.txt")
    assert job_of(tmp_path) != first
    finished_as(undisturbed, tmp_path, attempts=2)


def test_the_watcher_ends_and_comes_back(cluster: SlurmCluster, images: Path, undisturbed: Path, tmp_path: Path) -> None:
    """Ctrl-C ends the watching alone; the same command finds the job, and sees that this one is cancelled."""
    parent = begin(images, tmp_path, "study=first")
    wait_for_epochs(tmp_path, 3)
    job = job_of(tmp_path)
    os.killpg(parent.pid, signal.SIGINT)
    assert parent.wait(60) == 130
    assert f"slurm job {job} goes on; the same command finds it again" in words(tmp_path)
    assert state_of_job(cluster, job) == "RUNNING"
    finish(begin(images, tmp_path, "study=first"), tmp_path / "terminal.txt")
    assert job_of(tmp_path) == job
    assert len(list((tmp_path / "outputs/.jobs").glob("*_submission.sh"))) == 1
    finished_as(undisturbed, tmp_path, attempts=1)


def test_a_job_that_dies(cluster: SlurmCluster, images: Path, tmp_path: Path) -> None:
    """Its cell by kill -9; itself, cell and all; its set-up with exit code 3: each is told with its reason."""
    folders = [tmp_path / name for name in ("cell", "job", "set-up")]
    for folder in folders:
        folder.mkdir()
    set_up = "hydra.launcher.slurm_setup=['echo no such module >&2','exit 3']"
    parents = [begin(images, folder, *[set_up] * (folder.name == "set-up")) for folder in folders]
    for folder in folders[:2]:
        wait_for_epochs(folder, 2)
    (cell,) = cells_of(folders[0])
    os.kill(cell, signal.SIGKILL)
    (cell,) = cells_of(folders[1])
    os.kill(int(Path(f"/proc/{cell}/stat").read_text().rpartition(")")[2].split()[1]), signal.SIGKILL)
    assert [parent.wait(120) for parent in parents] == [1, 1, 1]
    assert "killed by SIGKILL (out of memory?); the same command continues" in words(folders[0])
    assert "ended without an answer: FAILED, " in words(folders[1])
    assert "ended without an answer: FAILED, NonZeroExitCode: no such module; its log: " in words(folders[2])
    assert not any("Traceback" in words(folder) for folder in folders)


def test_at_most_so_many_jobs(cluster: SlurmCluster, images: Path, tmp_path: Path) -> None:
    """`grid.slots=1` of two: never more than one is in the queue."""
    parent = spawn(*SLURM, *CELL, "recipe.epochs=1", "head=wise,gap", "grid.slots=1", f"dataset.root={images}", cwd=tmp_path)
    most = 0
    while parent.poll() is None:
        most = max(most, len(cluster.ask("squeue", "--noheader").splitlines()))
        time.sleep(0.1)
    finish(parent, tmp_path / "terminal.txt")
    assert most == 1
