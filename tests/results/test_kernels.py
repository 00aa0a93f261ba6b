"""What is said of a kernel, against loops over its channels and its limits."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from wisesr.results.kernels import KERNELS, read_kernels, summarize, write_kernels


def test_a_summary_against_a_loop_over_channels() -> None:
    kernel = np.maximum(np.random.default_rng(0).normal(size=(5, 3, 4)), 0).astype(np.float32)
    kernel[2] = 0
    summary = summarize(kernel)
    distances = []
    for plane in kernel.astype(np.float64):
        if plane.any():
            distances.append(math.sqrt(sum((value - plane.mean()) ** 2 for value in plane.flat)) / math.sqrt((plane**2).sum()))
    assert summary.distance == pytest.approx(np.mean(distances))
    assert summary.zero == sum(value == 0 for value in kernel.flat) / 60
    for row, column in np.ndindex(3, 4):
        values = [float(kernel[channel, row, column]) for channel in range(5)]
        mean = sum(values) / 5
        assert summary.mean[row, column] == pytest.approx(mean)
        assert summary.spread[row, column] == pytest.approx(math.sqrt(sum((value - mean) ** 2 for value in values) / 5))


def test_the_distance_has_its_limits() -> None:
    centre = np.zeros((2, 3, 3), np.float32)
    centre[:, 1, 1] = 5
    assert summarize(np.full((4, 3, 3), 0.1, np.float32)).distance == pytest.approx(0, abs=1e-7)
    assert summarize(centre).distance == pytest.approx(math.sqrt(8 / 9))
    assert summarize(np.zeros((2, 3, 3), np.float32))[2:] == (1.0, 0.0)


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    kernels = [np.random.default_rng(seed).normal(size=(4, 2, 3)).astype(np.float32) for seed in range(3)]
    write_kernels(tmp_path, kernels[1], (3, 4, 5), [summarize(kernel) for kernel in kernels])
    read = read_kernels(tmp_path)
    assert read is not None
    assert np.array_equal(read.kernel, kernels[1])
    assert read.epochs == (3, 4, 5)
    for summary, kernel in zip(read.history, kernels, strict=True):
        wanted = summarize(kernel)
        assert np.array_equal(summary.mean, wanted.mean)
        assert np.array_equal(summary.spread, wanted.spread)
        assert summary[2:] == wanted[2:]


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 no zip", b"\x93NUMPY"])
def test_a_file_that_is_not_there_or_damaged_is_none(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / KERNELS).write_bytes(content)
    assert read_kernels(tmp_path) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"kernel": np.zeros((4, 6), np.float32)},
        {"kernel": np.zeros((0, 2, 3), np.float32)},
        {"kernel": np.full((4, 2, 3), np.nan, np.float32)},
        {"kernel": np.full((4, 2, 3), "x")},
        {"mean": np.zeros((1, 2, 3), np.float32)},
        {"spread": np.zeros((2, 3, 2), np.float32)},
        {"zero": np.zeros(3)},
        {"distance": np.array([0.5, np.inf])},
        {"epochs": np.array(["one", "two"])},
        {"epochs": np.array(3)},
    ],
)
def test_arrays_that_do_not_fit_each_other_are_none(changes: dict[str, np.ndarray], tmp_path: Path) -> None:
    kernel = np.random.default_rng(0).normal(size=(4, 2, 3)).astype(np.float32)
    write_kernels(tmp_path, kernel, (1, 2), [summarize(kernel)] * 2)
    assert read_kernels(tmp_path) is not None
    with np.load(tmp_path / KERNELS) as archive:
        arrays = dict(archive)
    np.savez(tmp_path / KERNELS, **(arrays | changes))
    assert read_kernels(tmp_path) is None


def test_a_kernel_without_a_history_is_read(tmp_path: Path) -> None:
    write_kernels(tmp_path, np.ones((4, 2, 3), np.float32), (), ())
    read = read_kernels(tmp_path)
    assert read is not None
    assert read[1:] == ((), ())
