"""Studies as training leaves them, without training: every file of a cell, written by the code that training uses.

Configurations are composed as train.py composes them, and right by the project's own check. The figures are drawn, and
consistent with one another: predictions.npz has just the top-1 that the record states.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.configs import composed
from wisesr.config.check import check
from wisesr.config.files import to_yaml
from wisesr.config.identity import cell_dir, fingerprint
from wisesr.config.options import options
from wisesr.results.atomic_files import write_text
from wisesr.results.kernels import summarize, write_kernels
from wisesr.results.metrics import write_metrics
from wisesr.results.predictions import Predictions, write_predictions
from wisesr.results.record_file import write_record
from wisesr.results.state import State
from wisesr.results.status_file import write_status

IMAGES, CLASSES = 50, 5
CHANNELS, SIDE = 512, 7
"""Of the feature map."""
_KERNEL_SIDES = {"wise": 3, "depthwise": SIDE}
"""Of heads whose names begin so; one that permutes the positions of each image has no kernel of its own."""
_FOLDERS = tempfile.TemporaryDirectory(prefix="datasets-")


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
    """A cell's configuration, as train.py composes and accepts it.

    Args:
        root: where cells go, `output_dir`.
        head: an option of conf/head; another name is that of a head with gap's settings.
        backbone: an option of conf/backbone; another name is that of a backbone with resnet18's settings.
        dataset: the name of a folder of images.
        size: pixels.
        seed: of the cell.
        study: its name.
        epochs: to be trained.
        changes: by dotted names, `{"recipe.optimizer.lr": 0.1}`.
    """
    config = copy.deepcopy(_composed(head, backbone))
    _change(config, "head.name", head)
    _change(config, "backbone.name", backbone)
    _change(config, "dataset.name", dataset)
    _change(config, "dataset.root", str(_dataset_folder(dataset)))
    _change(config, "resolution.size", size)
    _change(config, "recipe.epochs", epochs)
    config |= {"study": study, "seed": seed, "output_dir": str(root)}
    for name, value in (changes or {}).items():
        _change(config, name, copy.deepcopy(value))
    return _checked(config)


@cache
def _composed(head: str, backbone: str) -> dict[str, Any]:
    return composed(
        f"head={head if head in options('head') else 'gap'}",
        f"backbone={backbone if backbone in options('backbone') else 'resnet18'}",
        "dataset=folder",
        f"dataset.root={_dataset_folder('toy')}",
        "dataset.resolution=64",
        "recipe=quick",
        "augment=none",
        "trainer=auto",
        "logger=none",
    )


@cache
def _dataset_folder(name: str) -> Path:
    """A folder that exists; its images are gone, as those of a study may be that is reported years later."""
    folder = Path(_FOLDERS.name, name)
    folder.mkdir()
    return folder


def _change(config: dict[str, Any], name: str, value: Any) -> None:
    *groups, key = name.split(".")
    node = config
    for group in groups:
        node = node[group]
    node[key] = value


def _checked(config: dict[str, Any]) -> dict[str, Any]:
    assert check(config, trains=False) == []
    return config


def write_waiting(config: Mapping[str, Any]) -> Path:
    """A cell that was never started."""
    config = _checked(copy.deepcopy(dict(config)))
    directory = cell_dir(config, fingerprint(config))
    directory.mkdir(parents=True)
    write_text(directory / "config.yaml", to_yaml(config))
    return directory


def write_failed(config: Mapping[str, Any], reason: str) -> Path:
    """A cell that ended with an error."""
    directory = write_waiting(config)
    write_status(directory, state=State.FAILED, reason=reason, told=True)
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
    first: int = 0,
) -> Path:
    """A finished cell.

    Args:
        config: as of `cell_config`.
        top1: on the test images; rounded to whole images.
        val_top1: of the chosen epoch, which is the last of the best of `curve`.
        curve: validation top-1, an epoch each; by default it rises to `val_top1`.
        provenance: what is unlike the others there; keys that it does not name stay, at every depth.
        record: what is unlike the others in the record, likewise: `metrics`, `budget`, `cost`, `selection`.
        images: of the test split.
        classes: of them.
        draw: seed of everything that is drawn.
        first: number of the first test image: another split has others.
    """
    directory = write_waiting(config)
    random = np.random.default_rng([draw, int(config["seed"])])
    epochs = int(config["recipe"]["epochs"])
    final = top1 if val_top1 is None else val_top1
    values = list(curve or [final * (1 - 0.5 ** (epoch + 1)) / (1 - 0.5**epochs) for epoch in range(epochs)])
    rows = [_epoch(number, value) for number, value in enumerate(values, start=1)]
    best = max(rows, key=lambda row: (row["val/top1"], -row["val/loss"]))
    right = round(top1 * images)
    best |= {"test/loss": 0.5, "test/top1": right / images, "test/macro_f1": right / images, "test/ece": 0.05}
    write_metrics(directory / "metrics.csv", rows)
    write_predictions(directory, _predictions(random, right, images, classes, first))
    side = _KERNEL_SIDES.get(str(config["head"]["name"]).split("_")[0])
    if side and config["head"].get("shuffle") != "image":
        planes = [np.maximum(random.normal(0.02, 0.02, (16, side, side)), 0).astype(np.float32) for _ in rows]
        planes = planes if config["head"].get("learnable", True) else planes[:1] * len(rows)
        write_kernels(directory, planes[int(best["epoch"]) - 1], range(1, len(rows) + 1), list(map(summarize, planes)))
    head_parameters = CHANNELS * classes + classes + (CHANNELS * (side * side + 1) if side else 0)
    pace = 70.0 + float(random.normal())
    stated = {
        "fingerprint": fingerprint(config),
        "config": config,
        "protocol": config["protocol"],
        "selection": _selection(str(config["protocol"]), images),
        "metrics": {"best": best, "last": rows[-1]},
        "budget": {"epochs": epochs, "trained_epochs": len(rows), "steps": int(rows[-1]["step"]), "stopped": None},
        "cost": _cost(head_parameters, 20.0 * len(rows), pace),
        "provenance": _provenance(images),
    }
    write_record(directory, _merged(stated, {**(record or {}), "provenance": provenance or {}}))
    write_text(directory / "log.txt", f"seed {config['seed']}\n<script>alert(1)</script> is no script in a log\n")
    write_status(directory, state=State.DONE)
    return directory


def _merged(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The values with the changes, at every depth; a key that is not there may be added."""
    merged = dict(values)
    for key, value in changes.items():
        before = merged.get(key)
        merged[key] = _merged(before, value) if isinstance(before, Mapping) and isinstance(value, Mapping) else value
    return merged


