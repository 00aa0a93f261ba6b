"""Averaging in windows, those at the edge cut or dropped: against loops, and as the start of a kernel."""

from __future__ import annotations

from typing import Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from tests.support.small import Shape, maps, randomised, small_settings
from wisesr import create_head
from wisesr.models.heads import initialisation
from wisesr.models.heads.base import Head
from wisesr.models.heads.depthwise import DepthwiseKernelHead
from wisesr.models.heads.description import describe_head
from wisesr.models.heads.pre_average import pre_average
from wisesr.types import FeatureShape

Mode = Literal["valid", "ceil"]
shapes = st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9))
pools = st.integers(1, 4)
modes = st.sampled_from(["valid", "ceil"])
few = settings(max_examples=25)


def windows(extent: int, pool: int, mode: Mode) -> list[range]:
    """Rows (or columns) of each window, counted one by one."""
    found: list[list[int]] = []
    for at in range(extent):
        if at % pool == 0:
            found.append([])
        found[-1].append(at)
    return [range(one[0], one[-1] + 1) for one in found if mode == "ceil" or len(one) == pool]


def averaged(x: Tensor, pool: int, mode: Mode) -> Tensor:
    rows, columns = (windows(extent, pool, mode) for extent in x.shape[2:])
    result = x.new_zeros(*x.shape[:2], len(rows), len(columns))
    for u, row in enumerate(rows):
        for v, column in enumerate(columns):
            held = [x[:, :, i, j] for i in row for j in column]
            result[:, :, u, v] = sum(held) / len(held)  # type: ignore[operator]
    return result


@given(shape=shapes, pool=pools, mode=modes)
@few
def test_averaging_is_a_loop_over_windows(shape: Shape, pool: int, mode: Mode) -> None:
    pool = min(pool, *shape[1:])
    averaging, x = pre_average(FeatureShape(*shape), pool, mode), maps(shape, 2)
    expected = averaged(x, pool, mode)
    assert expected.shape[1:] == averaging.left
    torch.testing.assert_close(averaging.module()(x), expected)
    seen = x.new_zeros(shape[1:])
    for row in windows(shape[1], pool, mode):
        for column in windows(shape[2], pool, mode):
            seen[row.start : row.stop, column.start : column.stop] += 1
    assert averaging.dropped == pytest.approx(1 - seen.mean().item())
    assert seen.max() == 1
    assert mode == "valid" or averaging.dropped == 0


@given(shape=shapes, pool=pools, mode=modes)
@few
def test_a_spread_kernel_computes_the_same_and_gathers_back(shape: Shape, pool: int, mode: Mode) -> None:
    pool = min(pool, *shape[1:])
    averaging, x = pre_average(FeatureShape(*shape), pool, mode), maps(shape, 2)
    kernel = torch.randn(*averaging.left, dtype=torch.float64)
    torch.testing.assert_close((averaging.spread(kernel) * x).sum((2, 3)), (kernel * averaged(x, pool, mode)).sum((2, 3)))
    torch.testing.assert_close(averaging.gathered(averaging.spread(kernel)), kernel)


def test_an_edge_that_is_cut_counts_by_what_it_holds() -> None:
    """3x3 in windows of 2: 4 positions, 2, 2 and the corner."""
    x = torch.arange(9.0).reshape(1, 1, 3, 3)
    averaging = pre_average(FeatureShape(1, 3, 3), 2, "ceil")
    assert averaging.module()(x).tolist() == [[[[2.0, 3.5], [6.5, 8.0]]]]
    assert averaging.shares == [[4 / 9, 2 / 9], [2 / 9, 1 / 9]]
    assert pre_average(FeatureShape(1, 3, 3), 2, "valid").shares == [[1.0]]


@pytest.mark.parametrize("name", ["wise", "wise_shuffled", "wise_shuffled_images", "flatten", "fc"])
def test_ceil_where_nothing_is_cut_is_valid(name: str) -> None:
    """One computation has one description; where the edge is cut they are two."""

    def described(extent: tuple[int, int], pool: int, mode: Mode) -> str | None:
        with torch.device("meta"):
            settings = {"pre_pool": pool, "pre_pool_mode": mode, **small_settings(name, 4)}
            return describe_head(create_head(name, (4, *extent), 3, **settings))

    for extent, pool in (((8, 8), 2), ((6, 9), 3), ((7, 5), 1)):
        assert described(extent, pool, "ceil") == described(extent, pool, "valid") is not None
    for extent in ((7, 8), (8, 7), (7, 7)):
        assert described(extent, 2, "ceil") != described(extent, 2, "valid")


