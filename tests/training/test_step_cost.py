"""What makes a step cheaper gives the same numbers as what it replaces, to the bit."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from torchmetrics import SumMetric

from wisesr.training.hidden_gpus import hidden_gpus
from wisesr.training.metrics import MeanLoss
from wisesr.training.randomness import seed_generators

CPU = torch.device("cpu")


def mean_by_torchmetrics(batches: Sequence[Tensor]) -> float:
    """As it was: every batch added to torchmetrics' own sums."""
    total, images = SumMetric(nan_strategy="disable"), SumMetric(nan_strategy="disable")
    for losses in batches:
        total.update(losses.detach().float())
        images.update(float(len(losses)))
    return float(total.compute() / images.compute())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_mean_loss_is_what_torchmetrics_made_of_every_batch(dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    mean = MeanLoss()
    for epoch in range(3):
        sizes = torch.randint(1, 40, (50,), generator=generator).tolist()
        batches = [torch.rand(size, generator=generator).mul(10.0**epoch).to(dtype) for size in sizes]
        mean.reset()
        for losses in batches[:30]:
            mean.update(losses)
        assert mean.result() == mean_by_torchmetrics(batches[:30])  # a look in between disturbs nothing
        for losses in batches[30:]:
            mean.update(losses.requires_grad_())
        assert mean.result() == mean_by_torchmetrics(batches)


def test_a_loss_that_is_no_number_stays_one() -> None:
    mean = MeanLoss()
    for losses in (torch.ones(3), torch.tensor([1.0, float("nan")]), torch.ones(3)):
        mean.update(losses)
    assert mean.result() != mean.result()
    mean.reset()
    mean.update(torch.full((2,), 4.0))
    assert mean.result() == 4.0


def test_generators_are_seeded_as_by_manual_seed() -> None:
    for seed in (0, 7, 2**63 - 1):
        torch.manual_seed(seed)
        expected = torch.get_rng_state()
        torch.rand(5)
        seed_generators(seed, CPU)
        assert torch.equal(torch.get_rng_state(), expected)
    seed_generators(3, torch.device("meta"))  # of any other kind, torch's own way
    expected = torch.get_rng_state()
    torch.manual_seed(3)
    assert torch.equal(torch.get_rng_state(), expected)


@pytest.mark.parametrize("before", [None, "1"])
def test_gpus_are_hidden_while_a_cpu_trains(monkeypatch: pytest.MonkeyPatch, before: str | None) -> None:
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if before is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", before)
    with pytest.raises(KeyError), hidden_gpus(CPU):
        assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
        raise KeyError
    assert os.environ.get("CUDA_VISIBLE_DEVICES") == before
    with hidden_gpus(torch.device("cuda", 0)):
        assert os.environ.get("CUDA_VISIBLE_DEVICES") == before
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    with hidden_gpus(CPU):
        assert os.environ.get("CUDA_VISIBLE_DEVICES") == before
