"""The projection beside a scaler that skips steps, on the card: what moves is projected, what is skipped stays."""

from __future__ import annotations

import pytest
import torch

from wisesr import constrain, create_head

pytestmark = pytest.mark.gpu


def test_a_step_that_the_scaler_skips_leaves_the_kernel_alone() -> None:
    torch.manual_seed(0)
    head = create_head("wise", (8, 7, 7), 5).cuda()
    kernel = head.get_parameter("aggregation.kernel")
    optimizer = torch.optim.SGD(head.parameters(), lr=1.0)
    constrain(optimizer, head)
    scaler = torch.amp.GradScaler("cuda", init_scale=2.0)
    assert (kernel < 0).any(), "it starts on both sides of 0, and is projected after its first step"
    for overflows in (True, False, False, True):
        before = kernel.detach().clone()
        optimizer.zero_grad()
        with torch.autocast("cuda", torch.float16):
            loss = head(torch.randn(4, 8, 7, 7, device="cuda")).float().square().mean()
        scaler.scale(loss * (float("inf") if overflows else 1.0)).backward()
        scaler.step(optimizer)
        scaler.update()
        assert torch.equal(kernel, before) == overflows
        assert overflows or (kernel >= 0).all()
