"""Synchronised BatchNorm on the card: two processes with half of a batch each are one process with all of it."""

from __future__ import annotations

import socket

import pytest
import torch

from wisesr import create_model
from wisesr.training.batch_parts import SynchronisedBatchNorm

pytestmark = pytest.mark.gpu


def _compare(rank: int, port: int, backbone: str) -> None:
    """In each of two processes that share the card: half of the batch, against the whole batch through the plain model."""
    import torch.distributed as dist

    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    torch.manual_seed(0)
    plain = create_model(backbone, "gap", 3, 64).double().cuda()
    torch.manual_seed(0)
    divided = SynchronisedBatchNorm().apply(create_model(backbone, "gap", 3, 64).double().cuda())
    images = torch.randn(8, 3, 64, 64, generator=torch.Generator().manual_seed(1), dtype=torch.float64).cuda()
    whole = plain(images)
    part = divided(images[4 * rank : 4 * rank + 4])
    torch.testing.assert_close(part, whole[4 * rank : 4 * rank + 4], rtol=1e-6, atol=1e-8)
    whole.square().sum().backward()
    part.square().sum().backward()
    for (name, one), (_, own) in zip(plain.named_parameters(), divided.named_parameters(), strict=True):
        assert one.grad is not None and own.grad is not None
        total = own.grad.cpu()
        dist.all_reduce(total)
        torch.testing.assert_close(total, one.grad.cpu(), rtol=1e-5, atol=1e-6, msg=name)
    for (name, one), (_, own) in zip(plain.named_buffers(), divided.named_buffers(), strict=True):
        torch.testing.assert_close(own, one, rtol=1e-6, atol=1e-8, msg=name)
    dist.destroy_process_group()


@pytest.mark.parametrize("backbone", ["test_resnet", "test_efficientnet"])
def test_two_halves_are_the_whole(backbone: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    torch.multiprocessing.spawn(_compare, (port, backbone), nprocs=2)
