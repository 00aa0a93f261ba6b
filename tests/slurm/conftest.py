"""One cluster for all tests of this folder, where its daemons are installed; none of them is left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slurm.cluster import SlurmCluster, missing


@pytest.fixture(scope="session")
def running_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmCluster]:
    if lacks := missing():
        pytest.skip(f"a Slurm cluster needs what is not here: {', '.join(lacks)}")
    cluster = SlurmCluster(tmp_path_factory.mktemp("slurm"))
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture
def cluster(running_cluster: SlurmCluster, monkeypatch: pytest.MonkeyPatch) -> SlurmCluster:
    """Slurm's commands speak to it, in this process and in those that it starts."""
    monkeypatch.setenv("SLURM_CONF", running_cluster.environment["SLURM_CONF"])
    for name in [name for name in os.environ if name.startswith("SLURM_") and name != "SLURM_CONF"]:
        monkeypatch.delenv(name)
    return running_cluster


@pytest.fixture(scope="session")
def undisturbed(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cell of `tests.slurm.jobs.LONG` as it is on this machine, without a cluster."""
    from tests.slurm.jobs import LONG
    from tests.support.processes import cells, finish, spawn

    folder = tmp_path_factory.mktemp("undisturbed")
    finish(spawn(*LONG, f"dataset.root={images}", cwd=folder), folder / "terminal.txt")
    return cells(folder)[0]
