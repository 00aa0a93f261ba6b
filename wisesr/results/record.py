"""The record of a finished cell: what was computed, how, by which code, from which data. Read and written by `record_file`.

Whoever has a `Record` may rely on all of its attributes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from wisesr.results.metrics import Row


@dataclass(frozen=True)
class BestEpoch:
    """Figures of the chosen epoch. Shares from 0 to 1."""

    epoch: int
    """Counted from 1."""
    val_loss: float
    val_top1: float
    test_loss: float
    test_top1: float
    test_macro_f1: float
    test_ece: float
    row: Row
    """All figures, as `metrics.csv` has them."""


@dataclass(frozen=True)
class LastEpoch:
    """Figures of the last epoch that was trained."""

    epoch: int
    val_top1: float | None
    """From 0 to 1; None where it was not measured."""
    row: Row


@dataclass(frozen=True)
class SpentBudget:
    """What was trained of what was planned."""

    epochs: int
    """Planned."""
    trained_epochs: int
    steps: int
    """Optimizer steps that were taken."""
    stopped: str | None
    """Why training ended early: `patience`, `max_time`; None where it did not."""


@dataclass(frozen=True)
class Parameters:
    """Counts of a model's parameters."""

    backbone: int
    head: int
    trainable: int
    """Of both, those that are not frozen."""


@dataclass(frozen=True)
class Flops:
    """Of one image's forward pass, a multiply-add counted as two; None where they could not be counted."""

    backbone: float | None
    head: float | None


@dataclass(frozen=True)
class CellCost:
    """What a cell cost."""

    parameters: Parameters
    flops: Flops
    feature_map: tuple[int, ...]
    """(channels, height, width) before the head."""
    train_seconds: float
    """Of training and its measurements, over all attempts."""
    images_per_second: float | None
    """Trained, without measurements; None where training was too short to tell."""
    peak_memory_bytes: float | None
    """On the GPU; None on CPU."""


@dataclass(frozen=True)
class DataProvenance:
    """The images that a cell saw."""

    fingerprint: str
    """Of paths, labels and splits."""
    images: Mapping[str, int]
    """Counts by split: train, val, test."""
    left_out: tuple[str, ...]
    """Unreadable images."""


@dataclass(frozen=True)
class Provenance:
    """Where the numbers come from."""

    commit: str | None
    source: str
    """Hash of the package's source at the last attempt."""
    sources: tuple[str, ...]
    """Hashes of all attempts, without repetition."""
    versions: Mapping[str, str | None]
    """Of Python and of packages."""
    hardware: Mapping[str, str]
    """host, device (the GPU's name, or cpu), cpu, system."""
    threads: int
    """CPU threads of the cell's process."""
    attempts: int
    weights: Mapping[str, Any]
    """What the backbone started from: source, sha256 of its file, hash of its tensors."""
    inputs: Mapping[str, Any]
    """What images were normalised with: mean, std, and order where channels are swapped."""
    data: DataProvenance
    finished: str
    """Time, UTC, ISO 8601."""


@dataclass(frozen=True)
class Record:
    """A finished cell."""

    fingerprint: str
    """Of its configuration."""
    config: Mapping[str, Any]
    protocol: Literal["holdout", "paper"]
    selection: str
    """In words, on which images the epoch was chosen."""
    best: BestEpoch
    last: LastEpoch
    budget: SpentBudget
    cost: CellCost
    provenance: Provenance
    json: Mapping[str, Any]
    """The whole file, for whoever shows all of it."""
