"""What loggers show of kernels epoch by epoch, against the kernels themselves; a resume tells each epoch once."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.support.runs import ROWS, history, logger
from wisesr.results.kernels import KernelSummary, summarize
from wisesr.results.metrics import Row
from wisesr.training.epoch_checkpoint import EpochCheckpoint
from wisesr.training.loggers.base import Run, RunLogger, StepRow
from wisesr.training.loggers.guarded import Guarded
from wisesr.training.loggers.kernel_rows import kernel_figures, kernel_picture, scale_of
from wisesr.training.loggers.tensorboard import TensorBoardLogger
from wisesr.types import Budget


def kernels(count: int = 3, side: int = 7, channels: int = 32) -> list[NDArray[np.float32]]:
    """Of epochs, non-negative, some weights at zero."""
    random = np.random.default_rng(0)
    return [np.maximum(random.normal(0.01, 0.02, (channels, side, side)), 0).astype(np.float32) for _ in range(count)]


SUMMARIES = [summarize(kernel) for kernel in kernels()]


def test_figures_of_all_weights() -> None:
    for kernel, summary in zip(kernels(), SUMMARIES, strict=True):
        figures = kernel_figures(summary)
        exact = kernel.astype(np.float64)
        assert figures["kernel/mean"] == pytest.approx(exact.mean(), rel=1e-5)
        assert figures["kernel/std"] == pytest.approx(exact.std(), rel=1e-5)
        assert figures["kernel/zero"] == sum(weight == 0 for weight in kernel.ravel()) / kernel.size
        assert figures["kernel/distance"] == summary.distance


@given(st.floats(1e-30, 1e30))
def test_the_scale_is_the_next_round_value(largest: float) -> None:
    plane = np.array([[0.0, -largest]], np.float32)
    scale = scale_of(plane)
    digit, _, power = f"{scale:.0e}".partition("e")
    assert digit in ("1", "2", "5") and float(f"{digit}e{power}") == scale
    below = {"1": 0.5, "2": 0.5, "5": 0.4}[digit] * scale
    assert np.float32(below) < np.abs(plane).max() <= np.float32(scale)


def test_a_picture_shows_sign_and_place_at_a_scale_that_epochs_share() -> None:
    def pixels(strongest: float) -> NDArray[np.uint8]:
        plane = np.zeros((2, 4), np.float32)
        plane[0, 3], plane[1, 0] = strongest, -0.1
        return np.asarray(kernel_picture(KernelSummary(plane, np.zeros_like(plane), 0.0, 0.0)))

    strong, weak = pixels(0.2), pixels(0.15)
    assert strong.shape == (64 + 18, 128, 3)
    assert strong[10, 120].tolist() == [255, 0, 0]
    assert strong[40, 10].tolist() == weak[40, 10].tolist() == [128, 128, 255], "-0.1 of 0.2, in both"
    assert strong[10, 10].tolist() == [255, 255, 255]
    assert np.array_equal(strong[64:], weak[64:]) and (strong[64:] < 128).any(), "the same note"
    assert scale_of(np.zeros((2, 2), np.float32)) == 1.0


@pytest.mark.parametrize("shape", [(1, 1), (16, 16), (7, 12), (200, 150)])
def test_a_picture_is_small(shape: tuple[int, int]) -> None:
    plane = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    picture = kernel_picture(KernelSummary(plane, plane, 0.0, 0.0))
    assert picture.width == 128 and picture.height <= 128 + 18
    picture.save(content := io.BytesIO(), "PNG")
    assert len(content.getvalue()) < (4096 if max(shape) <= 16 else 65536)


def train(writer: RunLogger, past: int, to: int, *, end: bool = False) -> None:
    """An attempt that finds `past` finished epochs, and finishes those up to `to`."""
    for epoch in range(1, past + 1):
        writer.kernel(epoch, SUMMARIES[epoch - 1])
    writer.start(ROWS[:past])
    for epoch in range(past + 1, to + 1):
        writer.kernel(epoch, SUMMARIES[epoch - 1])
        writer.epoch(ROWS[epoch - 1], [])
    writer.fail()


def test_wandb_has_each_epoch_once_after_a_resume(run: Run) -> None:
    train(logger(run), 0, 2)
    train(logger(run), 1, 3)  # the checkpoint of the second epoch was lost
    (file,) = run.directory.glob("wandb/offline-run-*/*.wandb")
    rows = [row for row in history(file) if "epoch" in row]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert [row["kernel/zero"] for row in rows] == [summary.zero for summary in SUMMARIES]
    assert [row["kernel/mean"] for row in rows] == pytest.approx([float(summary.mean.mean()) for summary in SUMMARIES])
    shown = [np.asarray(Image.open(file.parent / "files" / row["kernel/picture/path"])) for row in rows]
    assert all(np.array_equal(a, np.asarray(kernel_picture(b))) for a, b in zip(shown, SUMMARIES, strict=True))
    assert len(list(file.parent.rglob("*.png"))) == 3


def test_tensorboard_has_them_at_their_steps(run: Run) -> None:
    train(TensorBoardLogger(run), 0, 2)
    train(TensorBoardLogger(run), 1, 3)
    seen = EventAccumulator(str(run.directory / "tensorboard")).Reload()
    assert [event.step for event in seen.Images("kernel/picture")] == [4, 8, 12]
    assert [event.value for event in seen.Scalars("kernel/zero")] == pytest.approx([summary.zero for summary in SUMMARIES])


class Told(RunLogger):
    """Remembers the order of calls, and spoils what it is shown."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.calls: list[tuple[str, Any]] = []

    def kernel(self, epoch: int, summary: KernelSummary) -> None:
        self.calls.append(("kernel", epoch))
        summary.mean[:] = summary.spread[:] = 0

    def start(self, history: Sequence[Row]) -> None:
        self.calls.append(("start", len(history)))

    def epoch(self, row: Row, steps: Sequence[StepRow]) -> None:
        self.calls.append(("epoch", row["epoch"]))


class Main:
    """As much of a trainer as starting the loggers asks for."""

    is_global_zero = True


@pytest.mark.parametrize("known", [0, 2])
def test_earlier_kernels_are_told_before_the_start(run: Run, tmp_path: Path, known: int) -> None:
    told = Told(run)
    checkpoint = EpochCheckpoint(tmp_path, [Guarded(told)], Budget())
    checkpoint.rows = [{**row, "epoch": number} for number, row in enumerate(ROWS[:2], start=1)]
    checkpoint.kernels = list(SUMMARIES[:known])
    checkpoint.start_loggers(Main())  # type: ignore[arg-type]
    assert told.calls == [*[("kernel", epoch) for epoch in range(1, known + 1)], ("start", 2)]
    assert all(kernel.mean.any() and kernel.spread.any() for kernel in checkpoint.kernels), "they are its own"