def _epoch(number: int, val_top1: float) -> dict[str, float]:
    """A row of metrics.csv."""
    losses = {"train/loss": 2.0 / number, "val/loss": 2.1 / number}
    return {
        "epoch": number,
        "step": 40 * number,
        "lr": 0.001,
        **losses,
        "val/top1": val_top1,
        "val/macro_f1": val_top1,
        "val/ece": 0.1,
    }


def _selection(protocol: str, images: int) -> str:
    if protocol == "paper":
        return f"highest top-1 on the {images} test images themselves, looked at every epoch"
    return "highest top-1 on 30 held-out images; the test split was read once"


def _cost(head_parameters: int, seconds: float, pace: float) -> dict[str, Any]:
    """Args: pace: images in a second."""
    return {
        "parameters": {
            "backbone_parameters": 11_176_512,
            "head_parameters": head_parameters,
            "trainable_parameters": 11_176_512 + head_parameters,
        },
        "flops": {"backbone": 296_091_648, "head": 14_336},
        "feature_map": [CHANNELS, SIDE, SIDE],
        "train_seconds": seconds,
        "images_per_second": pace,
        "peak_memory_bytes": 1_338_216_448,
    }


def _predictions(random: np.random.Generator, right: int, images: int, classes: int, first: int) -> Predictions:
    labels = np.arange(images) % classes
    said = labels.copy()
    wrong = random.permutation(images)[: images - right]
    said[wrong] = (labels[wrong] + random.integers(1, classes, len(wrong))) % classes
    logits = random.normal(size=(images, classes))
    logits[np.arange(images), said] = logits.max(axis=1) + 1
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    ids = np.array([f"test/class{label}/{index:04d}.png" for index, label in enumerate(labels, start=first)])
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
