"""What a record must hold to be reported; anything else is named, and left out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from wisesr.config.axes import Leaves
from wisesr.report.settings import settings_of
from wisesr.results.record import RESULT, SCHEMA

_Check = Callable[[Any], bool]
_LARGEST = sys.float_info.max
"""JSON and YAML have integers that are no float any more."""


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= _LARGEST  # not of NaN


def _amount(value: Any) -> bool:
    return _number(value) and value >= 0


def _count(value: Any) -> bool:
    return isinstance(value, int) and _amount(value)


def _whole(value: Any) -> bool:
    return _amount(value) and float(value).is_integer()


def _share(value: Any) -> bool:
    return _number(value) and 0 <= value <= 1


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _counts(value: Any) -> bool:
    return isinstance(value, Mapping) and all(_count(one) for one in value.values())


def _group(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value)


def _or_none(check: _Check) -> _Check:
    return lambda value: value is None or check(value)


# Every key that some part of a report reads, and what it may be. Keys hold no dots, so these are paths.
_RECORD: dict[str, _Check] = {
    "fingerprint": _text,
    "protocol": lambda value: value in ("holdout", "paper"),
    "selection": _text,
    **{f"metrics.best.{name}": _share for name in ("val/top1", "test/top1", "test/macro_f1", "test/ece")},
    **{f"metrics.best.{name}": _amount for name in ("val/loss", "test/loss")},
    "metrics.best.epoch": _whole,
    "metrics.last.epoch": _whole,
    **{f"budget.{name}": _count for name in ("epochs", "trained_epochs", "steps")},
    "budget.stopped": _or_none(_text),
    **{f"cost.parameters.{part}_parameters": _count for part in ("backbone", "head", "trainable")},
    **{f"cost.flops.{part}": _or_none(_amount) for part in ("backbone", "head")},
    **{f"cost.{name}": _or_none(_amount) for name in ("train_seconds", "images_per_second", "peak_memory_bytes")},
    "provenance.commit": _or_none(_text),
    "provenance.source": _text,
    "provenance.sources": _texts,
    "provenance.versions": _group,
    "provenance.hardware": _group,
    "provenance.threads": _count,
    "provenance.attempts": _count,
    "provenance.weights": _group,
    "provenance.inputs": _group,
    "provenance.data.fingerprint": _text,
    "provenance.data.images": _counts,
    "provenance.data.images.test": _count,
    "provenance.data.images.train": _count,
    "provenance.data.left_out": _texts,
    "provenance.finished": _text,
}

_CONFIG: dict[str, _Check] = {
    **{f"{group}.name": _text for group in ("dataset", "backbone", "head")},
    **dict.fromkeys(("recipe", "augment", "trainer"), _group),
    "study": _text,
    "resolution.size": lambda value: _count(value) and value > 0,
    "recipe.epochs": _count,
    "protocol": lambda value: value in ("holdout", "paper"),
    "seed": _count,
}


def check_config(config: Mapping[str, Any]) -> Leaves | str:
    """The values of a configuration's computation by dotted name, or what keeps it from being reported.

    Args:
        config: as `config.load_cell` reads it, or of a record.
    """
    if problem := _problem(config, _CONFIG):
        return f"config.yaml: {problem}"
    try:
        values = settings_of(config)
    except (AttributeError, TypeError, ValueError, RecursionError) as error:  # a date, a word where a group belongs, ...
        return f"config.yaml: {error}"
    large = next((name for name, value in values.items() if isinstance(value, int) and abs(value) > _LARGEST), None)
    return values if large is None else f"config.yaml: {large} is too large a number"


def check_record(record: Mapping[str, Any], values: Leaves) -> str:
    """What keeps a record from being reported; empty if nothing.

    Args:
        record: of the current schema.
        values: of its cell's `config.yaml`, as `check_config` answers them.
    """
    if problem := _problem(record, _RECORD):
        return f"{RESULT}: {problem}"
    config = record.get("config")
    own = check_config(config) if isinstance(config, Mapping) else ""
    if isinstance(own, str):
        return f"{RESULT}: no config that can be read"
    if own != values or record["protocol"] != values["protocol"]:
        return "config.yaml was edited: it is not the configuration of the record"
    return ""


def why_unread(directory: Path) -> str:
    """What is wrong with a `result.json` that `read_record` answers None for; empty where there is none."""
    try:
        record = json.loads((directory / RESULT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"{RESULT} cannot be read: {error.strerror}"
    except (ValueError, RecursionError):
        return f"{RESULT} is no JSON: cut short, or overwritten"
    schema = record.get("schema") if isinstance(record, dict) else None
    if not isinstance(schema, int) or isinstance(schema, bool):
        return f"{RESULT} is no record: it states no schema"
    if schema != SCHEMA:
        age = "an older" if schema < SCHEMA else "a newer"
        return f"written by {age} version (record schema {schema}; this one reads {SCHEMA})"
    return f"{RESULT} is no record of a finished cell"


def _problem(values: Mapping[str, Any], checks: Mapping[str, _Check]) -> str:
    """The first keys that are absent, else the first that holds what it cannot."""
    found = {name: _at(values, name) for name in checks}
    if absent := [name for name, (there, _) in found.items() if not there]:
        more = f" and {len(absent) - 2} more" if len(absent) > 2 else ""
        return f"no {', '.join(absent[:2])}{more}"
    wrong = next((name for name, (_, value) in found.items() if not checks[name](value)), None)
    if wrong is None:
        return ""
    text = repr(found[wrong][1])
    return f"{wrong} is {text if len(text) <= 40 else f'{text[:37]}...'}"


def _at(values: Any, name: str) -> tuple[bool, Any]:
    """Whether a dotted name leads to anything, and to what."""
    for key in name.split("."):
        if not isinstance(values, Mapping) or key not in values:
            return False, None
        values = values[key]
    return True, values
