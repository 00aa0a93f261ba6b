"""W&B online, against a fake server on localhost (`fake_wandb.py`): one run a cell, whatever was killed when.

Each attempt is a process of its own: wandb keeps its mode for a whole process, and kill -9 must hit a real one. Only a
fake server can be stalled, killed and looked into here; what wandb.ai itself makes of the same requests is not tested.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.training.fake_wandb import FakeRun, FakeServer

pytestmark = pytest.mark.slow

ROWS = [{"epoch": float(n), "step": 4.0 * n, "lr": 0.1, "train/loss": 1 / n, "val/top1": 0.2 * n} for n in (1, 2, 3, 4)]
INIT, FINISH = 5.0, 4.0

ATTEMPT = f"""
import json, sys
from pathlib import Path
from PIL import Image
from wisesr.training.loggers import wandb
from wisesr.training.loggers.base import Run
wandb._FINISH_TIMEOUT = {FINISH}
past, rows, end = json.loads(sys.argv[2])
run = Run(Path(sys.argv[1]), "toy-wise-seed-0", "study", ("toy", "wise"), {{"head": {{"dropout": 0.5}}}})
logger = wandb.WandbLogger(run, project="p", entity=None, init_timeout={INIT})
logger.start(past)
for row in rows:
    logger.epoch(row, [])
print("logged", flush=True)
if end == "wait":
    sys.stdin.read()
elif end == "fail":
    logger.fail()
else:
    logger.finish({{"best/test/top1": 0.9}}, Image.new("RGB", (8, 8)))
print("closed", flush=True)
if end == "linger":
    sys.stdin.read()
"""


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as fake:
        yield fake


class Attempt:
    """A process with the logger in it.

    Args:
        directory: of the cell.
        url: of the server.
        past: rows of earlier attempts' epochs.
        rows: of its own.
        end: finish, fail, wait (for a kill, or for its standard input to close, then finish) or linger (finish, then wait).
        interval: seconds between what wandb-core sends (it rounds them to whole ones).
    """

    def __init__(
        self, directory: Path, url: str, past: list[Any], rows: list[Any], end: str = "finish", interval: str = "1"
    ) -> None:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("WANDB_")}
        environment |= {"WANDB_API_KEY": "0" * 40, "WANDB_BASE_URL": url, "NO_PROXY": "127.0.0.1", "OMP_NUM_THREADS": "1"}
        environment |= {"WANDB_ERROR_REPORTING": "false", "WANDB__DISABLE_STATS": "true"}
        environment["WANDB__FILE_STREAM_TRANSMIT_INTERVAL"] = interval
        command = [sys.executable, "-c", ATTEMPT, str(directory), json.dumps([past, rows, end])]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes)  # type: ignore[call-overload]

    def says(self, word: str) -> None:
        """Wait for a line."""
        while line := self.process.stdout.readline():
            if line.strip() == word:
                return
        raise AssertionError(f"it ended ({self.process.wait()}) before it said {word}")

    def kill(self) -> None:
        """SIGKILL; wandb-core notices within a second or two, and ends without sending the rest."""
        self.process.kill()
        self.process.communicate()

    def ends_well(self, seconds: float) -> None:
        """Exit code 0 within some time from now."""
        try:
            self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        assert self.process.returncode == 0


def whole(server: FakeServer) -> FakeRun:
    """The only run, which holds every epoch once, in order, with its values."""
    (run,) = server.runs.values()
    assert not server.gaps
    rows = [row for row in run.history if "epoch" in row]
    assert [row["_step"] for row in rows] == [row["step"] for row in ROWS]
    for row, true in zip(rows, ROWS, strict=True):
        assert {key: row[key] for key in true if key != "step"} == pytest.approx({k: v for k, v in true.items() if k != "step"})
    steps = [row["_step"] for row in run.history]
    assert steps == sorted(set(steps))
    assert run.state == "finished"
    assert run.summary["best/test/top1"] == 0.9
    assert (run.display, run.group, run.tags) == ("toy-wise-seed-0", "study", ["toy", "wise"])
    assert any(name.endswith(".png") for name in run.uploads)
    return run


def test_undisturbed(server: FakeServer, tmp_path: Path) -> None:
    Attempt(tmp_path, server.url, [], ROWS).ends_well(60)
    assert whole(server).starts == 1


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
