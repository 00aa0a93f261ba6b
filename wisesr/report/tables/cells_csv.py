"""`cells.csv`: every cell that was found, finished or not, with all that varies and every figure to the last bit."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

from wisesr.config.axes import Leaves
from wisesr.report.settings import settings_of
from wisesr.report.study import LeftOut, Place, ReportCell
from wisesr.report.whole_study import Study
from wisesr.results.reading import reading
from wisesr.results.record import Record
from wisesr.results.state import State

_PLACE = tuple(field for field in Place._fields if field != "study")
_BEST = (
    *("train/loss", "train/top1", "val/loss", "val/top1", "val/top5", "val/macro_f1", "val/ece"),
    *("test/loss", "test/top1", "test/top5", "test/macro_f1", "test/ece"),
)


def _of_best(name: str) -> Callable[[Record], object]:
    return lambda record: record.best.row.get(name)


_FIGURES: dict[str, Callable[[Record], object]] = {
    "epoch": lambda record: record.best.epoch,
    **{name: _of_best(name) for name in _BEST},
    "last epoch": lambda record: record.last.epoch,
    "last val/top1": lambda record: record.last.row.get("val/top1"),
    "selection": lambda record: record.selection,
    "epochs": lambda record: record.budget.epochs,
    "trained_epochs": lambda record: record.budget.trained_epochs,
    "steps": lambda record: record.budget.steps,
    "stopped": lambda record: record.budget.stopped,
    "backbone parameters": lambda record: record.cost.parameters.backbone,
    "head parameters": lambda record: record.cost.parameters.head,
    "trainable parameters": lambda record: record.cost.parameters.trainable,
    "backbone FLOPs": lambda record: record.cost.flops.backbone,
    "head FLOPs": lambda record: record.cost.flops.head,
    "train_seconds": lambda record: record.cost.train_seconds,
    "images_per_second": lambda record: record.cost.images_per_second,
    "train ms/image": lambda record: record.cost.compute.train_ms,
    "inference ms/image": lambda record: record.cost.compute.inference_ms,
    "peak_memory_bytes": lambda record: record.cost.peak_memory_bytes,
    "commit": lambda record: record.provenance.commit,
    "source": lambda record: record.provenance.source,
    "reads": lambda record: reading(record.provenance.reads),
    "threads": lambda record: record.provenance.threads,
    "devices": lambda record: record.provenance.devices,
    "data": lambda record: record.provenance.data.fingerprint,
    "finished": lambda record: record.provenance.finished,
}
"""Columns of finished cells, and what of a record stands there; null is empty. Under protocol=paper val/ is the test split."""


def cells_csv(study: Study) -> str:
    """The file's text: a row a cell, those that could not be read and those that are missing last."""
    settings = [settings_of(cell.config) for cell in study.cells]
    axes = _axes(settings)
    columns = ["name", "study", "state", "reason", "in_table", *_PLACE, *axes, *_FIGURES]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    in_table = _in_table(study)
    for cell, own in zip(study.cells, settings, strict=True):
        writer.writerow(_row(cell, own, axes) | {"in_table": in_table.get(cell.name, "")})
    missing = [cell for table in study.tables for cell in table.left_out if cell.state == State.MISSING]
    for left_out in (*study.damaged, *missing):
        writer.writerow(_left_out(left_out))
    return text.getvalue()


def _axes(settings: Sequence[Leaves]) -> list[str]:
    """Keys that vary; those that have a column of the same meaning stand there too, as they were set."""
    keys = sorted({key for own in settings for key in own})
    return [key for key in keys if len({repr(own.get(key)) for own in settings}) > 1 and key not in ("seed", "protocol")]


def _in_table(study: Study) -> dict[str, str]:
    """By a cell's name: the key of its table, or why it is in none."""
    tables: dict[str, str] = {}
    for table in study.tables:
        tables |= {cell.name: cell.reason for cell in table.left_out}
        tables |= {cell.name: table.key for entry in table.entries for cell in entry.cells}
    return {cell.name: tables.get(cell.name, "another rate was better on validation") for cell in study.cells}


def _row(cell: ReportCell, settings: Leaves, axes: Sequence[str]) -> dict[str, Any]:
    own = {name: _text(settings[name]) for name in axes if name in settings}
    recorded = {name: read(cell.record) for name, read in _FIGURES.items()} if cell.record else {}
    figures = {name: _text(value) for name, value in recorded.items() if value is not None}
    labels = {"name": cell.name, "study": cell.config["study"], "state": cell.state, "reason": cell.reason}
    return labels | _place(cell.place) | {"seed": cell.config["seed"]} | own | figures


def _left_out(cell: LeftOut) -> dict[str, Any]:
    place = _place(cell.place) | {"study": cell.place.study} if cell.place else {}
    return {"name": cell.name, "state": cell.state, "reason": cell.reason} | place


def _place(place: Place) -> dict[str, Any]:
    return {name: getattr(place, name) for name in _PLACE}


def _text(value: object) -> object:
    """Figures to the last bit; null as in YAML, so that it is not taken for a key that a cell lacks."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return repr(value) if isinstance(value, float) else value
