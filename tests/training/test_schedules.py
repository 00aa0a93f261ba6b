"""Schedules against their formulas, written out."""

from __future__ import annotations

import math

import pytest

from wisesr.training.schedules import cosine, staircase
from wisesr.types import Steps


def test_staircase_is_the_notebooks() -> None:
    """Intel: 14,034 images in batches of 70: 201 steps an epoch, decay every 2 * 200 steps."""
    steps = Steps(14_034, 70, 220)
    assert (steps.per_epoch, steps.total) == (201, 44_220)
    factor = staircase(steps, factor=0.94, epochs=2)
    assert [factor(step) for step in (0, 399, 400, 799, 800)] == [1, 1, 0.94, 0.94, 0.94**2]
    assert factor(44_219) == pytest.approx(0.94 ** math.floor(44_219 / 400))


def test_staircase_with_a_batch_larger_than_the_data() -> None:
    assert staircase(Steps(10, 70, 3), factor=0.5, epochs=1)(1) == 0.5


def test_cosine_rises_then_falls_to_zero() -> None:
    factor = cosine(Steps(100, 10, 10), warmup=0.2)
    rates = [factor(step) for step in range(100)]
    assert all(a < b for a, b in zip(rates[:20], rates[1:21], strict=True))
    assert all(a > b for a, b in zip(rates[20:], rates[21:], strict=False))
    assert rates[20] == 1
    assert rates[60] == pytest.approx(0.5)
    assert 0 < rates[99] < 0.001


def test_warmup_out_of_range() -> None:
    with pytest.raises(ValueError, match="warmup must be at least 0 and below 1, not 1"):
        cosine(Steps(100, 10, 10), warmup=1)
