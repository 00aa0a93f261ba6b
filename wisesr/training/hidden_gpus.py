"""Training on the CPU without asking at each step whether there is a GPU."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_VISIBLE = "CUDA_VISIBLE_DEVICES"


@contextmanager
def hidden_gpus(device: torch.device) -> Iterator[None]:
    """Hide GPUs from this process while it trains on a CPU; nothing on another device, or where CUDA is in use already.

    torch's Adam asks before each step whether there is one (`Optimizer._accelerator_graph_capture_health_check`), and since
    Lightning sets PYTORCH_NVML_BASED_CUDA_CHECK the answer opens the driver's library each time, there or not: 0.5 ms of a step
    of 30. With no visible GPU the question ends before that.
    """
    if device.type != "cpu" or torch.cuda.is_initialized():
        yield
        return
    before = os.environ.get(_VISIBLE)
    os.environ[_VISIBLE] = ""
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_VISIBLE, None)
        else:
            os.environ[_VISIBLE] = before
