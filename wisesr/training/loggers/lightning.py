"""Loggers of lightning.pytorch.loggers, by name: one row of figures an epoch, a last one with the summary.

What they write goes to `<cell>/lightning/<its class>`, unless its settings say where, and is written anew at a resume with the
finished epochs replayed. A logger that keeps its figures elsewhere (a server, a folder of the user's) begins a new run
there, which the finished epochs begin; to continue the old one instead, name it in the logger's own settings.
"""

from __future__ import annotations

import inspect
import re
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from lightning.pytorch.loggers import Logger

from wisesr.results.kernels import KernelSummary
from wisesr.results.metrics import Row
from wisesr.training.loggers.base import Findings, Run, RunLogger, StepRow
from wisesr.training.loggers.kernel_rows import kernel_figures


class LightningLogger(RunLogger):
    """Tells a logger of Lightning's what it would hear from a trainer. It is made when training starts, not before.

    Args:
        settings: its own; where it takes them and they are not given, `save_dir` is in the cell's directory, `name` the
            run's with hyphens for spaces, as most make a folder of it, and `version` empty, as a cell has one.

    Raises:
        TypeError: it needs a setting that is not given.
    """

    def __init__(self, run: Run, logger: type[Logger], settings: Mapping[str, Any]) -> None:
        super().__init__(run)
        self._folder = run.directory / "lightning" / logger.__name__
        ours = {"save_dir": str(self._folder), "name": re.sub(r"[\s/\\]+", "-", run.name), "version": ""}
        accepted = inspect.signature(logger)
        self._settings = {key: value for key, value in ours.items() if key in accepted.parameters} | dict(settings)
        accepted.bind(**self._settings)
        self._make = logger
        self._logger: Logger | None = None
        self._step = 0
        self._kernels: dict[int, KernelSummary] = {}

    def kernel(self, epoch: int, summary: KernelSummary) -> None:
        """Its figures are to be in the epoch's row."""
        self._kernels[epoch] = summary

    def start(self, history: Sequence[Row]) -> None:
        """Make the logger, tell it the configuration and the finished epochs."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._logger = self._make(**self._settings)
        self._logger.log_hyperparams(dict(self.run.config))
        for row in history:
            self.epoch(row, ())

    def epoch(self, row: Row, steps: Sequence[StepRow]) -> None:
        """One row of figures, at its optimizer step."""
        self._step = int(row["step"])
        summary = self._kernels.pop(int(row["epoch"]), None)
        figures = kernel_figures(summary) if summary is not None else {}
        self._log({name: value for name, value in row.items() if name != "step"} | figures)

    def finish(self, summary: Mapping[str, Any], findings: Findings) -> None:
        """The figures of the summary as a last row, at the last optimizer step; words are left out, as it takes numbers."""
        self._log({name: float(value) for name, value in summary.items() if isinstance(value, (int, float))})
        self._close("success")

    def fail(self) -> None:
        """Close it, marked failed."""
        self._close("failed")

    def _log(self, figures: dict[str, float]) -> None:
        assert self._logger is not None, "start comes first"
        self._logger.log_metrics(figures, self._step)
        self._logger.save()

    def _close(self, status: str) -> None:
        if self._logger is not None:
            self._logger.finalize(status)
