"""Small real things for the tests: images made on the fly, a toy backbone of timm's, cells in a temporary folder."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.support.images import paint

# Before wandb is imported by anything: no test talks to a server, none depends on this machine's login.
os.environ["WANDB_MODE"] = "offline"
os.environ.pop("WANDB_API_KEY", None)

# `make test` runs several processes beside each other: together they would be far slower than one with several threads each.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# A script that runs the tests in the background has SIGINT ignored, and so would all processes that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`train/` and `test/` with three classes of 20 and 6 images."""
    root = tmp_path_factory.mktemp("images") / "corners"
    for split, count in (("train", 20), ("test", 6)):
        for label in range(3):
            for index in range(count):
                paint(root / split / f"class{label}" / f"{index:02d}.png", label, index + (100 if split == "test" else 0))
    return root


@pytest.fixture
def config(images: Path, tmp_path: Path) -> dict[str, Any]:
    """A cell that trains in a second: a toy backbone at 64 px, three epochs."""
    return {
        "backbone": {
            "name": "toy",
            "_target_": "wisesr.models.backbones.TimmBackbone",
            "model": "test_efficientnet",
            "weights": None,
            "output_stride": None,
            "freeze": None,
        },
        "head": {
            "name": "wise_dropout",
            "_target_": "wisesr.models.heads.wise.WiseHead",
            "pre_pool": None,
            "non_negative": "projection",
            "dropout": 0.25,
        },
        "dataset": {
            "name": "corners",
            "_target_": "wisesr.data.folder.folder",
            "root": str(images),
            "csv": None,
            "train": "train",
            "val": "val",
            "test": "test",
            "on_bad_image": "error",
            "resolution": 64,
            "test_fraction": 0.2,
            "val_fraction": 0.1,
            "split_seed": 0,
            "workers": "auto",
        },
        "resolution": {"size": 64},
        "recipe": {
            "epochs": 3,
            "batch_size": 16,
            "label_smoothing": 0.0,
            "class_weights": "none",
            "head_lr_scale": 1.0,
            "mixup": 0.0,
            "cutmix": 0.0,
            "ema": None,
            "patience": None,
            "init": "timm",
            "batch_norm": "timm",
            "structure": "timm",
            "head_init": "normal",
            "optimizer": {"_target_": "wisesr.training.optimizers.adamw", "lr": 0.002, "weight_decay": 0.01},
            "schedule": {"_target_": "wisesr.training.schedules.cosine", "warmup": 0.2},
        },
        "augment": {
            "_target_": "wisesr.data.augmentation.Standard",
            "min_area": 0.5,
            "max_area": 1.0,
            "flip": 0.5,
        },
        "trainer": {
            "accelerator": "cpu",
            "devices": 1,
            "num_nodes": 1,
            "strategy": "auto",
            "precision": "32-true",
            "channels_last": True,
            "compile": False,
            "accumulate": 1,
            "clip": None,
            "deterministic": True,
            "threads": 1,
            "max_time": None,
        },
        "logger": {},
        "study": "tests",
        "seed": 0,
        "protocol": "holdout",
        "output_dir": str(tmp_path / "outputs"),
    }
