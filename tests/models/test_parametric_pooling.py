"""GeM and log-sum-exp at the ends of what their number may be, learned or fixed."""

from __future__ import annotations

import pytest
import torch

from tests.support.small import aggregated
from wisesr import constrain, create_head


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
@pytest.mark.parametrize("setting", [("gem", "p"), ("lse", "r")])
@pytest.mark.parametrize("value", [0.01, 1.0, 3.0, 50.0, 1e4])
def test_extremes_stay_finite(setting: tuple[str, str], value: float, dtype: torch.dtype) -> None:
    """A head that is wholly in half precision, on maps of zeros, of large numbers, and of both signs at once."""
    torch.manual_seed(0)
    name, key = setting
    head = create_head(name, (5, 3, 4), 2, **{key: value}).to(dtype)
    x = torch.rand(2, 5, 3, 4).mul(2).sub(1).to(dtype)
    x[:, 0], x[:, 1], x[:, 2, 0], x[:, 3] = 0, 1e4, 1e4, 1e4 * x[:, 3]
    x.requires_grad_()
    features = aggregated(head, x)
    assert features.dtype == dtype
    assert head(x).isfinite().all()
    features.float().mean().backward()
    for tensor in (x, *head.aggregation.parameters()):
        assert tensor.grad is not None and tensor.grad.isfinite().all()
    expected = aggregated(head.double(), x.double())
    torch.testing.assert_close(features.double(), expected, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("name", ["gem", "lse"])
def test_a_learned_sharpness_stays_above_zero(name: str) -> None:
    head = create_head(name, (3, 4, 4), 2)
    value = head.get_parameter("aggregation.number")
    optimizer = torch.optim.SGD(head.parameters(), lr=100.0)
    constrain(optimizer, head)
    (value * value).backward()
    optimizer.step()
    assert value.item() == pytest.approx(0.01)
    assert head(torch.rand(2, 3, 4, 4)).isfinite().all()


@pytest.mark.parametrize("setting", [("gem", "p"), ("lse", "r")])
def test_a_fixed_sharpness_is_no_parameter_and_is_saved(setting: tuple[str, str]) -> None:
    name, key = setting
    head = create_head(name, (3, 4, 4), 2, **{key: 5, "learnable": False})
    assert [kind for kind, _ in head.named_parameters()] == ["classifier.weight", "classifier.bias"]
    assert head.state_dict()["aggregation.number"].item() == 5
