"""Fit, choose the epoch, test: one cell's computation from objects to figures."""

from __future__ import annotations

import signal
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from lightning.pytorch import Trainer
from numpy.typing import NDArray

from wisesr.data.datamodule import ImageData
from wisesr.results.cell_files import BEST, LAST
from wisesr.results.kernels import write_kernels
from wisesr.results.metrics import METRICS, Row, write_metrics
from wisesr.results.predictions import Predictions, write_predictions
from wisesr.results.state import State
from wisesr.results.status_file import write_status
from wisesr.training.epoch_checkpoint import EpochCheckpoint, require_finite
from wisesr.training.hidden_gpus import hidden_gpus
from wisesr.training.keep_maps import KeepMaps
from wisesr.training.kernels import learned_kernel
from wisesr.training.loggers.base import RunLogger
from wisesr.training.module import ClassificationModule
from wisesr.training.progress import Progress
from wisesr.training.trainer import TrainerSettings, make_trainer, silence_advice
from wisesr.types import Budget


class Outcome(NamedTuple):
    """What a fit leaves."""

    best: Row
    """Figures of the chosen epoch, and its test."""
    last: Row
    """Figures of the last epoch."""
    stopped: str | None
    """Why that was not the last one planned: "patience", "max_time"; None if it was."""
    seconds: float
    """Of training, validation included, over all attempts."""
    images_per_second: float
    """Of training in the last attempt; 0 if it had nothing left to train."""


def fit(
    module: ClassificationModule,
    data: ImageData,
    settings: TrainerSettings,
    *,
    directory: Path,
    loggers: Sequence[RunLogger],
    budget: Budget = Budget(),  # noqa: B008  # a tuple, which nobody can change
    maps: KeepMaps | None = None,
) -> Outcome:
    """Train to the last epoch or as far as `budget` allows, from `last.ckpt` where there is one; then test the best weights.

    Checkpoints, metrics.csv, predictions.npz and kernels.npz go to the cell's directory. With `maps`, a backbone that is frozen
    is computed once for all cells.

    Raises:
        UserError: the device or precision cannot be had, an image cannot be read, training diverged.
    """
    checkpoint = EpochCheckpoint(directory, loggers, budget)
    progress = Progress(directory, module.steps)
    last = directory / LAST
    with warnings.catch_warnings():
        silence_advice()
        trainer = make_trainer(settings, module.steps.epochs, [progress, checkpoint, *([] if maps is None else [maps])])
        if settings.compile:
            module.model.compile()
        try:
            with hidden_gpus(trainer.strategy.root_device):
                trainer.fit(module, data, ckpt_path=last if last.exists() else None, weights_only=True)
                checkpoint.start_loggers(trainer)
                _forget_optimizer(trainer)
                chosen = _test(trainer, module, data, checkpoint, directory)
        except BaseException:
            if trainer.strategy.launcher is not None:
                trainer.strategy.launcher.kill(signal.SIGKILL)  # the other devices' processes would wait for this one
            raise
    stopped = checkpoint.stopped(module.steps.epochs)
    return Outcome(chosen, checkpoint.rows[-1], stopped, checkpoint.seconds, progress.images_per_second)


def _forget_optimizer(trainer: Trainer) -> None:
    """Free gradients and the optimizer's state, which last.ckpt holds: test and `compute_time` take room of their own."""
    for optimizer in trainer.optimizers:
        optimizer.zero_grad()
        optimizer.state.clear()


def _test(trainer: Trainer, module: ClassificationModule, data: ImageData, checkpoint: EpochCheckpoint, directory: Path) -> Row:
    """Read the test split with the best weights; its figures beside those of the chosen epoch."""
    assert checkpoint.best is not None
    if trainer.is_global_zero:
        write_status(directory, state=State.TESTING, epoch=int(checkpoint.rows[-1]["epoch"]), epochs=module.steps.epochs)
    best = torch.load(directory / BEST, map_location="cpu", weights_only=True)
    module.load_state_dict(best["state_dict"])
    trainer.test(module, data, verbose=False)
    tested = {name: value for name, value in module.figures.items() if name.startswith("test/")}
    require_finite(tested, "on the test split")
    chosen = checkpoint.best | tested
    _write_predictions(trainer, module, data, directory)
    if trainer.is_global_zero:
        if (kernel := learned_kernel(module.measured)) is not None:
            epochs = [int(row["epoch"]) for row in checkpoint.rows]
            write_kernels(directory, kernel, epochs, checkpoint.kernels)
        rows = [chosen if row["epoch"] == chosen["epoch"] else row for row in checkpoint.rows]
        write_metrics(directory / METRICS, rows)
    return chosen


def _write_predictions(trainer: Trainer, module: ClassificationModule, data: ImageData, directory: Path) -> None:
    """`predictions.npz`: what all devices predicted for the test split, in the manifest's order, and the classes' names."""
    mine = [torch.cat(parts).numpy() for parts in zip(*module.predictions, strict=True)]
    gathered: list[list[NDArray[Any]]] = [mine]
    if trainer.world_size > 1:
        gathered = [[] for _ in range(trainer.world_size)]
        torch.distributed.all_gather_object(gathered, mine)
    if not trainer.is_global_zero:
        return
    positions, labels, probabilities = (np.concatenate(parts) for parts in zip(*gathered, strict=True))
    order = np.argsort(positions)
    ids = np.array([data.manifest.ids[position] for position in positions[order]])
    write_predictions(
        directory,
        Predictions(ids, labels[order], probabilities[order].astype(np.float32), tuple(data.manifest.class_names)),
    )
