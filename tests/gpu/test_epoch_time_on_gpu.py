"""The GPU's own clock: it waits while the host does something else, and computes while the host is done already."""

from __future__ import annotations

import time

import pytest
import torch

from wisesr.training.epoch_time import COMPUTING, MOVING, WAITING, stopwatch

pytestmark = pytest.mark.gpu


def test_waiting_and_computing_are_told_apart() -> None:
    device = torch.device("cuda")
    matrix = torch.randn(4096, 4096, device=device)
    matrix @ matrix  # the first makes cuBLAS ready
    torch.cuda.synchronize()
    watch, began = stopwatch(device), time.perf_counter()
    watch.start()
    for _ in range(3):
        torch.cuda.synchronize()
        time.sleep(0.2)
        watch.end_of(WAITING)
        torch.randn(1000).to(device)
        watch.end_of(MOVING)
        for _ in range(50):
            matrix @ matrix
        watch.end_of(COMPUTING)
    seconds = watch.take()
    took = time.perf_counter() - began
    assert 0.6 <= seconds[WAITING] < 0.7
    assert sum(seconds.values()) == pytest.approx(took, rel=0.05)
