"""Several processes of one cell on a real Slurm, all on CPUs: Lightning's own in a job, those of srun, those of torchrun."""

from __future__ import annotations

import copy
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.slurm.cluster import SlurmCluster, free_ports
from tests.slurm.jobs import CELL, SLURM, words
from tests.support.cells import assert_same, make
from tests.support.paths import ROOT
from tests.support.processes import assert_whole, cells, finish, spawn
from wisesr.results.record_file import read_record

pytestmark = pytest.mark.slurm

PYTHON = (sys.executable, "-m", "wisesr.cell")


@pytest.fixture
def two(config: dict[str, Any]) -> dict[str, Any]:
    """A cell of two processes."""
    config["recipe"]["epochs"] = 2
    config["trainer"] |= {"strategy": "ddp", "devices": 2}
    return config


def srun(*command: str) -> subprocess.CompletedProcess[str]:
    """Nodes of a real cluster have names that can be looked up; these have not, so the first one's address is given."""
    places = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_ports(1)[0]), "OMP_NUM_THREADS": "1"}
    environment = {**os.environ, **places, "PYTHONPATH": str(ROOT)}
    return subprocess.run(["srun", *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)


def test_a_job_starts_its_processes(cluster: SlurmCluster, images: Path, tmp_path: Path) -> None:
    """The launcher's job has one task, and Lightning starts the other process."""
    ddp = ["trainer=ddp" if word == "trainer=cpu" else word for word in CELL]
    more = ("trainer.accelerator=cpu", "trainer.devices=2", "recipe.epochs=1", "head=wise", f"dataset.root={images}")
    finish(spawn(*SLURM, *ddp, *more, cwd=tmp_path), tmp_path / "terminal.txt")
    (cell,) = cells(tmp_path)
    assert_whole(cell)
    record = read_record(cell)
    assert record and record.provenance.devices == 2
    assert "gpu" not in next((tmp_path / "outputs/.jobs").glob("*_submission.sh")).read_text()
    assert "Traceback" not in words(tmp_path)


def test_srun_starts_them(cluster: SlurmCluster, two: dict[str, Any], tmp_path: Path) -> None:
    """Two tasks of one node compute what the cell's own two processes do, to the bit; two nodes, and torchrun on each, are the
    same cell as each other. One process writes the record, and the same command again does nothing.
    """
    split = copy.deepcopy(two)
    split["trainer"] |= {"devices": 1, "num_nodes": 2}
    alone, tasks = make(two, tmp_path / "alone"), make(two, tmp_path / "tasks")
    nodes, runs = make(split, tmp_path / "nodes"), make(split, tmp_path / "runs")
    subprocess.run([*PYTHON, str(alone)], cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=True, capture_output=True)
    torchrun = (
        f"{sys.executable} -m torch.distributed.run --nnodes=2 --node-rank=$SLURM_NODEID --nproc-per-node=1 "
        f"--master-addr=$MASTER_ADDR --master-port=$MASTER_PORT -m wisesr.cell {runs}"
    )
    for command in (
        ("--nodes=1", "--ntasks-per-node=2", *PYTHON, str(tasks)),
        ("--nodes=2", "--ntasks-per-node=1", *PYTHON, str(nodes)),
        ("--nodes=2", "--ntasks-per-node=1", "bash", "-c", torchrun),
    ):
        for attempt in range(2):
            done = srun(*command)
            said = done.stdout + done.stderr
            assert done.returncode == 0, said
            assert len(re.findall(r"epoch 2/2: train loss", said)) == (1 if attempt == 0 else 0), said
    assert_same(alone, tasks)
    assert_same(nodes, runs)
    record = read_record(nodes)
    assert record and (record.provenance.attempts, record.provenance.devices) == (1, 2)


def test_another_number_of_tasks(cluster: SlurmCluster, two: dict[str, Any], tmp_path: Path) -> None:
    done = srun("--nodes=1", "--ntasks-per-node=3", *PYTHON, str(make(two, tmp_path / "cell")))
    assert done.returncode != 0
    assert (
        "srun has started 3 processes of this cell, which takes 2: srun --nodes=1 --ntasks-per-node=2"
        in done.stdout + done.stderr
    )
    assert "Traceback" not in done.stdout + done.stderr
