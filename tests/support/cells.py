"""Cells on disk: written, started in a process of their own, compared to the bit."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.support.paths import ROOT
from wisesr.config.files import to_yaml
from wisesr.results.metrics import read_metrics
from wisesr.results.record_file import read_record


def make(config: dict[str, Any], directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "config.yaml").write_text(to_yaml(config))
    return directory


def weights(directory: Path, name: str = "last.ckpt") -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = torch.load(directory / name, weights_only=True)["state_dict"]
    return state


def assert_same(one: Path, other: Path) -> None:
    """Weights, metrics and predictions equal to the bit."""
    for name in ("last.ckpt", "best.ckpt"):
        for (key, a), (_, b) in zip(weights(one, name).items(), weights(other, name).items(), strict=True):
            assert torch.equal(a, b), key
    assert (one / "metrics.csv").read_bytes() == (other / "metrics.csv").read_bytes()
    records = [read_record(path) for path in (one, other)]
    assert records[0] is not None and records[1] is not None
    assert (records[0].best, records[0].last) == (records[1].best, records[1].last)
    kernels = [(path / "kernels.npz").exists() for path in (one, other)]
    assert kernels[0] == kernels[1]
    for name in ("predictions.npz", *["kernels.npz"] * kernels[0]):
        files = [np.load(path / name) for path in (one, other)]
        assert all(np.array_equal(files[0][key], files[1][key]) for key in files[0].files), name


def spawn(directory: Path, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "wisesr.cell", str(directory)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kill_after_two_epochs(directory: Path, epochs: int) -> None:
    """Start a cell of so many epochs, and kill it in the midst of them."""
    process = spawn(directory)
    while len(read_metrics(directory)) < 2:
        assert process.poll() is None, "ended before it could be killed"
        time.sleep(0.002)
    process.kill()
    process.wait()
    assert 2 <= len(read_metrics(directory)) < epochs
