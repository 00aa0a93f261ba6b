"""What happens at the end of an epoch, in the order that lets a cell be killed at any moment.

best.ckpt first, then last.ckpt, then metrics.csv, then the loggers: whatever is missing after a kill, the resumed run
makes again, from the same state. The history lives in the checkpoint, so no file can disagree with it.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from torch import Tensor

from wisesr.errors import UserError
from wisesr.results.atomic_files import replacing
from wisesr.results.cell_files import BEST, LAST
from wisesr.results.kernels import KernelSummary, summarize
from wisesr.results.metrics import METRICS, Row, write_metrics
from wisesr.training.kernels import learned_kernel
from wisesr.training.loggers.base import RunLogger, StepRow
from wisesr.types import Budget
from wisesr.wording import percent

log = logging.getLogger(__name__)


class EpochCheckpoint(Checkpoint):
    """Rows of metrics.csv, checkpoints, loggers. A `Checkpoint`, so that Lightning calls it after everything else."""

    def __init__(self, directory: Path, loggers: Sequence[RunLogger], budget: Budget) -> None:
        self.rows: list[Row] = []
        self.best: Row | None = None
        self.seconds = 0.0
        """Spent in training epochs, validation included, over all attempts."""
        self.kernels: list[KernelSummary] = []
        """Of all epochs, for heads that learn one."""
        self._directory, self._loggers, self._budget = directory, loggers, budget
        self._steps: list[tuple[int, float, Tensor]] = []
        self._losses: list[Tensor] = []
        self._rate = 0.0
        self._started = False
        self._clock = time.monotonic()

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain data for the checkpoint."""
        kernels = [(torch.tensor(mean), torch.tensor(spread), *figures) for mean, spread, *figures in self.kernels]
        return {"rows": self.rows, "best": self.best, "seconds": self.seconds, "kernels": kernels}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Back from a checkpoint."""
        self.rows, self.best = state_dict["rows"], state_dict["best"]
        self.seconds = state_dict["seconds"]
        kernels = state_dict["kernels"]
        self.kernels = [KernelSummary(mean.numpy(), spread.numpy(), zero, distance) for mean, spread, zero, distance in kernels]

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Refuse a checkpoint without the history that this has saved.

        Raises:
            UserError: another version of wisesr made it.
        """
        if self.state_key not in checkpoint["callbacks"]:
            raise UserError(f"{self._directory / LAST} was written by another version of wisesr: remove it to train anew")

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Tell the loggers, with the epochs that an earlier attempt finished; it may have ended training early."""
        self.start_loggers(trainer)
        self._clock = time.monotonic()  # opening them is no training
        self._stop_early(trainer)

    def start_loggers(self, trainer: Trainer) -> None:
        """Once. Not left to `on_train_start` alone, which Lightning skips where no epoch is left to train."""
        if self._started or not trainer.is_global_zero:
            return
        self._started = True
        if self.rows:
            write_metrics(self._directory / METRICS, self.rows)
        for logger in self._loggers:
            for row, summary in zip(self.rows, self.kernels, strict=False):  # of a head without a kernel there are none
                logger.kernel(int(row["epoch"]), summary)
            logger.start(self.rows)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the epoch's steps."""
        self._steps, self._losses = [], []

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Note the rate of the coming step: when the batch has ended, the schedule has moved on."""
        self._rate = float(trainer.optimizers[0].param_groups[0]["lr"])

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Note an optimizer step; the loss stays a tensor, so that a GPU is not waited for."""
        self._losses.append(outputs["loss"].detach())
        if len(self._losses) == trainer.accumulate_grad_batches:
            loss = self._losses[0] if len(self._losses) == 1 else torch.stack(self._losses).sum()
            self._steps.append((trainer.global_step, self._rate, loss))
            self._losses = []

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the epoch down.

        Raises:
            UserError: a figure is no longer a number.
        """
        steps = [StepRow(step, rate, float(loss)) for step, rate, loss in self._steps]
        row = self._row(trainer, pl_module, steps)
        self.rows.append(row)
        if (kernel := learned_kernel(pl_module.measured)) is not None:  # type: ignore[arg-type]
            self.kernels.append(summarize(kernel))
        self.seconds += time.monotonic() - self._clock
        self._clock = time.monotonic()
        self.seconds = trainer.strategy.broadcast(self.seconds)  # devices must agree on when it is enough
        if self.best is None or _rank(row) > _rank(self.best):
            self.best = row
            self._save(trainer, BEST, weights_only=True)
        self._save(trainer, LAST, weights_only=False)
        if trainer.is_global_zero:
            write_metrics(self._directory / METRICS, self.rows)
            log.info(_line(row, trainer.max_epochs or 0))
            for logger in self._loggers:
                if kernel is not None:
                    logger.kernel(int(row["epoch"]), self.kernels[-1])
                logger.epoch(row, steps)
        self._stop_early(trainer)

    def stopped(self, epochs: int) -> str | None:
        """Why training ended before the last of the planned epochs: "patience", "max_time", or None if it did not (yet)."""
        if self.best is None or self.rows[-1]["epoch"] >= epochs:
            return None
        if self._budget.patience is not None and self.rows[-1]["epoch"] - self.best["epoch"] >= self._budget.patience:
            return "patience"
        return "max_time" if self._budget.seconds is not None and self.seconds >= self._budget.seconds else None

    def _stop_early(self, trainer: Trainer) -> None:
        if reason := self.stopped(trainer.max_epochs or 0):
            trainer.should_stop = True
            if trainer.is_global_zero:
                log.info("training ends here, by %s", {"patience": "recipe.patience", "max_time": "trainer.max_time"}[reason])

    def _row(self, trainer: Trainer, module: LightningModule, steps: Sequence[StepRow]) -> Row:
        figures: dict[str, float] = module.figures  # type: ignore[assignment]
        epoch = trainer.current_epoch + 1
        require_finite(figures, f"in epoch {epoch}")
        row: Row = {"epoch": epoch, "step": trainer.global_step, "lr": steps[-1].lr}
        return row | {name: value for name, value in figures.items() if not name.startswith("test/")}

    def _save(self, trainer: Trainer, name: str, *, weights_only: bool) -> None:
        if trainer.is_global_zero:
            with replacing(self._directory / name) as partial:
                trainer.save_checkpoint(partial, weights_only=weights_only)
        else:
            trainer.save_checkpoint(self._directory / name, weights_only=weights_only)  # takes part, writes nothing


def require_finite(figures: Mapping[str, float], when: str) -> None:
    """Raise UserError for figures that are no numbers any more."""
    bad = [f"{name} is {value}" for name, value in figures.items() if not math.isfinite(value)]
    if bad:
        raise UserError(f"training diverged {when}: {', '.join(bad)}. A lower recipe.optimizer.lr or trainer.clip=1 may help")


def _rank(row: Row) -> tuple[float, float]:
    """Higher is better: top-1, then the loss; of equals the earlier epoch stays."""
    return row["val/top1"], -row["val/loss"]


def _line(row: Row, epochs: int) -> str:
    return (
        f"epoch {row['epoch']:.0f}/{epochs}: train loss {row['train/loss']:.4f}, val loss {row['val/loss']:.4f}, "
        f"val top-1 {percent(row['val/top1'])} %"
    )
