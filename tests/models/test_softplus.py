"""The depthwise kernel that softplus keeps positive: where it starts, that it stays there, that all use the same one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from tests.support.small import Shape, maps, randomised
from wisesr import constrain, create_head
from wisesr.models.heads.depthwise import DepthwiseAggregation, DepthwiseKernelHead
from wisesr.training.kernels import kernel_sheet


def softplus_head(name: str, shape: Shape) -> DepthwiseKernelHead:
    head = create_head(name, shape, 3, non_negative="softplus")
    assert isinstance(head, DepthwiseKernelHead)
    return head


@pytest.mark.parametrize("name", ["depthwise", "wise"])
@pytest.mark.parametrize("shape", [(64, 7, 7), (64, 3, 4), (64, 1, 1)])
def test_softplus_starts_as_the_average(name: str, shape: Shape) -> None:
    torch.manual_seed(0)
    head = softplus_head(name, shape)
    kernel, theta = head.aggregation.effective_kernel().detach(), head.aggregation.kernel.detach()
    cells = kernel[0].numel()
    assert (kernel > 0).all()
    torch.testing.assert_close(kernel, torch.full_like(kernel, 1 / cells), rtol=0.05, atol=0)
    assert theta.std().item() == pytest.approx(0.01, rel=4 / (2 * theta.numel()) ** 0.5)


@pytest.mark.parametrize("name", ["depthwise", "wise"])
def test_softplus_stays_positive_and_constrain_leaves_it_alone(name: str) -> None:
    torch.manual_seed(0)
    heads = [softplus_head(name, (4, 7, 7)) for _ in range(2)]
    heads[1].load_state_dict(heads[0].state_dict())
    x = torch.randn(16, 4, 7, 7)
    for head, held in zip(heads, (True, False), strict=True):
        optimizer = torch.optim.SGD(head.parameters(), lr=1.0)
        if held:
            constrain(optimizer, head)
        for _ in range(5):
            optimizer.zero_grad()
            (head(x).square().mean() + head.aggregation.kernel.sum()).backward()
            optimizer.step()
    theta = heads[0].aggregation.kernel
    assert (theta < 0).all() and (heads[0].aggregation.effective_kernel() > 0).all()
    assert torch.equal(theta, heads[1].aggregation.kernel)


@pytest.mark.parametrize("name", ["depthwise", "wise"])
def test_softplus_computes_with_its_kernel(name: str) -> None:
    """Logits, evidence and picture are those of the plain head that has log(1 + exp(theta)) as its kernel."""
    head = softplus_head(name, (4, 7, 5))
    randomised(head)
    plain = create_head(name, (4, 7, 5), 3, non_negative="none").double()
    theta = head.get_parameter("aggregation.kernel").detach()
    plain.load_state_dict(head.state_dict() | {"aggregation.kernel": torch.log(1 + torch.exp(theta))})
    x = maps((4, 7, 5))
    torch.testing.assert_close(head(x), plain(x))
    torch.testing.assert_close(head.evidence(x), plain.evidence(x))
    torch.testing.assert_close(head.evidence(x).sum(dim=(2, 3)) + head.offset(), head(x))
    pictures = [np.asarray(kernel_sheet(module)) for module in (head, plain)]
    np.testing.assert_array_equal(*pictures)


@pytest.mark.parametrize("words", ["none", "projection"])
def test_other_kernels_are_the_parameter(words: Any) -> None:
    aggregation = DepthwiseAggregation(create_head("gap", (4, 3, 3), 2).feature_shape, words)
    assert aggregation.effective_kernel() is aggregation.kernel
