"""Finished cells with W&B files beside their record: real ones, written by wandb, without training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image

from tests.support.studies import cell_config, write_cell
from wisesr.build.run_name import run_name
from wisesr.results.installation import write_command
from wisesr.results.kernels import read_kernels
from wisesr.results.predictions import read_predictions
from wisesr.training.loggers.base import Findings, HardImage, Run
from wisesr.training.loggers.wandb import WandbLogger

ROWS = [{"epoch": float(n), "step": 40.0 * n, "lr": 0.001, "train/loss": 2.0 / n, "val/top1": 0.2 * n} for n in (1, 2, 3)]


def offline_cell(root: Path, **given: Any) -> Path:
    """A finished cell and its offline run. Settings as of `cell_config`."""
    config = cell_config(root, **given)
    cell = write_cell(config)
    hard = HardImage("test/0.png", Image.new("RGB", (8, 8)), "class0", "class1", 0.1, 2.3)
    command = ["train.py", f"head={config['head']['name']}"]
    write_command(cell, command)
    run = Run(cell, run_name(config, command), config["study"], (config["head"]["name"],), config)
    logger = WandbLogger(run, project="p", entity=None, init_timeout=5.0)
    kernels = read_kernels(cell)
    logger.start([])
    for row, summary in zip(ROWS, kernels.history if kernels else [None] * len(ROWS), strict=True):
        if summary is not None:
            logger.kernel(int(row["epoch"]), summary)
        logger.epoch(row, [])
    logger.finish({"best/test/top1": 0.8}, Findings(None, read_predictions(cell), (hard,)))
    return cell


def pretend_offline(cell: Path, name: str = "offline-run-20260101_000000-abcd1234") -> Path:
    """The folder and file of an offline run, with nothing in it."""
    folder = cell / "wandb" / name
    folder.mkdir(parents=True)
    (folder / f"run-{name.rpartition('-')[2]}.wandb").write_bytes(b"")
    return folder
