"""How far a cell has come, written to `status.json` twice a second for whoever watches."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from wisesr.results.state import State
from wisesr.results.status_file import write_status
from wisesr.training.pace import Pace
from wisesr.types import Steps

_INTERVAL = 0.5


class Progress(Callback):
    """Steps, images/s and the time that is left."""

    def __init__(self, directory: Path, steps: Steps) -> None:
        self.images_per_second = 0.0
        """Over all training batches of this attempt, data loading included, validation not."""
        self._directory, self._run = directory, steps
        self._busy, self._images = 0.0, 0
        self._since = self._written = 0.0
        self._pace: Pace | None = None
        self._batches = 0
        """Training batches of the epoch that are done."""

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock of the pace; it stands still while validating, which takes a time of its own."""
        now = time.monotonic()
        if self._pace is None:
            batches, validation = int(trainer.num_training_batches), int(sum(trainer.num_val_batches))
            self._pace = Pace(self._run.epochs, batches, validation)
        elif self._batches:
            self._pace.epoch_end(now - self._since)
        self._since, self._batches = now, 0

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count a batch."""
        assert self._pace is not None
        now = time.monotonic()
        self._busy += now - self._since
        self._pace.batch(now - self._since)
        self._since, self._batches = now, batch_idx + 1
        self._images += len(batch.labels) * trainer.world_size
        self.images_per_second = self._images / self._busy
        if now - self._written > _INTERVAL:
            self._written = now
            self._write(trainer, pl_module, trainer.current_epoch, self._batches)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Show the epoch's accuracy."""
        self._write(trainer, pl_module, trainer.current_epoch + 1, 0)

    def _write(self, trainer: Trainer, module: LightningModule, finished: int, batches: int) -> None:
        if not trainer.is_global_zero or self._pace is None or not self.images_per_second:
            return
        figures: dict[str, float] = module.figures  # type: ignore[assignment]
        extra = {"val_top1": figures["val/top1"]} if "val/top1" in figures else {}
        if (left := self._pace.seconds_left(finished, batches)) is not None:
            extra |= {"seconds_left": left, "seconds": self._pace.seconds or 0.0}
        write_status(
            self._directory,
            state=State.TRAINING,
            epoch=finished,
            epochs=self._run.epochs,
            step=trainer.global_step,
            steps=self._run.total,
            images_per_second=self.images_per_second,
            **extra,
        )
