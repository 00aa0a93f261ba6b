"""Whole records, for tests that train nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wisesr.config.identity import fingerprint
from wisesr.results.atomic_files import write_json
from wisesr.results.cell_files import RESULT
from wisesr.results.record_file import SCHEMA, parse_record


def record_of(config: Mapping[str, Any], *, top1: float = 0.5, seconds: float = 60.0) -> dict[str, Any]:
    """The content of `result.json`, three epochs of training; the package can read it.

    Args:
        config: of the cell.
        top1: on the test images.
        seconds: of training.
    """
    measured = {"val/loss": 0.7, "val/top1": 0.5, "val/macro_f1": 0.5, "val/ece": 0.1}
    last = {"epoch": 3, "step": 12, "lr": 0.001, "train/loss": 0.6, **measured}
    content = {
        "schema": SCHEMA,
        "status": "done",
        "fingerprint": fingerprint(config),
        "config": dict(config),
        "protocol": config["protocol"],
        "selection": "highest top-1 on 6 held-out images; the test split was read once",
        "metrics": {
            "best": {**last, "test/loss": 0.8, "test/top1": top1, "test/macro_f1": 0.5, "test/ece": 0.1},
            "last": last,
        },
        "budget": {"epochs": 3, "trained_epochs": 3, "steps": 12, "stopped": None},
        "cost": {
            "parameters": {"backbone_parameters": 100, "head_parameters": 5, "trainable_parameters": 105},
            "flops": {"backbone": 2000, "head": 10},
            "feature_map": [4, 2, 2],
            "train_seconds": seconds,
            "images_per_second": 50.0,
            "peak_memory_bytes": None,
        },
        "provenance": {
            "commit": "1" * 40,
            "source": "a" * 64,
            "sources": ["a" * 64],
            "versions": {"python": "3.11.7", "torch": "2.6", "timm": "1"},
            "hardware": {"host": "here", "device": "cpu", "cpu": "a processor", "system": "Linux"},
            "threads": 1,
            "attempts": 1,
            "weights": {"source": None, "sha256": None, "tensors": None},
            "inputs": {"mean": [0.5] * 3, "std": [0.5] * 3},
            "data": {"fingerprint": "d" * 64, "images": {"train": 54, "val": 6, "test": 18}, "left_out": []},
            "finished": "2026-11-22T12:00:00Z",
        },
    }
    parse_record(content)
    return content


def finish(directory: Path, config: Mapping[str, Any], *, top1: float = 0.5, seconds: float = 60.0) -> None:
    """Write the record of a cell, as of `record_of`."""
    write_json(directory / RESULT, record_of(config, top1=top1, seconds=seconds))
