"""Cells as Slurm jobs, against invented sbatch, squeue, sacct and srun: what is asked for, and what is made of the answers."""

from __future__ import annotations

import os
import pickle
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from wisesr.cell.run import BUSY, FAILED, INTERRUPTED
from wisesr.config.options import conf_dir
from wisesr.errors import UserError
from wisesr.grid.cell_dirs import Cell, check_cells, write_cell
from wisesr.grid.cluster import Submitter, make_cluster
from wisesr.grid.cluster_job import ClusterJob
from wisesr.grid.cluster_queue import SlurmQueue
from wisesr.grid.slots import Slot
from wisesr.results.lock import acquire_lock

SBATCH = """#!/bin/sh
cp "$1" {folder}/submitted.sh
env > {folder}/environment
echo x >> {folder}/calls
[ -e {folder}/refuse ] && echo "sbatch: error: Batch job submission failed: $(cat {folder}/refuse)" >&2 && exit 1
echo "Submitted batch job $(wc -l < {folder}/calls)"
"""
SQUEUE = """#!/bin/sh
echo x >> {folder}/asked
[ -e {folder}/silent ] && echo "slurm_load_jobs error: Unable to contact slurm controller" >&2 && exit 1
[ -e {folder}/state ] && echo "1|$(cat {folder}/state)" && exit 0
echo "slurm_load_jobs error: Invalid job id specified" >&2
exit 1
"""
SACCT = """#!/bin/sh
[ -e {folder}/accounted ] && echo "1|$(cat {folder}/accounted)" && exit 0
echo "Slurm accounting storage is disabled" >&2
exit 1
"""


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the commands of Slurm, which are found before this machine's, if it has some; `state` and `accounted` in it
    are what squeue and sacct say of job 1.
    """
    folder = tmp_path / "slurm"
    folder.mkdir()
    for name, text in (("srun", "#!/bin/sh\n"), ("sacct", SACCT), ("squeue", SQUEUE), ("sbatch", SBATCH)):
        (folder / name).write_text(text.format(folder=folder))
        (folder / name).chmod(0o755)
    for name in ("cp", "env", "cat", "wc"):
        (folder / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(folder))  # whose srun stands beside sh on a login node
    monkeypatch.setattr("wisesr.grid.cluster_job._INTERVAL", 0.0)
    monkeypatch.setattr("wisesr.grid.cluster_job._ANSWER", 0.0)
    monkeypatch.setattr("wisesr.grid.cluster_queue._LEAST", 0.0)
    return folder


def settings() -> dict[str, Any]:
    node = yaml.safe_load((conf_dir() / "hydra" / "launcher" / "submitit_slurm.yaml").read_text())
    return {key: value for key, value in node.items() if key not in ("_target_", "kind")}


def submitter(config: dict[str, Any], **more: Any) -> tuple[Submitter, Cell]:
    """As a command makes it, and the cell of this configuration."""
    cluster = make_cluster("slurm", settings() | more)
    (cell,) = check_cells([config])
    write_cell(cell)
    return Submitter(cluster, Path(config["output_dir"]), [cell]), cell


def submit(config: dict[str, Any], **more: Any) -> tuple[ClusterJob, Cell]:
    made, cell = submitter(config, **more)
    lock = acquire_lock(cell.directory)
    assert lock
    with lock:
        return made.start(cell, cell.directory, Slot(0, (), 8, "slurm"), lock, force=False), cell


def test_what_is_asked_for(config: dict[str, Any], slurm: Path) -> None:
    more = {
        "slurm_partition": "gpu",
        "slurm_setup": ["module load cuda"],
        "slurm_additional_parameters": {"reservation": "mine"},
    }
    config["trainer"]["accelerator"] = "auto"
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
        "job-name=wisesr",
    ):
        assert f"#SBATCH --{line}\n" in words
    assert "#SBATCH --requeue\n" in words
    assert "module load cuda\n" in words
    assert "submitit.core._submit" in words
    assert re.search(r"\nsrun .*--cpus-per-task=8 ", words), "srun has not taken sbatch's since 22.05"
    assert f'"folder": "{Path(config["output_dir"]).absolute()}/.jobs"' in (cell.directory / "submitted.json").read_text()


def test_how_often_it_is_queued_again_is_ones_own(config: dict[str, Any], slurm: Path) -> None:
    submit(config, slurm_additional_parameters={"no-requeue": True})
    words = (slurm / "submitted.sh").read_text()
    assert "--no-requeue" in words and "--requeue" not in words


@pytest.mark.parametrize(
    ("trainer", "asked", "gpus"),
    [
        ({"accelerator": "cpu"}, "auto", None),
        ({"accelerator": "cpu", "devices": 2, "strategy": "ddp"}, "auto", None),
        ({"accelerator": "auto"}, "auto", 1),
        ({"accelerator": "gpu", "devices": 2, "strategy": "ddp"}, "auto", 2),
        ({"accelerator": "auto", "devices": "auto", "strategy": "ddp"}, 4, 4),
        ({"accelerator": "cpu"}, 1, 1),
    ],
)
def test_gpus_where_a_cell_needs_them(
    config: dict[str, Any], slurm: Path, trainer: dict[str, Any], asked: Any, gpus: int | None
) -> None:
    config["trainer"] |= trainer
    submit(config, gpus_per_node=asked)
    found = re.search(r"--gpus-per-node=(\d+)", (slurm / "submitted.sh").read_text())
    assert (found and int(found.group(1))) == gpus


def test_all_gpus_of_a_job_that_nobody_counts(config: dict[str, Any], slurm: Path) -> None:
    config["trainer"] |= {"accelerator": "auto", "devices": "auto", "strategy": "ddp"}
    with pytest.raises(UserError, match=r"say how many, hydra\.launcher\.gpus_per_node=4"):
        submit(config)


def test_what_a_job_of_ones_own_is_no_part_of(config: dict[str, Any], slurm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command inside a job: sbatch would take its memory and cores for those that are asked for."""
    for name in ("SLURM_JOB_ID", "SLURM_MEM_PER_CPU", "SLURM_CONF", "SBATCH_ACCOUNT", "SRUN_CPUS_PER_TASK"):
        monkeypatch.setenv(name, "7")
    submit(config)
    had = {line.partition("=")[0] for line in (slurm / "environment").read_text().splitlines()}
    assert {"SLURM_CONF", "SBATCH_ACCOUNT"} <= had
    assert not {"SLURM_JOB_ID", "SLURM_MEM_PER_CPU", "SRUN_CPUS_PER_TASK"} & had
    assert os.environ["SLURM_MEM_PER_CPU"] == "7"


