"""TensorBoard event files in the cell's directory."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from wisesr.errors import UserError
from wisesr.results.kernels import KernelSummary
from wisesr.results.metrics import Row
from wisesr.training.loggers.base import Findings, Run, RunLogger, StepRow
from wisesr.training.loggers.kernel_rows import PICTURE, kernel_figures, kernel_picture
from wisesr.training.loggers.pictures import confusion_picture


class TensorBoardLogger(RunLogger):
    """Writes `<cell>/tensorboard`, anew at a resume with the finished epochs replayed.

    Raises:
        UserError: the package tensorboard is not installed.
    """

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise UserError("logger=tensorboard needs a package: pip install tensorboard") from None
        self._open = SummaryWriter
        self._kernels: dict[int, KernelSummary] = {}

    def kernel(self, epoch: int, summary: KernelSummary) -> None:
        """It is to be written with the epoch's scalars."""
        self._kernels[epoch] = summary

    def start(self, history: Sequence[Row]) -> None:
        """Open the event file and write the finished epochs."""
        folder = self.run.directory / "tensorboard"
        shutil.rmtree(folder, ignore_errors=True)
        self._writer = self._open(str(folder))
        for row in history:
            self.epoch(row, ())

    def epoch(self, row: Row, steps: Sequence[StepRow]) -> None:
        """Scalars over optimizer steps, and a picture of the kernel."""
        now = int(row["step"])
        summary = self._kernels.pop(int(row["epoch"]), None)
        figures = kernel_figures(summary) if summary is not None else {}
        for name, value in (row | figures).items():
            if name != "step":
                self._writer.add_scalar(name, value, now)
        if summary is not None:
            self._image(PICTURE, kernel_picture(summary), now)
        for step in steps:
            self._writer.add_scalar("step/loss", step.loss, step.step)
        self._writer.flush()

    def finish(self, summary: Mapping[str, Any], findings: Findings) -> None:
        """Final figures as text; kernels, the confusion matrix and the hardest test images as images."""
        lines = [f"| {name} | {value} |" for name, value in summary.items()]
        self._writer.add_text("summary", "\n".join(["| figure | value |", "| --- | --- |", *lines]))
        if findings.kernels is not None:
            self._image("kernels", findings.kernels)
        if findings.predictions is not None:
            self._image("confusion", confusion_picture(findings.predictions))
        for place, hard in enumerate(findings.hardest, start=1):
            self._image(f"hardest/{place:02d}", hard.image)
        captions = [f"{place}. {hard.caption}" for place, hard in enumerate(findings.hardest, start=1)]
        if captions:
            self._writer.add_text("hardest", "\n".join(captions))
        self._writer.close()

    def _image(self, name: str, image: Image.Image, step: int | None = None) -> None:
        self._writer.add_image(name, np.asarray(image.convert("RGB")), step, dataformats="HWC")

    def fail(self) -> None:
        """Close the event file."""
        if hasattr(self, "_writer"):
            self._writer.close()
