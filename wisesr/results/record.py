"""The record of a finished cell, `result.json`: what was computed, how, by which code, from which data.

It is written last and atomically: a directory with a valid record holds everything else too.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wisesr.results.files import read_json, write_json, write_text

SCHEMA = 1
CONFIG = "config.yaml"
RESULT = "result.json"
METRICS = "metrics.csv"
PREDICTIONS = "predictions.npz"
BEST, LAST = "best.ckpt", "last.ckpt"
LOG = "log.txt"
STATUS = "status.json"

Row = dict[str, float]
_COLUMNS = ("loss", "top1", "top5", "macro_f1", "ece")


def write_record(
    directory: Path,
    *,
    fingerprint: str,
    config: Mapping[str, Any],
    metrics: Mapping[str, Mapping[str, float]],
    budget: Mapping[str, Any],
    selection: str,
    cost: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> None:
    """`result.json` of a finished cell.

    Args:
        directory: of the cell.
        fingerprint: of the configuration.
        config: as in `config.yaml`.
        metrics: `best`: figures of the chosen epoch with its test; `last`: of the last epoch. Nothing timed.
        budget: epochs planned and trained, steps, and why training ended early if it did.
        selection: in words, on which images the epoch was chosen.
        cost: parameters, FLOPs, seconds, images/s, memory.
        provenance: commit, versions, hardware, threads, data.
    """
    write_json(
        directory / RESULT,
        {
            "schema": SCHEMA,
            "status": "done",
            "fingerprint": fingerprint,
            "config": config,
            "protocol": config["protocol"],
            "selection": selection,
            "metrics": metrics,
            "budget": budget,
            "cost": cost,
            "provenance": provenance,
        },
    )


def read_record(directory: Path) -> dict[str, Any] | None:
    """The record in a cell's directory; None where there is none, or none that this version can read."""
    record = read_json(directory / RESULT)
    if not isinstance(record, dict) or record.get("schema") != SCHEMA or record.get("status") != "done":
        return None
    return record


def write_metrics(path: Path, rows: Sequence[Row]) -> None:
    """`metrics.csv`: a row an epoch; figures to the last bit, columns always in the same order."""
    names = ["epoch", "step", "lr", "train/loss"] + [f"{split}/{name}" for split in ("val", "test") for name in _COLUMNS]
    present = [name for name in names if any(name in row for row in rows) or ("test/" not in name and "top5" not in name)]
    text = io.StringIO()
    writer = csv.DictWriter(text, present, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows({name: repr(value) for name, value in row.items()} for row in rows)
    write_text(path, text.getvalue())


def read_metrics(directory: Path) -> list[Row]:
    """The rows of `metrics.csv`; empty figures are left out, a missing file has none."""
    try:
        with (directory / METRICS).open(newline="") as file:
            return [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]
    except FileNotFoundError:
        return []
