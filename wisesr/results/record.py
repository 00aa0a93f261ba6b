"""The record of a finished cell: what was computed, how, by which code, from which data. Read and written by `record_file`.

Whoever has a `Record` may rely on all of its attributes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from wisesr.results.checks import (
    is_amount,
    is_count,
    is_group,
    is_protocol,
    is_shape,
    is_share,
    is_text,
    is_texts,
    is_whole,
    or_none,
)
from wisesr.results.fields import Key
from wisesr.results.metrics import Row
from wisesr.results.record_provenance import DataProvenance, Provenance

__all__ = ["BestEpoch", "CellCost", "ComputeTime", "DataProvenance", "LastEpoch", "Provenance", "Record", "SpentBudget"]

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

    @property
    def model(self) -> int:
        """Of backbone and head."""
        return self.backbone + self.head


@dataclass(frozen=True)
class Flops:
    """Of one image's forward pass, a multiply-add counted as two; None where they could not be counted."""

    backbone: AmountOrNone
    head: AmountOrNone

    @property
    def model(self) -> float | None:
        """Of backbone and head."""
        return None if self.backbone is None or self.head is None else float(self.backbone + self.head)


@dataclass(frozen=True)
class ComputeTime:
    """Medians over repeats on a batch that is in memory, on one device; None where they could not be had.

    On CPU the process's own time with one thread, so that other processes do not count.
    """

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
