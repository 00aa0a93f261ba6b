"""What is damaged of the files that a training leaves beside its record: by their sizes and ends, hardly read. No torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

from wisesr.results.atomic_files import read_json
from wisesr.results.cell_files import BEST, LAST, PREDICTIONS, STARTED
from wisesr.results.cleaned import may_be_gone
from wisesr.results.metrics import METRICS
from wisesr.results.record import Record

_ATTEMPT = {"fingerprint", "data", "weights", "threads", "attempts", "sources"}
"""What every version has written down of the first attempt, in `started.json`."""


def damaged_files(
    directory: Path, config: Mapping[str, Any], record: Record | None, *, finished: bool
) -> Iterator[tuple[str, str]]:
    """(name, what is wrong) of checkpoints, predictions and metrics; empty where nothing is.

    What is missing is held only against directories in which a training has left its files (`started.json`); copies of results,
    as `wisesr report --publish` makes them, have fewer.

    Args:
        directory: of a cell that does not run.
        config: of the cell, as far as it can be read.
        record: where it can be read.
        finished: whether there is one, readable or not.
    """
    left_by_training = (directory / STARTED).exists()
    if not finished:
        attempt = read_json(directory / STARTED)
        if left_by_training and not (isinstance(attempt, dict) and set(attempt) >= _ATTEMPT):
            yield STARTED, f"{STARTED} is cut short, or overwritten"
        if left_by_training and (directory / LAST).exists():
            yield LAST, torn(directory / LAST)
            yield BEST, torn(directory / BEST) or ("" if (directory / BEST).exists() else f"{BEST} is missing")
        return
    if left_by_training and (problem := torn(directory / BEST) or _missing_best(directory, config)):
        stands = ": the figures stand, and nothing can be predicted, explained or evaluated" if record is not None else ""
        yield BEST, f"{problem}{stands}"
    for name, problem in ((PREDICTIONS, torn(directory / PREDICTIONS)), (METRICS, _lacking(directory, record))):
        missing = left_by_training and not (directory / name).exists()
        yield name, problem or (f"{name} is missing" if missing else "")


def _missing_best(directory: Path, config: Mapping[str, Any]) -> str:
    """That a finished cell lacks its `best.ckpt`; empty where somebody wanted so, or has cleared or copied it without any."""
    if (directory / BEST).exists() or may_be_gone(directory, config):
        return ""
    both = (config.get("trainer") or {}).get("keep_checkpoints", "all") == "all"
    return "" if both and not (directory / LAST).exists() else f"{BEST} is missing"


def torn(path: Path) -> str:
    """What is wrong with an archive that does not end as one; empty where there is none."""
    try:
        whole = is_zipfile(path) if path.stat().st_size else False
    except OSError:
        return ""
    return "" if whole else f"{path.name} is cut short, or overwritten"


def _lacking(directory: Path, record: Record | None) -> str:
    """What is wrong with `metrics.csv`, by its number of lines; empty where there is none."""
    try:
        rows = (directory / METRICS).read_bytes().count(b"\n") - 1
    except OSError:
        return ""
    if rows < 1:
        return f"{METRICS} is empty"
    trained = record.budget.trained_epochs if record is not None else 0
    return f"{METRICS} has {rows} of {trained} epochs" if rows < trained else ""
