"""The record of a finished cell: what was computed, how, by which code, from which data. Read and written by `record_file`.

Whoever has a `Record` may rely on all of its attributes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from wisesr.results.checks import (
    is_amount,
    is_count,
    is_counts,
    is_group,
    is_lists,
    is_protocol,
    is_shape,
    is_share,
    is_string,
    is_text,
    is_texts,
    is_whole,
    or_none,
)
from wisesr.results.fields import Key
from wisesr.results.metrics import Row

Amount = Annotated[float, is_amount]
AmountOrNone = Annotated[float | None, or_none(is_amount)]
Count = Annotated[int, is_count]
Epoch = Annotated[int, is_whole, int]
Group = Annotated[Mapping[str, Any], is_group]
Share = Annotated[float, is_share]
Text = Annotated[str, is_text]
TextOrNone = Annotated[str | None, or_none(is_text)]
Texts = Annotated[tuple[str, ...], is_texts, tuple]


@dataclass(frozen=True)
class BestEpoch:
    """Figures of the chosen epoch. Shares from 0 to 1."""

    val_top1: Annotated[Share, Key("val/top1")]
    test_top1: Annotated[Share, Key("test/top1")]
    test_macro_f1: Annotated[Share, Key("test/macro_f1")]
    test_ece: Annotated[Share, Key("test/ece")]
    val_loss: Annotated[Amount, Key("val/loss")]
    test_loss: Annotated[Amount, Key("test/loss")]
    epoch: Epoch
    """Counted from 1."""
    row: Annotated[Row, Key()]
    """All figures, as `metrics.csv` has them."""
    train_top1: Annotated[float | None, is_share, Key("train/top1")] = None
    """In eval mode on a fixed part of the training split; None where it was not measured, as before 2026-11-29."""


@dataclass(frozen=True)
class LastEpoch:
    """Figures of the last epoch that was trained."""

    epoch: Epoch
    row: Annotated[Row, Key()]
    train_top1: Annotated[float | None, is_share, Key("train/top1")] = None

    @property
    def val_top1(self) -> float | None:
        """From 0 to 1; None where it was not measured."""
        top1 = self.row.get("val/top1")
        return top1 if is_share(top1) else None


@dataclass(frozen=True)
class SpentBudget:
    """What was trained of what was planned."""

    epochs: Count
    """Planned."""
    trained_epochs: Count
    steps: Count
    """Optimizer steps that were taken."""
    stopped: TextOrNone
    """Why training ended early: `patience`, `max_time`; None where it did not."""


@dataclass(frozen=True)
class Parameters:
    """Counts of a model's parameters."""

    backbone: Annotated[Count, Key("backbone_parameters")]
    head: Annotated[Count, Key("head_parameters")]
    trainable: Annotated[Count, Key("trainable_parameters")]
    """Of both, those that are not frozen."""


@dataclass(frozen=True)
class Flops:
    """Of one image's forward pass, a multiply-add counted as two; None where they could not be counted."""

    backbone: AmountOrNone
    head: AmountOrNone


@dataclass(frozen=True)
class ComputeTime:
    """Medians over repeats on a batch that is in memory, on one device; None where they could not be had."""

    train_ms: Annotated[float | None, is_amount] = None
    """Milliseconds an image of a training step: forward, backward, the optimizer's step."""
    inference_ms: Annotated[float | None, is_amount] = None
    """Milliseconds an image of a forward pass in eval mode, without gradients."""
    batch: Annotated[int | None, is_count] = None
    """Images at once; None where nothing was measured, as before 2026-11-29."""


@dataclass(frozen=True)
class CellCost:
    """What a cell cost."""

    parameters: Parameters
    flops: Flops
    feature_map: Annotated[tuple[int, ...], is_shape, tuple]
    """(channels, height, width) before the head."""
    train_seconds: Amount
    """Of training and its measurements, over all attempts."""
    images_per_second: AmountOrNone
    """Trained, without measurements; None where training was too short to tell."""
    peak_memory_bytes: AmountOrNone
    """On the GPU; None on CPU."""
    compute: Annotated[ComputeTime, is_group] = field(default_factory=ComputeTime)
    """Without decoding, which the pace of training holds too."""


@dataclass(frozen=True)
class DataProvenance:
    """The images that a cell saw."""

    fingerprint: Text
    """Of paths, labels and splits."""
    images: Annotated[Mapping[str, int], is_counts]
    """Counts by split: train, val, test."""
    left_out: Texts
    """Unreadable images."""
    rules: Annotated[str | None, is_string] = None
    """By which files became RGB (`wisesr.data.images.PixelRules.text`); None in records of before 2026-11-28."""
    absent: Annotated[Mapping[str, Sequence[str]], is_lists, Key("notes.absent")] = field(default_factory=dict)
    """Split -> classes of which it has no image, and which its macro F1 leaves out."""
    shared: Annotated[Mapping[str, int], is_counts, Key("notes.shared")] = field(default_factory=dict)
    """`test in train`: images of the one split whose bytes the other has; empty where nobody looked, as before 2026-11-28."""


@dataclass(frozen=True)
class Provenance:
    """Where the numbers come from."""

    commit: TextOrNone
    source: Text
    """Hash of the package's source at the last attempt."""
    sources: Texts
    """Hashes of all attempts, without repetition."""
    versions: Annotated[Mapping[str, str | None], is_group]
    """Of Python and of packages."""
    hardware: Annotated[Mapping[str, str], is_group]
    """host, device (the GPU's name, or cpu), cpu, system."""
    threads: Count
    """CPU threads of the cell's process."""
    attempts: Count
    weights: Group
    """What the backbone started from: source, sha256 of its file, hash of its tensors."""
    inputs: Group
    """What images were normalised with: mean, std, and order where channels are swapped."""
    data: DataProvenance
    finished: Text
    """Time, UTC, ISO 8601."""


@dataclass(frozen=True)
class Record:
    """A finished cell."""

    fingerprint: Text
    """Of its configuration."""
    config: Group
    protocol: Annotated[Literal["holdout", "paper"], is_protocol]
    selection: Text
    """In words, on which images the epoch was chosen."""
    best: Annotated[BestEpoch, Key("metrics.best")]
    last: Annotated[LastEpoch, Key("metrics.last")]
    budget: SpentBudget
    cost: CellCost
    provenance: Provenance
