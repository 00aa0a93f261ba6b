"""Studies as training leaves them, without training: every file of a cell, written by the code that training uses.

The figures are drawn, and consistent with one another: predictions.npz has just the top-1 that the record states.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wisesr.config.files import to_yaml
from wisesr.config.identity import cell_dir, fingerprint
from wisesr.results.atomic_files import write_text
from wisesr.results.kernels import summarize, write_kernels
from wisesr.results.metrics import write_metrics
from wisesr.results.predictions import Predictions, write_predictions
from wisesr.results.record import write_record
from wisesr.results.status_file import write_status

IMAGES, CLASSES = 50, 5
_SIDES = {"wise": 3, "wise_dropout": 3, "depthwise": 7, "depthwise_nonneg": 7}
_HEADS: dict[str, dict[str, Any]] = {
    "gap": {"_target_": "wisesr.models.heads.gap.GAPHead", "dropout": 0.0},
    "wise": {
        "_target_": "wisesr.models.heads.wise.WiseHead",
        "pre_pool": None,
        "non_negative": "projection",
        "dropout": 0.0,
    },
    "depthwise": {"_target_": "wisesr.models.heads.depthwise.DepthwiseHead", "non_negative": "none", "dropout": 0.0},
    "depthwise_nonneg": {
        "_target_": "wisesr.models.heads.depthwise.DepthwiseHead",
        "non_negative": "projection",
        "dropout": 0.0,
    },
}


def cell_config(
    root: Path,
    *,
    head: str = "gap",
    backbone: str = "resnet18",
    dataset: str = "toy",
    size: int = 64,
    seed: int = 0,
    study: str = "study",
    epochs: int = 3,
    changes: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A cell's configuration, with `changes` by dotted names: `{"recipe.optimizer.lr": 0.1}`."""
    config: dict[str, Any] = {
        "backbone": {
            "name": backbone,
            "_target_": "wisesr.models.backbones.TimmBackbone",
            "model": backbone,
            "weights": None,
            "output_stride": None,
            "freeze": None,
        },
        "head": {"name": head, **_HEADS.get(head, _HEADS["gap"])},
        "dataset": {
            "name": dataset,
            "_target_": "wisesr.data.folder.folder",
            "resolution": 64,
            "root": f"/nowhere/{dataset}",
            "test_fraction": 0.2,
            "val_fraction": 0.1,
            "split_seed": 0,
            "workers": "auto",
        },
        "resolution": {"size": size},
        "recipe": {
            "epochs": epochs,
            "batch_size": 32,
            "head_lr_scale": 1.0,
            "optimizer": {"_target_": "wisesr.training.optimizers.adamw", "lr": 0.001, "weight_decay": 0.01},
            "schedule": {"_target_": "wisesr.training.schedules.cosine", "warmup": 0.2},
        },
        "augment": {"_target_": "wisesr.data.augmentation.Plain"},
        "trainer": {"accelerator": "auto", "devices": 1, "num_nodes": 1, "precision": "32-true", "threads": "auto"},
        "logger": {},
        "study": study,
        "seed": seed,
        "protocol": "holdout",
        "output_dir": str(root),
    }
    for name, value in (changes or {}).items():
        *groups, key = name.split(".")
        node = config
        for group in groups:
            node = node.setdefault(group, {})
        node[key] = value
    return config


def write_waiting(config: Mapping[str, Any]) -> Path:
    """A cell that was never started."""
    config = copy.deepcopy(dict(config))
    directory = cell_dir(config, fingerprint(config))
    directory.mkdir(parents=True)
    write_text(directory / "config.yaml", to_yaml(config))
    return directory


def write_failed(config: Mapping[str, Any], reason: str) -> Path:
    """A cell that ended with an error."""
    directory = write_waiting(config)
    write_status(directory, state="failed", reason=reason, told=True)
    return directory


