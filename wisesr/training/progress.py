"""How far a cell has come, written to `status.json` twice a second for whoever watches; what the time went to, in its log."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from wisesr.data.augmentation import Standard
from wisesr.data.datamodule import ImageData
from wisesr.data.decoded import why_not_kept
from wisesr.results.state import State
from wisesr.results.status_file import write_status
from wisesr.training.epoch_time import (
    COMPUTING,
    MOVING,
    WAITING,
    CudaStopwatch,
    Feeding,
    Stopwatch,
    advise,
    describe_epoch,
    stopwatch,
)
from wisesr.training.pace import Pace
from wisesr.types import Steps, usable_cores

log = logging.getLogger(__name__)

_INTERVAL, _LONGEST = 0.5, 5.0
"""Seconds between two writings of the status, and between those on a slow disk."""
_SHARE = 0.005
"""Of the time, that writing may take: a file is replaced in .1 to 4 ms, on a network's disk in many times that."""


class Progress(Callback):
    """Steps, images/s and the time that is left."""

    def __init__(self, directory: Path, steps: Steps) -> None:
        self.images_per_second = 0.0
        """Over all training batches of this attempt, data loading included, validation not."""
        self._directory, self._run = directory, steps
        self._busy, self._images = 0.0, 0
        self._since = self._written = 0.0
        self._interval = _INTERVAL
        self._pace: Pace | None = None
        self._batches = 0
        """Training batches of the epoch that are done."""
        self._spent = Stopwatch()
        self._until_batch_starts = WAITING
        """What time goes to before the model sees a batch, where nothing else is known of that stretch."""
        self._advised = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take the device's clock; on a GPU the data tell when a batch has come, and what follows is its way to the device."""
        self._spent, data = stopwatch(trainer.strategy.root_device), getattr(trainer, "datamodule", None)
        if isinstance(self._spent, CudaStopwatch) and isinstance(data, ImageData):
            data.arrived = lambda: self._spent.end_of(WAITING) if trainer.training else None
            self._until_batch_starts = MOVING

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock of the pace; it stands still while validating, which takes a time of its own."""
        now = time.monotonic()
        if self._pace is None:
            batches, validation = int(trainer.num_training_batches), int(sum(trainer.num_val_batches))
            self._pace = Pace(self._run.epochs, batches, validation)
        elif self._batches:
            self._pace.epoch_end(now - self._since)
        self._since, self._batches = now, 0
        self._spent.start()

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """From here on the model computes."""
        self._spent.end_of(self._until_batch_starts)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count a batch."""
        assert self._pace is not None
        self._spent.end_of(COMPUTING)
        now = time.monotonic()
        self._busy += now - self._since
        self._pace.batch(now - self._since)
        self._since, self._batches = now, batch_idx + 1
        self._images += len(batch.labels) * trainer.world_size
        self.images_per_second = self._images / self._busy
        if now - self._written > self._interval:
            self._written = now
            self._write(trainer, pl_module, trainer.current_epoch, self._batches)
            self._interval = min(max(_INTERVAL, (time.monotonic() - now) / _SHARE), _LONGEST)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Show the epoch's accuracy."""
        self._write(trainer, pl_module, trainer.current_epoch + 1, 0)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Tell what the epoch's training has waited for, and once what may help."""
        seconds = self._spent.take()
        if not trainer.is_global_zero:
            return
        log.info("epoch %d/%d: %s", trainer.current_epoch + 1, self._run.epochs, describe_epoch(seconds))
        if not self._advised and (advice := advise(seconds, _feeding(trainer))):
            self._advised = True
            log.info("%s", advice)

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


def _feeding(trainer: Trainer) -> Feeding:
    data = getattr(trainer, "datamodule", None)
    cores = (data.cores if isinstance(data, ImageData) else usable_cores()) // trainer.num_devices
    workers = int(getattr(trainer.train_dataloader, "num_workers", 0))
    on_gpu = trainer.strategy.root_device.type == "cuda"
    reads, kept_by = _reading(data) if isinstance(data, ImageData) else ("files", None)
    return Feeding(workers, cores, torch.get_num_threads(), on_gpu, reads, kept_by)


def _reading(data: ImageData) -> tuple[str, str | None]:
    """`reads` and `kept_by` of `Feeding`."""
    if data.maps is not None or True in data.kept:
        return "decoded" if data.maps is None else "maps", None
    if why_not_kept(data.manifest) is not None:
        return "files", None
    if data.augment.view(training=True) is not None:
        return "files", "auto"
    return "files", "reduced" if isinstance(data.augment, Standard) else None
