"""The table at the end of a grid: figures from the records on disk, how they were obtained, why a cell has none."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Group
from rich.markup import escape
from rich.table import Table

from wisesr.grid.cell_dirs import Cell
from wisesr.grid.cell_process import log_tail
from wisesr.grid.naming import NARROW, name_columns
from wisesr.results.metrics import read_metrics
from wisesr.results.record import read_record


class CellOutcome(NamedTuple):
    """A cell and how it ended."""

    cell: Cell
    state: str
    """done, skipped, failed, busy, interrupted, running, waiting if it was never started, by hand if the user has to."""
    reason: str = ""
    work: Path | None = None
    """Where it was computed, if here and now; a cell that is done anew has a place of its own for that."""


_FIGURES = ("epoch", "val top-1", "test top-1", "macro F1", "head parameters", "trained")
_MAIN = 3
"""Figures that narrow terminals show too."""


def clock(seconds: float) -> str:
    """1:02:03, or 2:03 below an hour."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def results_table(ended: Sequence[CellOutcome], width: int) -> Table:
    """A row a cell, a column for whatever else varies; figures come from the records on disk.

    Args:
        ended: the cells.
        width: of the terminal, characters.
    """
    shown = _FIGURES[: _MAIN if width < NARROW else None]
    table, names = name_columns([item.cell for item in ended], width)
    for name in ("seed", *shown):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("state", min_width=len("interrupted"))
    for item, texts in zip(ended, names, strict=True):
        record = read_record(item.cell.directory)
        state = item.state + _so_far(item) + _early(record)
        table.add_row(*texts, str(item.cell.config["seed"]), *_figures(record)[: len(shown)], state)
    return table


def _so_far(item: CellOutcome) -> str:
    """After which epoch a cell was interrupted."""
    rows = read_metrics(item.work or item.cell.directory) if item.state == "interrupted" else []
    redo = " redo" if item.work not in (None, item.cell.directory) else ""
    return f"{redo} {rows[-1]['epoch']:.0f}/{item.cell.config['recipe']['epochs']}" if rows else redo


def _figures(record: Mapping[str, Any] | None) -> list[str]:
    if record is None:
        return ["-"] * 6
    best, cost = record["metrics"]["best"], record["cost"]
    return [
        f"{best['epoch']:.0f}",
        f"{best['val/top1']:.4f}",
        f"{best['test/top1']:.4f}",
        f"{best['test/macro_f1']:.4f}",
        f"{cost['parameters']['head_parameters']:,}",
        clock(cost["train_seconds"]),
    ]


def _early(record: Mapping[str, Any] | None) -> str:
    """That a cell trained fewer epochs than planned, which a reader must know before comparing it."""
    budget = (record or {}).get("budget") or {}
    if not budget.get("stopped"):
        return ""
    return f", {budget['trained_epochs']} of {budget['epochs']} epochs ({budget['stopped']})"


def _data(config: Mapping[str, Any]) -> str:
    return f"{config['dataset']['name']}-{config['resolution']['size']}"


def _selections(ended: Sequence[CellOutcome]) -> list[str]:
    """How the figures were obtained, and on which data where that differs."""
    found: dict[str, dict[str, None]] = {}
    for item in ended:
        if record := read_record(item.cell.directory):
            found.setdefault(record["selection"], {})[_data(item.cell.config)] = None
    if len(found) == 1:
        return [f"The epoch of each row has the {selection}." for selection in found]
    return [f"{', '.join(data)}: the epoch of a row has the {selection}." for selection, data in found.items()]


def summary(ended: Sequence[CellOutcome], width: int) -> Group:
    """The table, how its figures were obtained, and the reasons of failure with the last lines of each log.

    Args:
        ended: the cells.
        width: of the terminal, characters.
    """
    lines = _selections(ended)
    for item in ended:
        record = read_record(item.cell.directory)
        if record and (left_out := record["provenance"]["data"]["left_out"]):
            lines.append(f"{item.cell.label}: unreadable images were left out: {', '.join(left_out)}")
    reasons: dict[tuple[str, str], list[CellOutcome]] = {}
    for item in ended:
        if item.state in ("failed", "busy", "by hand"):
            reasons.setdefault((item.state, item.reason), []).append(item)
    for (state, reason), alike in reasons.items():
        lines += ["", *(f"{item.cell.label}: {item.cell.directory}" for item in alike), f"  {state}: {reason}"]
        if state == "failed":
            lines += [f"  | {line}" for line in log_tail(alike[0].work or alike[0].cell.directory)]
    if any(item.state == "failed" for item in ended):
        lines += ["", "Failed cells are run again by the same command with grid.retry=failed."]
    return Group(results_table(ended, width), escape("\n".join(lines)))


def next_step(ended: Sequence[CellOutcome]) -> str:
    """What to do with the cells of a grid: the command that compares them. Empty for one cell, and where none is done."""
    if len(ended) < 2 or not any(item.state in ("done", "skipped") for item in ended):
        return ""
    configs = [item.cell.config for item in ended]
    studies = {Path(config["output_dir"], config["study"]) for config in configs}
    places = studies if len(studies) == 1 else {Path(config["output_dir"]) for config in configs}
    return f"Next: wisesr report {shlex.join(map(str, sorted(places)))}"