FOUND = [("PENDING|Priority", 1), ("RUNNING|None", 1), ("COMPLETED|None", 2), ("PREEMPTED|None", 2), (None, 2)]


@pytest.mark.parametrize(("state", "calls"), FOUND)
def test_a_job_that_waits_or_runs_is_found_again(config: dict[str, Any], slurm: Path, state: str | None, calls: int) -> None:
    """Any other is submitted anew: the cell's lock and record see to it that nothing is done twice."""
    submit(config)
    if state:
        (slurm / "state").write_text(state)
    job, _ = submit(config)
    assert len((slurm / "calls").read_text().split()) == calls
    assert job.name == f"slurm job {calls}"


def test_nothing_is_submitted_twice_while_slurm_is_silent(config: dict[str, Any], slurm: Path) -> None:
    submit(config)
    (slurm / "silent").touch()
    with pytest.raises(UserError, match=r"Slurm does not answer, so nothing was started: .*Unable to contact"):
        submit(config)
    assert len((slurm / "calls").read_text().split()) == 1


def test_the_answer_of_a_job(config: dict[str, Any], slurm: Path) -> None:
    job, _ = submit(config)
    (slurm / "state").write_text("PENDING|Resources")
    assert job.poll() is None
    assert (job.waits, job.stuck) == ("Resources", "")
    (slurm / "state").write_text("PENDING|JobHeldUser")
    assert job.poll() is None
    assert job.stuck == "it is held: scontrol release 1"
    (slurm / "state").write_text("RUNNING|None")
    (slurm / "silent").touch()
    assert job.poll() is None, "a controller that is away for a while ends no job"
    result = Path(config["output_dir"], ".jobs", "1_0_result.pkl").absolute()
    result.write_bytes(pickle.dumps(("success", 1)))
    assert job.poll() == 1, "the cell's exit code"


ENDS = [
    ("CANCELLED|None", INTERRUPTED, "slurm job 1 was cancelled; the same command continues"),
    ("NODE_FAIL|None", INTERRUPTED, "slurm job 1 lost its node, and was not queued again; the same"),
    ("TIMEOUT|TimeLimit", INTERRUPTED, "was out of time before it could be queued again (hydra.launcher.slurm_signal_delay_s)"),
    ("OUT_OF_MEMORY|OutOfMemory", FAILED, "slurm job 1 was out of memory (hydra.launcher.mem_gb)"),
    ("FAILED|NonZeroExitCode", FAILED, "ended without an answer: FAILED, NonZeroExitCode: no such module; its log: /"),
]


