"""Other places for cells: submitit's jobs, somebody else's Hydra launcher, two nodes of one cell."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.cells import assert_same, make
from tests.support.paths import ROOT
from tests.support.processes import (
    TOY,
    assert_whole,
    cells,
    cells_of,
    epochs_trained,
    finish,
    processes_of,
    spawn,
    wait_for_silence,
    wait_until,
)
from wisesr.cell.run import DONE, run
from wisesr.errors import UserError
from wisesr.grid.cluster import cluster_slots, make_cluster
from wisesr.results.metrics import read_metrics
from wisesr.results.record_file import read_record

LOCAL = ("-m", "hydra/launcher=submitit_local", *TOY, "dataset=folder", "logger=none")


def jobs_of(folder: Path) -> list[int]:
    """Processes of submitit's jobs, which run the cells."""
    return [pid for pid, words in processes_of(folder).items() if "submitit.core._submit" in words]


@pytest.mark.slow
def test_a_grid_of_jobs_and_again(images: Path, tmp_path: Path) -> None:
    """The numbers are those of a grid on this machine; the same command skips what is finished."""
    data = f"dataset.root={images}"
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
    finish(
        spawn("-m", "head=gap,wise", *TOY, "dataset=folder", "logger=none", "recipe.epochs=2", data, cwd=here),
        here / "terminal.txt",
    )
    command = (*LOCAL, "head=gap,wise", "recipe.epochs=2", data)
    finish(spawn(*command, cwd=there), there / "terminal.txt")
    for one, other in zip(cells(here), cells(there), strict=True):
        assert_same(one, other)
        assert_whole(other)
    records = [(cell / "result.json").stat().st_mtime_ns for cell in cells(there)]
    finish(spawn(*command, cwd=there), there / "terminal.txt")
    assert [(cell / "result.json").stat().st_mtime_ns for cell in cells(there)] == records
    assert "2 cells: 2 done already" in (there / "terminal.txt").read_text()


@pytest.mark.slow
def test_a_preempted_job_is_queued_again_and_continues(images: Path, tmp_path: Path) -> None:
    """SIGTERM and SIGUSR2, as Slurm sends them, to a job and its cell; then Ctrl-C to the grid, which leaves the job alone."""
    command = (*LOCAL, "head=wise", "recipe.epochs=12", f"dataset.root={images}", "grid.slots=1")
    parent = spawn(*command, cwd=tmp_path)
    wait_until("an epoch", lambda: cells(tmp_path) and len(read_metrics(cells(tmp_path)[0])) >= 2)
    (job,), (cell,) = jobs_of(tmp_path), cells_of(tmp_path)
    for number in (signal.SIGTERM, signal.SIGUSR2):
        for pid in (cell, job):
            os.kill(pid, number)
        time.sleep(0.5)
    assert not wait_for_exit(job, 20)
    wait_until("the job's second life", lambda: jobs_of(tmp_path) and jobs_of(tmp_path) != [job])
    os.killpg(parent.pid, signal.SIGINT)
    assert parent.wait(60) == 130
    words = (tmp_path / "terminal.txt").read_text()
    assert "goes on; the same command finds it again" in words
    assert "Traceback" not in words
    assert jobs_of(tmp_path), "the job goes on"
    finish(spawn(*command, cwd=tmp_path), tmp_path / "terminal.txt")  # waits for it
    (directory,) = cells(tmp_path)
    assert_whole(directory)
    record = read_record(directory)
    assert record and record.provenance.attempts == 2
    assert sum(epochs_trained(directory).values()) == 12
    assert not wait_for_silence(tmp_path, 20)


def wait_for_exit(pid: int, seconds: float) -> bool:
    """Whether the process is still there after so many seconds."""
    deadline = time.monotonic() + seconds
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    return Path(f"/proc/{pid}").exists()