def write_cell(
    config: Mapping[str, Any],
    *,
    top1: float = 0.8,
    val_top1: float | None = None,
    curve: Sequence[float] | None = None,
    provenance: Mapping[str, Any] | None = None,
    record: Mapping[str, Any] | None = None,
    images: int = IMAGES,
    classes: int = CLASSES,
    draw: int = 0,
    kernels: bool = True,
) -> Path:
    """A finished cell.

    Args:
        config: as of `cell_config`.
        top1: on the test images; rounded to whole images.
        val_top1: of the chosen epoch, which is the last of the best of `curve`.
        curve: validation top-1, an epoch each; by default it rises to `val_top1`.
        provenance: what is unlike the others there.
        record: what is unlike the others in the record: `budget`, `cost`, `selection`.
        images: of the test split.
        classes: of them.
        draw: seed of everything that is drawn.
        kernels: whether heads with a kernel have recorded it.
    """
    directory = write_waiting(config)
    random = np.random.default_rng([draw, int(config["seed"])])
    epochs = int(config["recipe"]["epochs"])
    final = top1 if val_top1 is None else val_top1
    values = list(curve or [final * (1 - 0.5 ** (epoch + 1)) / (1 - 0.5**epochs) for epoch in range(epochs)])
    rows: list[dict[str, float]] = []
    for epoch, value in enumerate(values, start=1):
        losses = {"train/loss": 2.0 / epoch, "val/loss": 2.1 / epoch}
        rows.append({"epoch": epoch, "step": 40 * epoch, "lr": 0.001, **losses, "val/top1": value})
    best = max(rows, key=lambda row: (row["val/top1"], -row["val/loss"]))
    right = round(top1 * images)
    best |= {"test/loss": 0.5, "test/top1": right / images, "test/macro_f1": right / images, "test/ece": 0.05}
    write_metrics(directory / "metrics.csv", rows)
    write_predictions(directory, _predictions(random, right, images, classes))
    side = _SIDES.get(str(config["head"]["name"]))
    if kernels and side:
        planes = [np.maximum(random.normal(0.02, 0.02, (16, side, side)), 0).astype(np.float32) for _ in rows]
        write_kernels(directory, planes[int(best["epoch"]) - 1], range(1, len(rows) + 1), list(map(summarize, planes)))
    head_parameters = 512 * classes + classes + (512 * (side * side + 1) if side else 0)
    stated = {
        "metrics": {"best": best, "last": rows[-1]},
        "budget": {"epochs": epochs, "trained_epochs": len(rows), "steps": 40 * len(rows), "stopped": None},
        "selection": "highest top-1 on 30 held-out images; the test split was read once",
        "cost": {
            "parameters": {
                "backbone_parameters": 11_176_512,
                "head_parameters": head_parameters,
                "trainable_parameters": 11_176_512 + head_parameters,
            },
            "flops": {"backbone": 296_091_648, "head": 14_336},
            "train_seconds": 20.0 * len(rows),
            "images_per_second": 70.0 + float(random.normal()),
            "peak_memory_bytes": 1_338_216_448,
        },
    } | dict(record or {})
    write_record(
        directory,
        fingerprint=fingerprint(config),
        config=config,
        provenance=_provenance(images) | dict(provenance or {}),
        **stated,
    )
    write_text(directory / "log.txt", f"seed {config['seed']}\n<script>alert(1)</script> is no script in a log\n")
    write_status(directory, state="done")
    return directory


def _predictions(random: np.random.Generator, right: int, images: int, classes: int) -> Predictions:
    labels = np.arange(images) % classes
    said = labels.copy()
    wrong = random.permutation(images)[: images - right]
    said[wrong] = (labels[wrong] + random.integers(1, classes, len(wrong))) % classes
    logits = random.normal(size=(images, classes))
    logits[np.arange(images), said] = logits.max(axis=1) + 1
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    ids = np.array([f"test/class{label}/{index:04d}.png" for index, label in enumerate(labels)])
    names = tuple(f"class{label}" for label in range(classes))
    return Predictions(ids, labels.astype(np.int64), probabilities.astype(np.float32), names)


def _provenance(images: int) -> dict[str, Any]:
    return {
        "commit": "1" * 40,
        "source": "a" * 64,
        "sources": ["a" * 64],
        "versions": {"python": "3.11.7", "wisesr": "0.1.0", "torch": "2.14.1", "timm": "1.0.31"},
        "hardware": {"host": "vm", "device": "cpu", "cpu": "a processor", "system": "Linux"},
        "threads": 2,
        "attempts": 1,
        "weights": {"source": None, "sha256": None, "tensors": None},
        "inputs": {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
        "data": {"fingerprint": "d" * 64, "images": {"train": 300, "test": images, "val": 30}, "left_out": []},
        "finished": "2026-11-22T12:00:00Z",
    }
