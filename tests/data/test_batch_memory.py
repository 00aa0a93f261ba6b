"""Memory of batches: like torch's own, for all who use it."""

from __future__ import annotations

import pytest
import torch

from wisesr.data.batch_memory import empty_batch


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64, torch.int64, torch.bfloat16, torch.bool])
@pytest.mark.parametrize("shape", [(1,), (0, 3, 2), (5, 3, 7, 9), (33, 3, 65, 67)])
def test_it_is_as_torch_s_own(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    made, torchs = empty_batch(shape, dtype), torch.empty(shape, dtype=dtype)
    assert (made.shape, made.dtype, made.stride()) == (torchs.shape, torchs.dtype, torchs.stride())
    assert not made.numel() or made.data_ptr() % 64 == 0
    values = torch.randint(0, 2, shape).to(dtype)
    assert torch.equal(made.copy_(values), values)


def test_each_batch_has_its_own() -> None:
    batches = [empty_batch((4, 3, 300, 300), torch.float32).fill_(number) for number in range(6)]
    assert all(bool((batch == number).all()) for number, batch in enumerate(batches))
