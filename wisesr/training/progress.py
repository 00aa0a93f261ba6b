"""How far a cell has come, written to `status.json` twice a second for whoever watches."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from wisesr.results.state import State
from wisesr.results.status_file import write_status
from wisesr.types import Steps

_INTERVAL = 0.5


class Progress(Callback):
    """Steps, images/s and the time that is left."""

    def __init__(self, directory: Path, steps: Steps) -> None:
        self.images_per_second = 0.0
        """Over all training batches of this attempt, data loading included, validation not."""
        self._directory, self._run = directory, steps
        self._busy, self._images = 0.0, 0
        self._since = self._written = self._validating = self._validation = 0.0

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock; it stands still while validating."""
        self._since = time.monotonic()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count a batch."""
        now = time.monotonic()
        self._busy += now - self._since
        self._since = now
        self._images += len(batch.labels) * trainer.world_size
        self.images_per_second = self._images / self._busy
        if now - self._written > _INTERVAL:
            self._written = now
            self._write(trainer, pl_module, trainer.current_epoch)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Time the validation, which belongs to what is left."""
        self._validating = time.monotonic()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Show the epoch's accuracy."""
        self._validation = time.monotonic() - self._validating
        self._write(trainer, pl_module, trainer.current_epoch + 1)

    def _write(self, trainer: Trainer, module: LightningModule, finished: int) -> None:
        if not trainer.is_global_zero or not self.images_per_second:
            return
        figures: dict[str, float] = module.figures  # type: ignore[assignment]
        done = min(trainer.global_step * self._run.batch_size, self._run.train_images * self._run.epochs)
        left = self._run.train_images * self._run.epochs - done
        extra = {"val_top1": figures["val/top1"]} if "val/top1" in figures else {}
        write_status(
            self._directory,
            state=State.TRAINING,
            epoch=finished,
            epochs=self._run.epochs,
            step=trainer.global_step,
            steps=self._run.total,
            images_per_second=self.images_per_second,
            seconds_left=left / self.images_per_second + (self._run.epochs - finished) * self._validation,
            **extra,
        )
