"""Fit, choose the epoch, test: one cell's computation from objects to figures."""

from __future__ import annotations

import logging
import os
import signal
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Trainer
from numpy.typing import NDArray

from wisesr.data.datamodule import ImageData
from wisesr.errors import UserError
from wisesr.results.cell_files import BEST, LAST
from wisesr.results.kernels import write_kernels
from wisesr.results.metrics import METRICS, Row, write_metrics
from wisesr.results.predictions import Predictions, write_predictions
from wisesr.results.state import State
from wisesr.results.status_file import write_status
from wisesr.training.batch_parts import SynchronisedBatchNorm, require_several_gpus
from wisesr.training.epoch_checkpoint import EpochCheckpoint, require_finite
from wisesr.training.kernels import learned_kernel
from wisesr.training.loggers.base import RunLogger
from wisesr.training.module import ClassificationModule
from wisesr.training.progress import Progress
from wisesr.types import Budget

log = logging.getLogger(__name__)


class TrainerSettings(NamedTuple):
    """Settings of Lightning's trainer, keys of `trainer`: the others belong to the process, to the module or to the budget."""

    accelerator: str
    devices: int
    num_nodes: int
    strategy: str
    precision: str
    compile: bool
    sync_batchnorm: bool
    accumulate: int
    clip: float | None
    deterministic: bool


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
) -> Outcome:
    """Train to the last epoch or as far as `budget` allows, from `last.ckpt` where there is one; then test the best weights.

    Checkpoints, metrics.csv, predictions.npz and kernels.npz go to the cell's directory.

    Raises:
        UserError: the device or precision cannot be had, an image cannot be read, training diverged.
    """
    checkpoint = EpochCheckpoint(directory, loggers, budget)
    progress = Progress(directory, module.steps)
    last = directory / LAST
    with warnings.catch_warnings():
        _silence()
        trainer = make_trainer(settings, module.steps.epochs, [progress, checkpoint])
        if settings.compile:
            module.model.compile()
        try:
            trainer.fit(module, data, ckpt_path=last if last.exists() else None, weights_only=True)
            checkpoint.start_loggers(trainer)
            chosen = _test(trainer, module, data, checkpoint, directory)
        except BaseException:
            if trainer.strategy.launcher is not None:
                trainer.strategy.launcher.kill(signal.SIGKILL)  # the other devices' processes would wait for this one
            raise
    stopped = checkpoint.stopped(module.steps.epochs)
    return Outcome(chosen, checkpoint.rows[-1], stopped, checkpoint.seconds, progress.images_per_second)


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


def make_trainer(settings: TrainerSettings, epochs: int, callbacks: list[Any]) -> Trainer:
    """Lightning's trainer; whoever calls this silences its advice.

    Raises:
        UserError: the device or precision cannot be had.
    """
    if settings.deterministic:
        # cuBLAS needs it before its first call: https://docs.nvidia.com/cuda/cublas/#results-reproducibility
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        # Filling fresh memory guards against bugs, not against chance, and costs time.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    try:
        trainer = _lightning_trainer(settings, epochs, callbacks)
    except MisconfigurationException as error:
        raise UserError(f"trainer: {error} (trainer=auto takes what there is)") from error
    if trainer.precision != settings.precision:  # Lightning falls back with no more than a warning
        raise UserError(f"trainer.precision={settings.precision} cannot be had on this device, only {trainer.precision}")
    if settings.sync_batchnorm:
        require_several_gpus(trainer.world_size, trainer.strategy.root_device.type)
    return trainer


def _lightning_trainer(settings: TrainerSettings, epochs: int, callbacks: list[Any]) -> Trainer:
    # Inside a Slurm job Lightning would take ranks from srun and write checkpoints in mid-epoch when it is preempted.
    external = settings.num_nodes > 1 or TorchElasticEnvironment.detect()
    plugins: list[Any] = [] if external else [LightningEnvironment()]
    plugins += [SynchronisedBatchNorm()] * settings.sync_batchnorm
    return Trainer(
        accelerator=settings.accelerator,
        devices=settings.devices,
        num_nodes=settings.num_nodes,
        strategy=settings.strategy,
        precision=settings.precision,  # type: ignore[arg-type]
        accumulate_grad_batches=settings.accumulate,
        gradient_clip_val=settings.clip,
        deterministic=settings.deterministic,
        max_epochs=epochs,
        callbacks=callbacks,
        plugins=plugins or None,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )


def _silence() -> None:
    """Advice of Lightning's that is wrong here, in a process whose every warning would reach the user."""
    # Batches are decoded in this process on CPU, on purpose: see ImageData.
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    # It looks for a logger's flush interval, and there is no Lightning logger.
    warnings.filterwarnings("ignore", message=".*The number of training batches.*")
    # Its fallback to another precision, of which make_trainer makes an error.
    warnings.filterwarnings("ignore", message=".*AMP with fp16 is not supported on CPU.*")
    # Lightning against torch's new pytree: https://github.com/Lightning-AI/pytorch-lightning/issues/21326
    warnings.filterwarnings("ignore", message=".*isinstance\\(treespec, LeafSpec\\).*")
    # Frozen parts of a backbone are in eval mode on purpose.
    warnings.filterwarnings("ignore", message=".*module\\(s\\) in eval mode at the start of training.*")
    # Which accelerators there are not, and advertisements.
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)


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
