"""Cells as Slurm jobs, against invented sbatch, sacct and srun: what is asked for, and what is made of the answers."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import yaml
from submitit import SlurmJob

from wisesr.cell.run import BUSY, FAILED
from wisesr.config.options import conf_dir
from wisesr.errors import UserError
from wisesr.grid.cell_dirs import Cell, check_cells, write_cell
from wisesr.grid.cluster import Submitter, make_cluster
from wisesr.grid.cluster_job import ClusterJob
from wisesr.grid.slots import Slot
from wisesr.results.lock import acquire_lock

SBATCH = """#!/bin/sh
cp "$1" {folder}/submitted.sh
echo x >> {folder}/calls
[ -e {folder}/refuse ] && echo "sbatch: error: invalid partition" >&2 && exit 1
echo "Submitted batch job $(wc -l < {folder}/calls)"
"""


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the commands of Slurm; `state` in it is what sacct says of every job."""
    folder = tmp_path / "slurm"
    folder.mkdir()
    sacct = f'#!/bin/sh\necho "JobID|State|NodeList"\n[ -e {folder}/state ] && echo "1|$(cat {folder}/state)|node1"\nexit 0\n'
    for name, text in (("srun", "#!/bin/sh\n"), ("sacct", sacct), ("sbatch", SBATCH.format(folder=folder))):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(SlurmJob, "_results_timeout_s", 0)
    monkeypatch.setattr("wisesr.grid.cluster_job._INTERVAL", 0.0)
    SlurmJob.watcher.clear()
    return folder


def settings() -> dict[str, Any]:
    node = yaml.safe_load((conf_dir() / "hydra" / "launcher" / "submitit_slurm.yaml").read_text())
    return {key: value for key, value in node.items() if key not in ("_target_", "kind")}


def submit(config: dict[str, Any], **more: Any) -> tuple[ClusterJob, Cell]:
    cluster = make_cluster("slurm", settings() | more)
    (cell,) = check_cells([config])
    write_cell(cell)
    lock = acquire_lock(cell.directory)
    assert lock
    SlurmJob.watcher.clear()
    with lock:
        slot = Slot(0, (), cluster.cores, "slurm")
        return Submitter(cluster, Path(config["output_dir"])).start(cell, cell.directory, slot, lock, force=False), cell


def test_what_is_asked_for(config: dict[str, Any], slurm: Path) -> None:
    more = {
        "slurm_partition": "gpu",
        "slurm_setup": ["module load cuda"],
        "slurm_additional_parameters": {"reservation": "mine"},
    }
    job, cell = submit(config, **more)
    assert job.name == "slurm job 1"
    words = (slurm / "submitted.sh").read_text()
    for line in (
        "partition=gpu",
        "gpus-per-node=1",
        "cpus-per-task=8",
        "mem=32GB",
        "time=240",
        "signal=USR2@120",
        "reservation=mine",
    ):
        assert f"#SBATCH --{line}\n" in words
    assert "module load cuda\n" in words
    assert "submitit.core._submit" in words
    assert f'"folder": "{Path(config["output_dir"]).absolute()}/.jobs"' in (cell.directory / "submitted.json").read_text()


@pytest.mark.parametrize(("state", "calls"), [("PENDING", 1), ("RUNNING", 1), ("COMPLETED", 2), ("PREEMPTED", 2), (None, 2)])
def test_a_job_that_waits_or_runs_is_found_again(config: dict[str, Any], slurm: Path, state: str | None, calls: int) -> None:
    """Any other is submitted anew: the cell's lock and record see to it that nothing is done twice."""
    submit(config)
    if state:
        (slurm / "state").write_text(state)
    job, _ = submit(config)
    assert len((slurm / "calls").read_text().split()) == calls
    assert job.name == f"slurm job {calls}"


def test_the_end_of_a_job(config: dict[str, Any], slurm: Path) -> None:
    job, _ = submit(config)
    (slurm / "state").write_text("RUNNING")
    assert job.poll() is None
    result = Path(config["output_dir"], ".jobs", "1_0_result.pkl").absolute()
    result.write_bytes(pickle.dumps(("success", 1)))
    assert job.poll() == 1, "the cell's exit code"
    result.unlink()
    (slurm / "state").write_text("OUT_OF_MEMORY")
    SlurmJob.watcher.clear()
    job, _ = submit(config)
    (slurm / "state").write_text("OUT_OF_MEMORY")
    failed = ClusterJob(SlurmJob(folder=result.parent, job_id="1"), "slurm job 1")
    assert failed.poll() == FAILED
    assert "slurm job 1 ended without an answer (OUT_OF_MEMORY)" in failed.ended
    job.interrupt()
    assert job.poll() == BUSY
    assert job.ended == "slurm job 2 goes on; the same command finds it again"


def test_what_slurm_refuses(config: dict[str, Any], slurm: Path) -> None:
    (slurm / "refuse").touch()
    with pytest.raises(OSError, match="slurm refuses the job"):
        submit(config)
    with pytest.raises(UserError, match=r"hydra\.launcher: .*Unknown argument 'colour'"):
        submit(config, slurm_colour="red")
    (slurm / "srun").unlink()
    with pytest.raises(UserError, match="are you indeed on a slurm cluster"):
        submit(config)