@pytest.mark.slow
def test_somebody_elses_launcher(images: Path, tmp_path: Path) -> None:
    """Joblib's only decides where cells run: a failure is told, its neighbours are done, the same command skips them."""
    command = ("-m", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "head=gap,wise", "head.dropout=0,1.5")
    command += (*TOY, "dataset=folder", f"dataset.root={images}", "logger=none", "recipe.epochs=1")
    assert spawn(*command, cwd=tmp_path).wait(300) == 1
    words = (tmp_path / "terminal.txt").read_text()
    assert "2 of 4 cells are not done; `wisesr status` tells which, and why" in words
    assert "head.dropout must be at least 0 and below 1, not 1.5" in words
    assert sum((cell / "result.json").exists() for cell in cells(tmp_path)) == 2
    assert "Traceback" not in words
    again = [argument.replace("head.dropout=0,1.5", "head.dropout=0") for argument in command]
    finish(spawn(*again, cwd=tmp_path), tmp_path / "terminal.txt")
    assert all(record.provenance.attempts == 1 for cell in cells(tmp_path) if (record := read_record(cell)))


@pytest.mark.slow
def test_two_nodes(config: dict[str, object], tmp_path: Path) -> None:
    """The command of docs/clusters.md, both nodes being this machine: one record, and nothing is done a second time."""
    trainer = config["trainer"]
    assert isinstance(trainer, dict)
    trainer |= {"strategy": "ddp", "devices": 1, "num_nodes": 2}
    cell = make(config, tmp_path / "cell")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for attempt in range(2):
        nodes = [
            subprocess.Popen(
                [
                    *(sys.executable, "-m", "torch.distributed.run", "--nnodes=2", f"--node-rank={rank}", "--nproc-per-node=1"),
                    *("--master-addr=127.0.0.1", f"--master-port={port}", "-m", "wisesr.cell", str(cell)),
                ],
                cwd=ROOT,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for rank in range(2)
        ]
        words = [node.communicate(timeout=200)[0] for node in nodes]
        assert [node.returncode for node in nodes] == [0, 0], "\n".join(words)
        assert sum(bool(re.search(r"epoch 3/3: train loss", text)) for text in words) == (1 if attempt == 0 else 0)
    record = read_record(cell)
    assert record and record.provenance.attempts == 1
    assert run(cell) == DONE


@pytest.mark.slow
def test_a_cell_of_two_nodes_is_left_to_the_user(images: Path, tmp_path: Path) -> None:
    """Written, not started, with the command to run on each node; its neighbours run."""
    data = ("dataset=folder", f"dataset.root={images}", "logger=none", "recipe.epochs=1")
    assert spawn("-m", "trainer.num_nodes=1,2", *TOY, *data, cwd=tmp_path).wait(200) == 1
    words = (tmp_path / "terminal.txt").read_text()
    (command,) = re.findall(r"by hand: it takes 2 nodes; on each of them: (.*)", words)
    directory = Path(command.split()[-1])
    assert command.startswith("torchrun --nnodes=2 --node-rank=RANK --nproc-per-node=1 --master-addr=HOST")
    assert (directory / "config.yaml").is_file()
    assert not (directory / "result.json").exists()
    assert sum((cell / "result.json").exists() for cell in cells(tmp_path)) == 1


def test_settings_of_a_cluster() -> None:
    cluster = make_cluster("slurm", {"cpus_per_task": 8, "gpus_per_node": 2, "max_num_timeout": 3, "slurm_qos": None})
    assert (cluster.cores, cluster.gpus, cluster.requeue) == (8, 2, 3)
    assert cluster.parameters == {"cpus_per_task": 8}
    assert make_cluster("slurm", {"gpus_per_node": "auto"}).gpus is None
    assert make_cluster("local", {}).gpus == 0
    grid = {"slots": "auto", "gpus_per_cell": "auto", "cells_per_gpu": 1}
    assert len(cluster_slots(cluster, grid, 40)) == 40
    assert len(cluster_slots(cluster, grid | {"slots": 4}, 40)) == 4
    with pytest.raises(UserError, match=r"use hydra\.launcher\.gpus_per_node"):
        cluster_slots(cluster, grid | {"cells_per_gpu": 2}, 40)


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("timeout_min", "banana", "a whole number at least 1"),
        ("mem_gb", [1], "a number above 0 or null"),
        ("cpus_per_task", "x", "a whole number at least 1"),
        ("gpus_per_node", -1, "a whole number at least 0 or one of auto"),
        ("slurm_setup", 3, "a list of texts or null"),
    ],
)
def test_settings_of_a_launcher(key: str, value: object, rule: str) -> None:
    with pytest.raises(UserError, match=re.escape(f"hydra.launcher.{key} must be {rule}, not ")):
        make_cluster("slurm", {"timeout_min": 240, "slurm_setup": ["module load cuda"], key: value})
