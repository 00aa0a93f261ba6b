"""The W&B logger in a process of its own, as attempts at a cell use it.

wandb keeps its mode for a whole process, and kill -9 must hit a real one.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.fake_wandb import environment
from tests.support.paths import ROOT

ROWS = [{"epoch": float(n), "step": 4.0 * n, "lr": 0.1, "train/loss": 1 / n, "val/top1": 0.2 * n} for n in (1, 2, 3, 4)]
INIT, FINISH = 5.0, 4.0

ATTEMPT = f"""
import json, sys
from pathlib import Path
import numpy as np
from PIL import Image
from wisesr.results.kernels import KernelSummary
from wisesr.results.predictions import Predictions
from wisesr.training.loggers import wandb
from wisesr.training.loggers.base import Findings, HardImage, Run
wandb._FINISH_TIMEOUT = {FINISH}
past, rows, end = json.loads(sys.argv[2])
run = Run(Path(sys.argv[1]), "toy-wise-seed-0", "study", ("toy", "wise"), {{"head": {{"dropout": 0.5}}}})
logger = wandb.WandbLogger(run, project="p", entity=None, init_timeout={INIT})
def kernel(row):
    plane = np.full((2, 2), row["epoch"], np.float32)
    logger.kernel(int(row["epoch"]), KernelSummary(plane, plane, row["epoch"] / 8, 0.5))
for row in past:
    kernel(row)
logger.start(past)
for row in rows:
    kernel(row)
    logger.epoch(row, [])
print("logged", flush=True)
if end == "wait":
    sys.stdin.read()
if end == "fail":
    logger.fail()
else:
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4]], np.float32)
    tested = Predictions(np.array(["a.png", "b.png"]), np.array([0, 1]), probabilities, ("x", "y"))
    hard = HardImage("b.png", Image.new("RGB", (8, 8)), "y", "x", 0.4, 0.9)
    logger.finish({{"best/test/top1": 0.9}}, Findings(Image.new("RGB", (8, 8)), tested, (hard,)))
print("closed", flush=True)
if end == "linger":
    sys.stdin.read()
"""


class Attempt:
    """A process with the logger in it.

    Args:
        directory: of the cell.
        url: of the server.
        past: rows of earlier attempts' epochs.
        rows: of its own.
        end: finish, fail, wait (for a kill, or for its standard input to close, then finish) or linger (finish, then wait).
        interval: seconds between what wandb-core sends (it rounds them to whole ones).
        more: environment variables.
    """

    def __init__(
        self,
        directory: Path,
        url: str,
        past: list[Any],
        rows: list[Any],
        end: str = "finish",
        interval: str = "1",
        **more: str,
    ) -> None:
        command = [sys.executable, "-c", ATTEMPT, str(directory), json.dumps([past, rows, end])]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        variables = environment(url, WANDB__FILE_STREAM_TRANSMIT_INTERVAL=interval, **more)
        self.process = subprocess.Popen(command, cwd=ROOT, env=variables, text=True, **pipes)  # type: ignore[call-overload]

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
