"""`result.json`, the record of a finished cell on disk.

It is written last and atomically: a directory with a valid record holds everything else too. `parse_record` alone knows how
the file is laid out and what may stand in it, and names whatever is wrong with one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wisesr.errors import UserError
from wisesr.results.atomic_files import write_json
from wisesr.results.cell_files import RESULT
from wisesr.results.checks import (
    Check,
    is_amount,
    is_count,
    is_counts,
    is_group,
    is_share,
    is_text,
    is_texts,
    is_whole,
    or_none,
    problem,
)
from wisesr.results.metrics import Row
from wisesr.results.record import (
    BestEpoch,
    CellCost,
    DataProvenance,
    Flops,
    LastEpoch,
    Parameters,
    Provenance,
    Record,
    SpentBudget,
)

SCHEMA = 1


class RecordError(UserError):
    """A `result.json` that this version cannot read, or that is damaged. Its text says why."""


# Keys hold no dots, so these are paths.
_CHECKS: dict[str, Check] = {
    "fingerprint": is_text,
    "config": is_group,
    "protocol": lambda value: value in ("holdout", "paper"),
    "selection": is_text,
    **{f"metrics.best.{name}": is_share for name in ("val/top1", "test/top1", "test/macro_f1", "test/ece")},
    **{f"metrics.best.{name}": is_amount for name in ("val/loss", "test/loss")},
    "metrics.best.epoch": is_whole,
    "metrics.last.epoch": is_whole,
    **{f"budget.{name}": is_count for name in ("epochs", "trained_epochs", "steps")},
    "budget.stopped": or_none(is_text),
    **{f"cost.parameters.{part}_parameters": is_count for part in ("backbone", "head", "trainable")},
    **{f"cost.flops.{part}": or_none(is_amount) for part in ("backbone", "head")},
    "cost.feature_map": lambda value: isinstance(value, list) and len(value) == 3 and all(map(is_count, value)),
    "cost.train_seconds": is_amount,
    **{f"cost.{name}": or_none(is_amount) for name in ("images_per_second", "peak_memory_bytes")},
    "provenance.commit": or_none(is_text),
    "provenance.source": is_text,
    "provenance.sources": is_texts,
    "provenance.versions": is_group,
    "provenance.hardware": is_group,
    "provenance.threads": is_count,
    "provenance.attempts": is_count,
    "provenance.weights": is_group,
    "provenance.inputs": is_group,
    "provenance.data.fingerprint": is_text,
    "provenance.data.images": is_counts,
    "provenance.data.images.test": is_count,
    "provenance.data.images.train": is_count,
    "provenance.data.left_out": is_texts,
    "provenance.finished": is_text,
}


def parse_record(value: Any) -> Record:
    """A record from the content of `result.json`.

    Raises:
        RecordError: it is of another schema, lacks something, or holds what cannot be; the text names the file.
    """
    schema = value.get("schema") if isinstance(value, dict) else None
    if not isinstance(schema, int) or isinstance(schema, bool):
        raise RecordError(f"{RESULT} is no record: it states no schema")
    if schema != SCHEMA:
        age = "an older" if schema < SCHEMA else "a newer"
        raise RecordError(f"written by {age} version (record schema {schema}; this one reads {SCHEMA})")
    if value.get("status") != "done":
        raise RecordError(f"{RESULT} is no record of a finished cell")
    if wrong := problem(value, _CHECKS):
        raise RecordError(f"{RESULT}: {wrong}")
    return Record(
        fingerprint=value["fingerprint"],
        config=value["config"],
        protocol=value["protocol"],
        selection=value["selection"],
        best=_best(value["metrics"]["best"]),
        last=_last(value["metrics"]["last"]),
        budget=SpentBudget(**{name: value["budget"][name] for name in ("epochs", "trained_epochs", "steps", "stopped")}),
        cost=_cost(value["cost"]),
        provenance=_provenance(value["provenance"]),
        json=value,
    )


def _best(row: Row) -> BestEpoch:
    return BestEpoch(
        epoch=int(row["epoch"]),
        val_loss=row["val/loss"],
        val_top1=row["val/top1"],
        test_loss=row["test/loss"],
        test_top1=row["test/top1"],
        test_macro_f1=row["test/macro_f1"],
        test_ece=row["test/ece"],
        row=row,
    )


def _last(row: Row) -> LastEpoch:
    top1 = row.get("val/top1")
    return LastEpoch(int(row["epoch"]), top1 if is_share(top1) else None, row)


def _cost(cost: Mapping[str, Any]) -> CellCost:
    parts = ("backbone", "head", "trainable")
    return CellCost(
        parameters=Parameters(**{part: cost["parameters"][f"{part}_parameters"] for part in parts}),
        flops=Flops(cost["flops"]["backbone"], cost["flops"]["head"]),
        feature_map=tuple(cost["feature_map"]),
        train_seconds=cost["train_seconds"],
        images_per_second=cost["images_per_second"],
        peak_memory_bytes=cost["peak_memory_bytes"],
    )


def _provenance(values: Mapping[str, Any]) -> Provenance:
    data = values["data"]
    return Provenance(
        commit=values["commit"],
        source=values["source"],
        sources=tuple(values["sources"]),
        versions=values["versions"],
        hardware=values["hardware"],
        threads=values["threads"],
        attempts=values["attempts"],
        weights=values["weights"],
        inputs=values["inputs"],
        data=DataProvenance(data["fingerprint"], data["images"], tuple(data["left_out"])),
        finished=values["finished"],
    )


def load_record(directory: Path) -> Record | None:
    """The record of a cell; None where there is none.

    Raises:
        RecordError: there is one, of another version or damaged.
        UserError: the file cannot be read.
    """
    try:
        value = json.loads((directory / RESULT).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UserError(f"{RESULT} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError):
        raise RecordError(f"{RESULT} is no JSON: cut short, or overwritten") from None
    return parse_record(value)


def read_record(directory: Path) -> Record | None:
    """The record of a cell; None where there is none, or none that this version can read: the cell is not done, then.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        return load_record(directory)
    except RecordError:
        return None


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
) -> Record:
    """`result.json` of a finished cell.

    Args:
        directory: of the cell.
        fingerprint: of the configuration.
        config: as in `config.yaml`.
        metrics: `best`: figures of the chosen epoch with its test; `last`: of the last epoch. Nothing timed.
        budget: epochs planned and trained, steps, and why training ended early if it did.
        selection: in words, on which images the epoch was chosen.
        cost: parameters, FLOPs, feature map, seconds, images/s, memory.
        provenance: as of `results.provenance.provenance`.

    Returns:
        What was written, as it will be read.

    Raises:
        RecordError: it could not be read again, and is not written.
    """
    content = {
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
    }
    record = parse_record(json.loads(json.dumps(content)))
    write_json(directory / RESULT, content)
    return record
