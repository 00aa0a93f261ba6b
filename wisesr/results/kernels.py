"""`kernels.npz`: what a cell's depthwise kernel became, epoch by epoch. Written by training, read by reports; no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wisesr.results.atomic_files import read_arrays, write_with

KERNELS = "kernels.npz"

_COLUMNS = {"mean": np.float32, "spread": np.float32, "zero": np.float64, "distance": np.float64}
"""Fields of `KernelSummary`, of which the file holds an array each."""


class KernelSummary(NamedTuple):
    """A kernel without its channels."""

    mean: NDArray[np.float32]
    """Over channels, (height, width)."""
    spread: NDArray[np.float32]
    """Standard deviation over channels, (height, width)."""
    zero: float
    """Share of weights that are exactly 0: under a non-negative constraint, those that it holds there."""
    distance: float
    """From uniform: |k - mean of k| / |k| of a channel, averaged over channels that are not all zero. 0 is an average,
    near 1 a single position or a sum of differences."""


class Kernels(NamedTuple):
    """Content of `kernels.npz`."""

    kernel: NDArray[np.float32]
    """Of the chosen epoch, as it is applied (after softplus), (channels, height, width)."""
    epochs: tuple[int, ...]
    history: tuple[KernelSummary, ...]
    """At the end of each of these epochs."""


def summarize(kernel: NDArray[np.float32]) -> KernelSummary:
    """Mean, spread, share of zeros and distance from uniform of a kernel (channels, height, width)."""
    exact = kernel.astype(np.float64)
    flat = exact.reshape(len(exact), -1)
    size = np.linalg.norm(flat, axis=1)
    away = np.linalg.norm(flat - flat.mean(axis=1, keepdims=True), axis=1)
    alive = size > 0
    distance = float((away[alive] / size[alive]).mean()) if alive.any() else 0.0
    mean, spread = exact.mean(axis=0).astype(np.float32), exact.std(axis=0).astype(np.float32)
    return KernelSummary(mean, spread, float((kernel == 0).mean()), distance)


def write_kernels(
    directory: Path, kernel: NDArray[np.float32], epochs: Sequence[int], history: Sequence[KernelSummary]
) -> None:
    """The file, whole or absent: the kernel of the chosen epoch, (channels, height, width), and a summary of each epoch."""
    arrays: dict[str, Any] = {"kernel": kernel.astype(np.float32), "epochs": np.asarray(epochs, np.int64)}
    for name, dtype in _COLUMNS.items():
        arrays[name] = np.asarray([getattr(summary, name) for summary in history], dtype)
    write_with(directory / KERNELS, lambda file: np.savez_compressed(file, **arrays))


def read_kernels(directory: Path) -> Kernels | None:
    """The kernels of a cell; None where its head has none, or the file is absent or damaged."""
    arrays = read_arrays(directory / KERNELS)
    if arrays is None or not {"kernel", "epochs", *_COLUMNS} <= set(arrays):
        return None
    kernel, epochs = arrays["kernel"], arrays["epochs"]
    if kernel.ndim != 3 or 0 in kernel.shape or epochs.ndim != 1 or epochs.dtype.kind not in "iu":
        return None
    columns = [arrays[name] for name in _COLUMNS]
    planes = epochs.shape + kernel.shape[1:] if len(epochs) else (0,)  # as nothing is written
    wanted = [planes, planes, epochs.shape, epochs.shape]
    if any(column.shape != shape for column, shape in zip(columns, wanted, strict=True)):
        return None
    if not all(array.dtype.kind == "f" and bool(np.isfinite(array).all()) for array in (kernel, *columns)):
        return None
    history = (KernelSummary(mean, spread, float(zero), float(far)) for mean, spread, zero, far in zip(*columns, strict=True))
    return Kernels(kernel, tuple(map(int, epochs)), tuple(history))
