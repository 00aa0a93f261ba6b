"""The contract of loggers: they hear of an epoch once its checkpoint is on disk, so that no resume can make them repeat it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from wisesr.results.kernels import KernelSummary
from wisesr.results.metrics import Row
from wisesr.results.predictions import Predictions


class Run(NamedTuple):
    """What a logger needs to know of a cell."""

    directory: Path
    name: str
    """`digits-64 resnet50 wise seed 0`, `sun8-112 resnet50 wise replicate 0 fold 2 head.dropout=0.5`."""
    study: str
    tags: tuple[str, ...]
    """The axes: backbone, head, dataset, resolution, ..."""
    config: Mapping[str, Any]


class StepRow(NamedTuple):
    """One optimizer step."""

    step: int
    lr: float
    loss: float
    """Mean over this device's batches of the step."""


class HardImage(NamedTuple):
    """A test image with one of the highest losses."""

    id: str
    image: Image.Image
    """As it is on disk, RGB, no side longer than 224 px."""
    label: str
    """Name of the true class."""
    predicted: str
    """Name of the most probable class."""
    probability: float
    """Of the true class."""
    loss: float
    """Cross-entropy, nats."""

    @property
    def caption(self) -> str:
        """What to write below it."""
        return f"{self.label}, predicted {self.predicted} (p of {self.label} {self.probability:.3f}): {self.id}"


class Findings(NamedTuple):
    """What a trained cell has to show beside its figures."""

    kernels: Image.Image | None
    """The learned depthwise kernels as a picture, for heads that have some."""
    predictions: Predictions | None
    """Of the test images; None where they cannot be read."""
    hardest: tuple[HardImage, ...]
    """The test images with the highest loss, highest first; those that cannot be opened are not there."""


class RunLogger:
    """A destination of figures; every method does nothing until a subclass says otherwise.

    The order of calls: `start`, `epoch` for each epoch, then one of `finish` and `fail`; of heads that learn a kernel, `kernel`
    before the `epoch` that it belongs to, and before `start` for each epoch of its history. What a logger raises is a warning
    in the cell's log and ends its calls but for one of `fail`; training goes on (`guarded.Guarded`). A class of your own needs
    no more than this: name it in `logger.NAME._target_`, its keyword-only settings beside it.
    """

    def __init__(self, run: Run) -> None:
        self.run = run

    def kernel(self, epoch: int, summary: KernelSummary) -> None:
        """Called before an epoch is told, where the head learns a kernel.

        Args:
            epoch: counted from 1, as in the `epoch` of its row.
            summary: of the kernel at its end.
        """

    def start(self, history: Sequence[Row]) -> None:
        """Called once, before the first epoch that this attempt trains.

        Args:
            history: rows of epochs that an interrupted attempt finished; empty at the first attempt.
        """

    def epoch(self, row: Row, steps: Sequence[StepRow]) -> None:
        """Called after each epoch, once its checkpoint is on disk.

        Args:
            row: its line of metrics.csv.
            steps: its optimizer steps.
        """

    def finish(self, summary: Mapping[str, Any], findings: Findings) -> None:
        """Called once at the end, before the record is written.

        Args:
            summary: final figures and words: `best/val/top1`, `best/test/top1`, `head_parameters`, `protocol`, ...
            findings: pictures and predictions.
        """

    def fail(self) -> None:
        """The attempt ended with an error."""
