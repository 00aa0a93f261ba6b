"""How a run was tested: threads, algorithms, batches. Whoever repeats all of it gets the record's bits."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from wisesr.inference.run import Run


@contextmanager
def as_tested(run: Run) -> Iterator[None]:
    """The process as it was when the run was tested, while the block runs: CPU threads, and algorithms that repeat."""
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark
    fill = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    deterministic = bool(run.config["trainer"]["deterministic"])
    if deterministic:  # as `wisesr.training.trainer.make_trainer`
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.set_num_threads(max(1, run.record.provenance.threads))
    torch.use_deterministic_algorithms(deterministic)
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])
        torch.backends.cudnn.benchmark = before[2]
        torch.utils.deterministic.fill_uninitialized_memory = fill  # type: ignore[attr-defined]


def batch_size(run: Run) -> int:
    """Images that one device was given at once in testing."""
    return max(1, int(run.config["recipe"]["batch_size"]) // (devices(run) * int(run.config["trainer"]["accumulate"])))


def devices(run: Run) -> int:
    """That the run was trained on, by its record, else as far as its configuration tells: `auto` counts as one."""
    if run.record.provenance.devices is not None:
        return run.record.provenance.devices
    own, nodes = run.config["trainer"]["devices"], run.config["trainer"]["num_nodes"]
    return int(nodes) * (own if isinstance(own, int) else 1)
