"""The contract of loggers: they hear of an epoch once its checkpoint is on disk, so that no resume can make them repeat it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from wisesr.results.record import Row


class Run(NamedTuple):
    """What a logger is told about a cell."""

    directory: Path
    name: str
    """`resnet50-wise-seed-0`."""
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


class RunLogger:
    """A destination of figures; every method does nothing until a subclass says otherwise.

    The order of calls: `start`, `epoch` for each epoch, then one of `finish` and `fail`. Loggers never raise for a
    server that does not answer: training goes on.
    """

    def __init__(self, run: Run) -> None:
        self.run = run

    def start(self, history: Sequence[Row]) -> None:
        """Training begins.

        Args:
            history: rows of epochs that an interrupted attempt finished; empty at the first attempt.
        """

    def epoch(self, row: Row, steps: Sequence[StepRow]) -> None:
        """An epoch's checkpoint is on disk.

        Args:
            row: its line of metrics.csv.
            steps: its optimizer steps.
        """

    def finish(self, summary: Mapping[str, Any], kernels: Image.Image | None) -> None:
        """The record is about to be written.

        Args:
            summary: final figures: `best/val/top1`, `best/test/top1`, `head_parameters`, ...
            kernels: the learned depthwise kernels as a picture, for heads that have some.
        """

    def fail(self) -> None:
        """The attempt ended with an error."""
