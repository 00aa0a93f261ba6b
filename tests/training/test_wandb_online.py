"""W&B online, against a fake server on localhost (`fake_wandb.py`): one run a cell, whatever was killed when.

Each attempt is a process of its own: wandb keeps its mode for a whole process, and kill -9 must hit a real one. Only a
fake server can be stalled, killed and looked into here; what wandb.ai itself makes of the same requests is not tested.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_wandb import FakeRun, FakeServer, environment
from tests.support.runs import history
from tests.support.wandb_attempts import FINISH, INIT, ROWS, Attempt
from wisesr.results.installation import write_command
from wisesr.results.run_address import online_address

pytestmark = pytest.mark.slow


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as fake:
        yield fake


def whole(server: FakeServer) -> FakeRun:
    """The only run, which holds every epoch once, in order, with its values."""
    (run,) = server.runs.values()
    assert not server.gaps
    rows = [row for row in run.history if "epoch" in row]
    assert [row["_step"] for row in rows] == [row["step"] for row in ROWS]
    for row, true in zip(rows, ROWS, strict=True):
        assert {key: row[key] for key in true if key != "step"} == pytest.approx({k: v for k, v in true.items() if k != "step"})
    assert [row["kernel/zero"] for row in rows] == [row["epoch"] / 8 for row in ROWS]
    steps = [row["_step"] for row in run.history]
    assert steps == sorted(set(steps))
    assert run.state == "finished"
    assert run.summary["best/test/top1"] == 0.9
    assert (run.display, run.group, run.tags) == ("toy-wise-seed-0", "study", ["toy", "wise"])
    for part in (
        "images/kernels_",
        "images/hardest_",
        "images/confusion_",
        "table/predictions_",
        "table/confusion_chart_table_",
    ):
        assert any(name.startswith(f"media/{part}") for name in run.uploads), part
    return run


def test_undisturbed(server: FakeServer, tmp_path: Path) -> None:
    write_command(tmp_path, ["train.py", "head=wise"])
    Attempt(tmp_path, server.url, [], ROWS).ends_well(60)
    run = whole(server)
    assert (run.starts, run.job, run.notes) == (1, "train", "train.py head=wise")
    assert online_address(tmp_path) == f"{server.url}/me/p/runs/{run.name}"


@pytest.mark.parametrize(("arrived", "past"), [(0, 2), (0, 3), (1, 2), (1, 3)])
def test_killed_between_epochs(server: FakeServer, tmp_path: Path, arrived: int, past: int) -> None:
    """Of two epochs that were logged, some reached the server; a third may have its checkpoint and no row anywhere."""
    first = Attempt(tmp_path, server.url, [], ROWS[:2], "wait", interval="1" if arrived else "600")
    first.says("logged")
    if arrived:
        server.wait(lambda: any(len(run.history) >= arrived for run in server.runs.values()))
    first.kill()
    (run,) = server.runs.values()
    assert len(run.history) == arrived
    Attempt(tmp_path, server.url, ROWS[:past], ROWS[past:]).ends_well(60)
    assert whole(server).starts == 2


def test_killed_while_the_run_is_opened(server: FakeServer, tmp_path: Path) -> None:
    """The server has it, and nobody here was told yet: the next attempt must find the same one."""
    server.holds = lambda operation: operation == "UpsertBucket"
    first = Attempt(tmp_path, server.url, [], [])
    server.wait(lambda: bool(server.runs))
    first.kill()
    server.holds = lambda operation: False
    Attempt(tmp_path, server.url, [], ROWS).ends_well(60)
    assert whole(server).starts == 2


@pytest.mark.parametrize("end", ["fail", "linger"])
def test_after_the_end(server: FakeServer, tmp_path: Path, end: str) -> None:
    """Failed after some epochs, and tried again; or killed when W&B had everything and the record was not written yet."""
    count = 2 if end == "fail" else 4
    first = Attempt(tmp_path, server.url, [], ROWS[:count], end)
    first.says("closed")
    first.kill()
    (run,) = server.runs.values()
    assert run.state == ("failed" if end == "fail" else "finished")
    assert len(run.history) == count
    Attempt(tmp_path, server.url, ROWS[:count], ROWS[count:]).ends_well(60)
    assert whole(server).starts == 2


def test_a_second_kill(server: FakeServer, tmp_path: Path) -> None:
    """Two interrupted attempts before the last."""
    for past in (0, 2):
        attempt = Attempt(tmp_path, server.url, ROWS[:past], ROWS[past : past + 2], "wait")
        attempt.says("logged")
        server.wait(lambda past=past: any(len(run.history) > past for run in server.runs.values()))  # type: ignore[misc]
        attempt.kill()
    Attempt(tmp_path, server.url, ROWS, []).ends_well(60)
    assert whole(server).starts == 3


def kept(directory: Path) -> tuple[Path, list[dict[str, Any]]]:
    """The only offline file of a cell, and its rows."""
    (file,) = directory.glob("wandb/offline-run-*/*.wandb")
    for part in (
        "images/kernels_",
        "images/hardest_",
        "images/confusion_",
        "table/predictions_",
        "table/confusion_chart_table_",
    ):
        assert list(file.parent.glob(f"files/media/{part}*")), part
    return file, [row for row in history(file) if "epoch" in row]


def test_a_server_that_stalls(server: FakeServer, tmp_path: Path) -> None:
    """It accepts and never answers: offline after `init_timeout`."""
    server.holds = lambda operation: True
    Attempt(tmp_path, server.url, ROWS[:1], ROWS[1:]).ends_well(INIT + FINISH + 20)

    assert [row["_step"] for row in kept(tmp_path)[1]] == [row["step"] for row in ROWS]


@pytest.mark.parametrize("how", ["dies", "stalls"])
def test_a_server_lost_in_training(server: FakeServer, tmp_path: Path, how: str) -> None:
    """Between init and finish: training ends well, in bounded time, and the whole run is kept offline under its own id."""
    attempt = Attempt(tmp_path, server.url, [], ROWS, "wait")
    attempt.says("logged")
    server.wait(lambda: any(run.history for run in server.runs.values()))
    if how == "dies":
        server.die()
    server.holds = lambda operation: True
    attempt.ends_well(FINISH + 20)

    file, rows = kept(tmp_path)
    assert [row["_step"] for row in rows] == [row["step"] for row in ROWS]
    assert [row["kernel/zero"] for row in rows] == [row["epoch"] / 8 for row in ROWS]
    assert not any(name in file.name for name in server.runs)
    assert online_address(tmp_path) == "", "what is there is not the cell's run"


def test_a_server_away_at_the_resume(server: FakeServer, tmp_path: Path) -> None:
    """The second attempt is kept offline, whole; the third finds the server again, and the run that the first began."""
    first = Attempt(tmp_path, server.url, [], ROWS[:2], "wait")
    first.says("logged")
    server.wait(lambda: any(run.history for run in server.runs.values()))
    first.kill()
    second = Attempt(tmp_path, "http://127.0.0.1:9", ROWS[:2], ROWS[2:], "linger")
    second.says("closed")
    second.kill()
    assert [row["_step"] for row in kept(tmp_path)[1]] == [row["step"] for row in ROWS]
    Attempt(tmp_path, server.url, ROWS, []).ends_well(60)
    whole(server)
    assert not list(tmp_path.glob("wandb/offline-run-*"))


def test_sync_of_what_was_kept(server: FakeServer, tmp_path: Path) -> None:
    """It comes as a run of its own, whole: `wandb sync` appends to a run that the server knows, doubling its steps."""
    first = Attempt(tmp_path, server.url, [], ROWS[:2], "wait")
    first.says("logged")
    server.wait(lambda: any(run.history for run in server.runs.values()))
    first.kill()
    (partial,) = server.runs
    Attempt(tmp_path, "http://127.0.0.1:9", ROWS[:2], ROWS[2:]).ends_well(60)
    command = [sys.executable, "-m", "wandb", "sync", str(kept(tmp_path)[0].parent)]
    subprocess.run(command, env=environment(server.url), cwd=tmp_path, check=True, timeout=60, capture_output=True)
    assert [row["_step"] for row in server.runs.pop(partial).history] == [4]
    whole(server)
