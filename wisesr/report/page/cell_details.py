"""What the page shows of one cell when it is asked for: figures, curve, configuration, log, provenance."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wisesr.config.axes import leaves
from wisesr.report.convergence import readable_metrics
from wisesr.report.study import ReportCell
from wisesr.results.cell_files import CONFIG, LOG
from wisesr.results.fields import as_written
from wisesr.results.record import Record
from wisesr.results.run_address import run_address

LONGEST = 20_000
"""Characters of a log that the page carries; of longer ones the beginning and the end."""

_CURVE = ("epoch", "train/loss", "val/loss", "val/top1", "train/top1")
_PERCENT = ("top1", "top5", "macro_f1", "ece")


def cell_details(cell: ReportCell) -> dict[str, Any]:
    """All of a cell, as JSON for the page's script."""
    return {
        "headline": headline(cell),
        "name": cell.name,
        "directory": cell.shown_directory or str(cell.directory),
        "state": cell.state,
        "reason": cell.reason,
        "split": "test" if cell.place.protocol == "paper" else "validation",
        "result": _result(cell.record) if cell.record else [],
        "curve": _curve(cell.directory),
        "run": run_address(cell.directory, cell.record),
        "config": _text(cell.directory / CONFIG),
        "log": clipped(_text(cell.directory / LOG)),
        "provenance": _flat(as_written(cell.record.provenance)) if cell.record else [],
    }


def headline(cell: ReportCell) -> str:
    """`wise on resnet50, indoor 224 px, seed 3: test top-1 76.75 % at epoch 29 of 30`; its state where it has no record."""
    place = cell.place
    backbone = f"{place.backbone} {place.settings}".strip()
    parts = [f"{place.head} on {backbone}", f"{place.dataset} {place.size} px", place.rate, f"seed {place.seed}"]
    name = ", ".join(filter(None, parts))
    if cell.record is None:
        return f"{name}: {cell.state}"
    best, last = cell.record.best.epoch, cell.record.last.epoch
    return f"{name}: test top-1 {cell.top1:.2f} % at epoch {best} of {last}"


def _result(record: Record) -> list[tuple[str, str]]:
    """Names and values: the figures of the chosen epoch, how it was chosen, what was trained, what it cost."""
    rows = [("selection", record.selection), *_metrics(record.best.row), *_metrics(record.last.row, "last.")]
    return rows + _flat(as_written(record.budget), "budget.") + _flat(as_written(record.cost), "cost.")


def _metrics(row: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Figures of an epoch by name."""
    return [(f"{prefix}{name}", _figure(name, value)) for name, value in row.items()]


def _figure(name: str, value: Any) -> str:
    """Shares are percentages."""
    is_share = name.rpartition("/")[2] in _PERCENT and isinstance(value, (int, float))
    return f"{100 * value:.2f} %" if is_share else _value(value)


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    return [(name, _value(value)) for name, value in leaves(values, prefix).items()]


def _value(value: Any) -> str:
    if isinstance(value, bool) or value is None or isinstance(value, list):
        return json.dumps(value)
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) >= 1000 else f"{value:.6g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _curve(directory: Path) -> list[list[float | None]]:
    """Rows of epoch, training loss, validation loss, and in percent top-1 in validation and training."""
    finite = [[_finite(row.get(name)) for name in _CURVE] for row in readable_metrics(directory)]
    percent = [[None if share is None else round(100 * share, 3) for share in row[3:]] for row in finite]
    return [[*row[:3], *shares] for row, shares in zip(finite, percent, strict=True) if row[0] is not None]


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def clipped(text: str, longest: int = LONGEST) -> str:
    """A text, or its first and last lines with a line between them that says how much is not shown."""
    if len(text) <= longest:
        return text
    half = longest // 2
    head, tail = text[:half].rpartition("\n"), text[-half:].partition("\n")
    first, last = head[0] or text[:half], tail[2] or text[-half:]
    return f"{first}\n\n[{len(text) - len(first) - len(last):,} characters are not shown here]\n\n{last}"