@pytest.mark.parametrize(("state", "code", "text"), ENDS)
@pytest.mark.parametrize("forgotten", [False, True], ids=["squeue", "sacct"])
def test_a_job_that_ends_without_an_answer(
    config: dict[str, Any], slurm: Path, state: str, code: int, text: str, forgotten: bool
) -> None:
    """As the queue tells it, or, where that has forgotten it, the accounting."""
    job, _ = submit(config)
    Path(config["output_dir"], ".jobs", "1_0_log.err").write_text("no such module\n\n")
    (slurm / ("accounted" if forgotten else "state")).write_text(
        state.replace("CANCELLED", "CANCELLED by 0" if forgotten else "CANCELLED")
    )
    answers = [job.poll(), job.poll()]
    assert answers == [None, code], "the second look, as it may be queued again"
    assert text in job.ended


def test_a_job_that_nobody_knows_any_more(config: dict[str, Any], slurm: Path) -> None:
    job, _ = submit(config)
    assert [job.poll(), job.poll()] == [None, INTERRUPTED]
    assert "slurm job 1 is none that Slurm knows any more; the same command" in job.ended


def test_a_job_that_is_queued_again_after_its_node_is_lost(config: dict[str, Any], slurm: Path) -> None:
    job, _ = submit(config)
    for state in ("NODE_FAIL|None", "PENDING|BeginTime", "NODE_FAIL|None"):
        (slurm / "state").write_text(state)
        assert job.poll() is None


def test_a_job_whose_own_code_fails(config: dict[str, Any], slurm: Path) -> None:
    job, _ = submit(config)
    result = Path(config["output_dir"], ".jobs", "1_0_result.pkl").absolute()
    result.write_bytes(pickle.dumps(("error", "Traceback (most recent call last):\n  ...\nOSError: disk quota exceeded\n")))
    assert job.poll() == FAILED
    assert "slurm job 1 ended without an answer: OSError: disk quota exceeded; its log: /" in job.ended
    job, _ = submit(config)
    job.interrupt()
    assert job.poll() == BUSY
    assert job.ended == "slurm job 2 goes on; the same command finds it again"


def test_one_question_for_all_jobs(slurm: Path) -> None:
    queue = SlurmQueue()
    queue.ask([str(number) for number in range(600)])
    for number in range(600):
        assert queue.look(str(number), since=0.0).name in ("GONE", "RUNNING")
    assert len((slurm / "asked").read_text().split()) <= 601
    frozen = SlurmQueue()
    frozen.ask(["1", "2"])
    before = len((slurm / "asked").read_text().split())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("wisesr.grid.cluster_queue._LEAST", 1000.0)
        patch.setattr("wisesr.grid.cluster_queue._MOST", 1000.0)
        for _ in range(100):
            frozen.look("1")
            frozen.look("2")
    assert len((slurm / "asked").read_text().split()) == before


def test_what_slurm_refuses(config: dict[str, Any], slurm: Path, capfd: pytest.CaptureFixture[str]) -> None:
    config["trainer"]["accelerator"] = "auto"
    (slurm / "refuse").write_text("Requested node configuration is not available")
    with pytest.raises(UserError, match="^slurm refuses the job: Requested node configuration is not available\n") as error:
        submit(config)
    assert "A job asks for 1 GPU (gpus_per_node; trainer=cpu needs none), 8 cores (cpus_per_task), 32 GB" in str(error.value)
    assert "sinfo -o" in str(error.value)
    assert capfd.readouterr() == ("", ""), "submitit would print it once more"
    with pytest.raises(UserError, match=r"hydra\.launcher: .*Unknown argument 'colour'"):
        submit(config, slurm_colour="red")
    (slurm / "srun").unlink()
    with pytest.raises(UserError, match="are you indeed on a slurm cluster"):
        submit(config)


def test_a_job_too_many(config: dict[str, Any], slurm: Path) -> None:
    """After others were taken, that one cell failed; the others go on."""
    made, cell = submitter(config)
    lock = acquire_lock(cell.directory)
    assert lock
    with lock:
        slot = Slot(0, (), 8, "slurm")
        made.start(cell, cell.directory, slot, lock, force=False)
        (slurm / "refuse").write_text("Job violates accounting/QOS policy")
        with pytest.raises(OSError, match="^slurm refuses the job: Job violates accounting/QOS policy$"):
            made.start(cell, cell.directory, slot, lock, force=False)
