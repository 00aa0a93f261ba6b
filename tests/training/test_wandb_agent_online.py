"""An agent's run and a cell's own, online, against a server on localhost: attempts of one cell under other ids."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fake_sweeps import SweepServer
from tests.support.fake_wandb import environment
from tests.support.wandb_attempts import ROWS, Attempt
from wisesr.results.atomic_files import read_json
from wisesr.results.run_address import online_place

pytestmark = pytest.mark.slow


@pytest.fixture
def server() -> Iterator[SweepServer]:
    with SweepServer() as fake:
        yield fake


def of_agent(run: str) -> dict[str, str]:
    return {"WANDB_RUN_ID": run, "WANDB_SWEEP_ID": "s", "WISESR_AGENT_RUN": run, "WANDB_PROJECT": "of-sweep"}


def steps(server: SweepServer, run: str) -> list[float]:
    return [row["_step"] for row in server.runs[run].history if "epoch" in row]


def test_a_cell_goes_on_as_another_run(server: SweepServer, tmp_path: Path) -> None:
    """Begun by a grid, gone on with by one agent and then another, finished by hand; each run has all epochs up to its end."""
    Attempt(tmp_path, server.url, [], ROWS[:1], "fail").ends_well(60)
    (own,) = server.runs
    for count, run in ((2, "first"), (3, "second")):
        Attempt(tmp_path, server.url, ROWS[: count - 1], ROWS[count - 1 : count], "fail", **of_agent(run)).ends_well(60)
        assert steps(server, run) == [row["step"] for row in ROWS[:count]]
        assert read_json(tmp_path / "wandb.json")["id"] == run
        assert online_place(tmp_path) == ("me", "of-sweep")
    Attempt(tmp_path, server.url, ROWS[:3], ROWS[3:]).ends_well(60)
    (last,) = set(server.runs) - {own, "first", "second"}
    assert steps(server, last) == [row["step"] for row in ROWS]
    assert [server.runs[run].sweep for run in (own, "first", "second", last)] == [None, "s", "s", None]
    assert steps(server, own) == [4.0] and len(steps(server, "second")) == 3, "left alone"
    assert "sweep" not in read_json(tmp_path / "wandb.json")


def test_the_same_run_again(server: SweepServer, tmp_path: Path) -> None:
    """A run that its sweep has queued again, as after a preemption."""
    Attempt(tmp_path, server.url, [], ROWS[:2], "fail", **of_agent("again")).ends_well(60)
    Attempt(tmp_path, server.url, ROWS[:2], ROWS[2:], **of_agent("again")).ends_well(60)
    (run,) = server.runs.values()
    assert steps(server, "again") == [row["step"] for row in ROWS]
    assert (run.sweep, run.starts, run.state) == ("s", 2, "finished")


def test_what_was_kept_offline_belongs_to_the_sweep(server: SweepServer, tmp_path: Path) -> None:
    Attempt(tmp_path, server.url, [], ROWS, WANDB_MODE="offline", **of_agent("kept")).ends_well(60)
    (folder,) = tmp_path.glob("wandb/offline-run-*-kept")
    command = [sys.executable, "-m", "wandb", "sync", str(folder)]
    subprocess.run(command, env=environment(server.url), cwd=tmp_path, check=True, timeout=60, capture_output=True)
    (run,) = server.runs.values()
    assert (run.name, run.sweep) == ("kept", "s")
    assert steps(server, "kept") == [row["step"] for row in ROWS]
