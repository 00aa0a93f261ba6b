"""Batches: every image once an epoch, whatever the devices and the accumulation; samples pure functions of their key."""

from __future__ import annotations

from pathlib import Path

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wisesr.data.augmentation import Standard
from wisesr.data.datamodule import Images
from wisesr.data.folder import folder
from wisesr.data.sampling import TestBatches, TrainBatches, epoch_order


def batches(count: int, size: int, *, epoch: int, rank: int = 0, world: int = 1, accumulate: int = 1) -> list[list[int]]:
    sampler = TrainBatches(count, size, seed=0, rank=rank, world=world, accumulate=accumulate)
    sampler.set_epoch(epoch)
    found = list(sampler)
    assert len(found) == len(sampler)
    assert all(its_epoch == epoch for batch in found for its_epoch, _ in batch)
    return [[index for _, index in batch] for batch in found]


@given(count=st.integers(1, 100), world=st.integers(1, 3), accumulate=st.integers(1, 3), times=st.integers(1, 4))
@settings(max_examples=60)
def test_a_step_sees_the_same_images_however_divided(count: int, world: int, accumulate: int, times: int) -> None:
    size = world * accumulate * times
    whole = batches(count, size, epoch=2)
    assert sorted(sum(whole, [])) == list(range(count))
    parts = [batches(count, size, epoch=2, rank=rank, world=world, accumulate=accumulate) for rank in range(world)]
    assert len({len(part) for part in parts}) == 1
    for step, batch in enumerate(whole):
        micro = [part[step * accumulate + turn] for part in parts for turn in range(accumulate)]
        assert all(micro)
        assert set(sum(micro, [])) == set(batch)
        if len(batch) >= world * accumulate:
            assert sorted(sum(micro, [])) == sorted(batch)
            assert max(map(len, micro)) - min(map(len, micro)) <= 1


def test_the_order_is_a_function_of_seed_and_epoch() -> None:
    assert epoch_order(50, 0, 3) == epoch_order(50, 0, 3)
    assert len({tuple(epoch_order(50, seed, epoch)) for seed in range(3) for epoch in range(3)}) == 9


@given(count=st.integers(1, 50), size=st.integers(1, 9), world=st.integers(1, 4))
def test_test_images_are_counted_once_on_all_devices_together(count: int, size: int, world: int) -> None:
    seen = [index for rank in range(world) for batch in TestBatches(count, size, rank=rank, world=world) for _, index in batch]
    assert sorted(seen) == list(range(count))


def test_a_sample_depends_on_its_key_only(images: Path) -> None:
    augment = Standard(32, (0.5,) * 3, (0.5,) * 3)
    data = [Images(folder(root=str(images)), "train", augment, training=True, seed=seed) for seed in (0, 1)]
    first = data[0][(1, 5)][0]
    torch.rand(7)
    state = torch.get_rng_state()
    assert torch.equal(first, data[0][(1, 5)][0])
    assert torch.equal(state, torch.get_rng_state()), "the process's own generator is left as it was"
    others = [data[0][(2, 5)][0], data[1][(1, 5)][0]]
    assert not any(torch.equal(first, other) for other in others)
