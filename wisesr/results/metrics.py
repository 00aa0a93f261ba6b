"""`metrics.csv`: the figures of each epoch of a cell."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from wisesr.results.atomic_files import write_text

METRICS = "metrics.csv"

Row = dict[str, float]
"""One epoch: `epoch`, `step`, `lr`, `train/loss`, `train/top1` where it is measured, and of each measured split `val/top1`,
`test/macro_f1`, ..."""

_COLUMNS = ("loss", "top1", "top5", "macro_f1", "ece")


def write_metrics(path: Path, rows: Sequence[Row]) -> None:
    """A row an epoch; figures to the last bit, columns always in the same order."""
    names = ["epoch", "step", "lr", "train/loss", "train/top1"] + [
        f"{split}/{name}" for split in ("val", "test") for name in _COLUMNS
    ]
    always = [name for name in names if "test/" not in name and "top5" not in name and name != "train/top1"]
    present = [name for name in names if name in always or any(name in row for row in rows)]
    text = io.StringIO()
    writer = csv.DictWriter(text, present, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows({name: repr(value) for name, value in row.items()} for row in rows)
    write_text(path, text.getvalue())


def read_metrics(directory: Path) -> list[Row]:
    """The rows of a cell's `metrics.csv`; empty figures are left out, a missing file has none."""
    try:
        with (directory / METRICS).open(newline="", encoding="utf-8") as file:
            return [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]
    except FileNotFoundError:
        return []
