"""Lightning's trainer, as a cell needs it."""

from __future__ import annotations

import logging
import os
import warnings
from typing import Any, NamedTuple

import torch
from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Trainer

from wisesr.errors import UserError
from wisesr.training.batch_parts import SynchronisedBatchNorm, require_several_gpus
from wisesr.training.streamed_checkpoints import StreamedCheckpoints

_SRUN = ".*The `srun` command is available on your system but is not used.*"
"""Lightning's advice where Slurm's client is installed. A cell starts its processes itself, unless it takes several nodes."""


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


def make_trainer(settings: TrainerSettings, epochs: int, callbacks: list[Any]) -> Trainer:
    """Lightning's trainer; whoever calls this silences its advice (`silence_advice`).

    Raises:
        UserError: the device or precision cannot be had.
    """
    if settings.deterministic:
        # cuBLAS needs it before its first call: https://docs.nvidia.com/cuda/cublas/#results-reproducibility
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        # Filling fresh memory guards against bugs, not against chance, and costs time.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=_SRUN)
            trainer = _lightning_trainer(settings, epochs, callbacks)
    except MisconfigurationException as error:
        raise UserError(f"trainer: {error} (trainer=auto takes what there is)") from error
    if trainer.precision != settings.precision:  # Lightning falls back with no more than a warning
        raise UserError(f"trainer.precision={settings.precision} cannot be had on this device, only {trainer.precision}")
    if settings.sync_batchnorm:
        require_several_gpus(trainer.world_size, trainer.strategy.root_device.type)
    return trainer


def _lightning_trainer(settings: TrainerSettings, epochs: int, callbacks: list[Any]) -> Trainer:
    plugins: list[Any] = [StreamedCheckpoints(), *_environment(settings)]
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
        plugins=plugins,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )


def _environment(settings: TrainerSettings) -> list[ClusterEnvironment]:
    """How the processes of a cell know of one another; nothing where Lightning is to find out.

    Inside a Slurm job it would take the ranks of whatever `srun` runs, and write checkpoints in mid-epoch when it is preempted.

    Raises:
        UserError: srun has started another number of processes than the cell has devices.
    """
    tasks = int(os.environ.get("SLURM_STEP_NUM_TASKS", "1")) if "SLURM_PROCID" in os.environ else 1
    if TorchElasticEnvironment.detect():
        return []
    if tasks > 1:
        if tasks != settings.devices * settings.num_nodes:
            raise UserError(
                f"srun has started {tasks} processes of this cell, which takes {settings.devices * settings.num_nodes}: "
                f"srun --nodes={settings.num_nodes} --ntasks-per-node={settings.devices} (trainer.num_nodes, trainer.devices)"
            )
        os.environ.setdefault("SLURM_NTASKS_PER_NODE", str(settings.devices))  # Lightning wants to be told
        return [SLURMEnvironment(auto_requeue=False)]
    return [] if settings.num_nodes > 1 else [LightningEnvironment()]


def silence_advice() -> None:
    """Advice of Lightning's that is wrong here, in a process whose every warning would reach the user."""
    # Batches are decoded in this process on CPU, on purpose: see ImageData.
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=_SRUN)
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
