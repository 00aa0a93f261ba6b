"""A logger with something to tell, and reading its `.wandb` file, as wandb ships nothing that does."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wisesr.training.loggers.base import Findings, Run
from wisesr.training.loggers.wandb import WandbLogger

ROWS = [{"epoch": float(n), "step": 4.0 * n, "lr": 0.1, "train/loss": 1 / n, "val/top1": 0.2 * n} for n in (1, 2, 3)]

NOTHING = Findings(None, None, ())


def records(file: Path) -> Iterator[Any]:
    """The records of a .wandb file: a LevelDB log (blocks of 32 KiB, chunks of checksum, length, kind) after 7 bytes."""
    from wandb.proto import wandb_internal_pb2

    data, position, whole = file.read_bytes(), 7, b""
    while position + 7 <= len(data):
        if (left := 32768 - position % 32768) < 7:
            position += left
            continue
        length, kind = struct.unpack_from("<HB", data, position + 4)
        whole += data[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):  # a full record, or its last chunk
            record = wandb_internal_pb2.Record()
            record.ParseFromString(whole)
            yield record
            whole = b""


def history(file: Path) -> list[dict[str, Any]]:
    rows = []
    for record in records(file):
        if record.HasField("history"):
            rows.append({item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in record.history.item})
    return rows


def logger(run: Run) -> WandbLogger:
    return WandbLogger(run, project="p", entity=None, init_timeout=5.0)


def summary_of(folder: Path) -> dict[str, Any]:
    """The last value of each figure; nested names joined by a point, as W&B shows them."""
    (file,) = folder.glob("*.wandb")
    found: dict[str, Any] = {}
    for record in records(file):
        if record.HasField("summary"):
            for item in record.summary.update:
                found[".".join(item.nested_key) or item.key] = json.loads(item.value_json)
    return found
