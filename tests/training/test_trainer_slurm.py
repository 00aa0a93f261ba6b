"""Lightning's trainer beside a Slurm: on a login node, and where srun has started the processes of a cell."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest
from lightning.fabric.plugins.environments import LightningEnvironment, SLURMEnvironment

from wisesr.errors import UserError
from wisesr.training.trainer import TrainerSettings, make_trainer, silence_advice


@pytest.fixture
def settings() -> TrainerSettings:
    fields = {"accelerator": "cpu", "devices": 1, "num_nodes": 1, "strategy": "auto", "precision": "32-true"}
    fields |= {"compile": False, "sync_batchnorm": False, "accumulate": 1, "clip": None, "deterministic": True}
    return TrainerSettings(**fields)  # type: ignore[arg-type]


@pytest.fixture
def login_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with Slurm's client, outside any job."""
    (tmp_path / "srun").write_text("#!/bin/sh\n")
    (tmp_path / "srun").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    for name in [name for name in os.environ if name.startswith("SLURM_")]:
        monkeypatch.delenv(name)


@pytest.mark.usefixtures("login_node")
def test_nothing_is_said_of_srun(settings: TrainerSettings) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        make_trainer(settings, 1, [])
        silence_advice()  # as `fit` does, inside which Lightning looks again
        SLURMEnvironment.detect()
    assert not [str(warning.message) for warning in told if "srun" in str(warning.message)]
    with pytest.warns(UserWarning, match="srun"):  # what Lightning says where nobody keeps it from it
        SLURMEnvironment.detect()


@pytest.mark.usefixtures("login_node")
@pytest.mark.parametrize(("tasks", "devices", "nodes"), [(2, 2, 1), (4, 2, 2)])
def test_ranks_are_those_of_srun(
    settings: TrainerSettings, monkeypatch: pytest.MonkeyPatch, tasks: int, devices: int, nodes: int
) -> None:
    for name, value in {"STEP_NUM_TASKS": tasks, "NTASKS": tasks, "NNODES": nodes, "NODEID": nodes - 1, "LOCALID": 1}.items():
        monkeypatch.setenv(f"SLURM_{name}", str(value))
    monkeypatch.setenv("SLURM_PROCID", str(tasks - 1))
    monkeypatch.setenv("SLURM_NTASKS_PER_NODE", str(devices))
    trainer = make_trainer(settings._replace(strategy="ddp", devices=devices, num_nodes=nodes), 1, [])
    environment = trainer.strategy.cluster_environment
    assert isinstance(environment, SLURMEnvironment)
    assert (environment.global_rank(), environment.world_size(), environment.auto_requeue) == (tasks - 1, tasks, False)
    with pytest.raises(UserError, match=rf"srun has started {tasks} processes of this cell, which takes 1: srun --nodes=1"):
        make_trainer(settings, 1, [])


@pytest.mark.usefixtures("login_node")
def test_a_job_of_one_task_is_a_machine_like_any_other(settings: TrainerSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """submitit's: Lightning starts the other process itself."""
    for name, value in {"STEP_NUM_TASKS": "1", "NTASKS": "1", "PROCID": "0", "LOCALID": "0", "JOB_ID": "7"}.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    trainer = make_trainer(settings._replace(strategy="ddp", devices=2), 1, [])
    assert isinstance(trainer.strategy.cluster_environment, LightningEnvironment)