def like(head: Head, other: Head) -> Head:
    """The head with the other's classifier, in double precision."""
    head.classifier.load_state_dict(other.classifier.state_dict())
    return head.double().eval()


@pytest.mark.parametrize("non_negative", ["none", "projection", "softplus"])
@pytest.mark.parametrize(("name", "shape"), [("wise", (5, 7, 6)), ("wise", (5, 11, 13)), ("depthwise", (5, 4, 3))])
def test_an_average_without_its_noise_is_gap_of_what_is_kept(
    monkeypatch: pytest.MonkeyPatch, name: str, shape: Shape, non_negative: str
) -> None:
    monkeypatch.setattr(initialisation, "AVERAGE_SPREAD", 0.0)
    gap, x = create_head("gap", shape, 4), maps(shape)
    for mode in ("valid", "ceil") if name == "wise" else ("valid",):
        given = {"pre_pool_mode": mode} if name == "wise" else {}
        head = like(create_head(name, shape, 4, init="average", non_negative=non_negative, **given), gap)
        kept = "gap_valid" if name == "wise" and mode == "valid" else "gap"
        torch.testing.assert_close(head(x), like(create_head(kept, shape, 4), gap)(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", ["valid", "ceil"])
def test_an_average_varies_by_a_tenth(mode: Mode) -> None:
    """Each weight by a tenth of itself, those of cut windows too; under softplus theta by 0.1."""
    torch.manual_seed(0)
    shape = (4096, 5, 5)
    shares = torch.tensor(pre_average(FeatureShape(*shape), 2, mode).shares)
    kernel = create_head("wise_average", shape, 2, pre_pool_mode=mode).get_parameter("aggregation.kernel").detach()
    torch.testing.assert_close(kernel.mean(0) / shares, torch.ones_like(shares), atol=5 * 0.1 / 64, rtol=0)
    torch.testing.assert_close(kernel.std(0) / shares, torch.full_like(shares, 0.1), rtol=0.06, atol=0)
    for init, noise in (("average", 0.1), ("normal", 0.01)):
        head = create_head("wise", shape, 2, pre_pool_mode=mode, non_negative="softplus", init=init)
        theta = head.get_parameter("aggregation.kernel").detach()
        torch.testing.assert_close(theta.std(0), torch.full_like(shares, noise), rtol=0.06, atol=0)
        torch.testing.assert_close(F.softplus(theta).mean(0), shares, rtol=0.02, atol=0)


@pytest.mark.parametrize("non_negative", ["projection", "softplus"])
@pytest.mark.parametrize(("old", "new"), [((7, 7), (9, 8)), ((8, 8), (5, 7)), ((7, 9), (8, 10)), ((8, 6), (4, 10))])
def test_windows_that_are_cut_on_another_extent(old: tuple[int, int], new: tuple[int, int], non_negative: str) -> None:
    """On a map that is even within its windows, the head computes what it did on the map resized to the trained extent."""
    settings = {"pre_pool": 2, "pre_pool_mode": "ceil", "non_negative": non_negative}
    trained, larger = (create_head("wise", (3, *extent), 4, **settings).double().eval() for extent in (old, new))
    torch.nn.init.uniform_(trained.get_parameter("aggregation.kernel"))
    larger.load_state_dict(larger.resized_state(trained.state_dict(), FeatureShape(3, *old)))
    assert isinstance(trained, DepthwiseKernelHead) and isinstance(larger, DepthwiseKernelHead)
    kernels = [head.aggregation.effective_kernel() for head in (trained, larger)]
    torch.testing.assert_close(kernels[0].sum((1, 2)), kernels[1].sum((1, 2)))
    assert kernels[1].min() > 0
    if any(extent % 2 for extent in (*old, *new)):
        cells = maps((3, (new[0] + 1) // 2, (new[1] + 1) // 2))
        even = cells.repeat_interleave(2, 2).repeat_interleave(2, 3)[:, :, : new[0], : new[1]]
        torch.testing.assert_close(larger(even), trained(F.interpolate(even, size=old, mode="bilinear", antialias=True)))


def test_evidence_of_a_cut_window_is_there() -> None:
    """Nothing is dropped: the last row and column bring something to the logits too."""
    head, x = randomised(create_head("wise", (4, 7, 7), 3, pre_pool_mode="ceil")), maps((4, 7, 7))
    assert head.evidence(x)[:, :, 6].abs().min() > 0
    assert head.evidence(x)[:, :, :, 6].abs().min() > 0
