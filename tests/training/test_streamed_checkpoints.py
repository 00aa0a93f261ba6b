"""Checkpoints that are written while they are made: the bytes of Lightning's own, and a full disk that says so."""

from __future__ import annotations

import errno
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.plugins.io import TorchCheckpointIO

from wisesr.cell.run import _disk_full
from wisesr.training.fit import _forget_optimizer
from wisesr.training.streamed_checkpoints import StreamedCheckpoints


def trained() -> tuple[torch.nn.Linear, torch.optim.Optimizer]:
    model = torch.nn.Linear(300, 200)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.randn(2, 300)).sum().backward()
    optimizer.step()
    return model, optimizer


def test_the_bytes_are_those_that_lightning_writes(tmp_path: Path) -> None:
    model, optimizer = trained()
    checkpoint: dict[str, Any] = {"state_dict": model.state_dict(), "optimizer_states": [optimizer.state_dict()], "epoch": 3}
    StreamedCheckpoints().save_checkpoint(checkpoint, tmp_path / "one.ckpt")
    TorchCheckpointIO().save_checkpoint(checkpoint, tmp_path / "two.ckpt")
    assert (tmp_path / "one.ckpt").read_bytes() == (tmp_path / "two.ckpt").read_bytes()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux's device that is always full")
@pytest.mark.parametrize("numbers", [10, 1_000_000])
def test_a_full_disk_is_told_as_one(numbers: int) -> None:
    """Whatever torch makes of it while it closes its archive."""
    with pytest.raises((OSError, RuntimeError)) as caught:
        StreamedCheckpoints().save_checkpoint({"weights": torch.zeros(numbers)}, "/dev/full")
    assert (_disk_full(caught.value) or "").startswith(f"the disk is full: [Errno {errno.ENOSPC}]")


def test_what_only_training_needs_is_freed() -> None:
    model, optimizer = trained()
    before = [parameter.clone() for parameter in model.parameters()]
    _forget_optimizer(cast(Trainer, SimpleNamespace(optimizers=[optimizer])))
    assert not optimizer.state and all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(one, other) for one, other in zip(before, model.parameters(), strict=True))
