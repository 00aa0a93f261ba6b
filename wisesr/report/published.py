"""`published.csv`: figures that a user reads off the paper, to stand beside the ones obtained here."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from wisesr.errors import UserError

PUBLISHED = Path(__file__).parent / "published.csv"
"""The package's own: the paper's runs, without figures until somebody fills them in."""

Run = tuple[str, int, str, str]
"""Names of dataset, resolution, backbone, head."""
_KEYS = ("dataset", "resolution", "backbone", "head", "top1")


def read_published(path: Path) -> dict[Run, float]:
    """Published top-1 accuracies, percent; runs without a figure are left out.

    Args:
        path: a CSV file with the columns dataset, resolution, backbone, head, top1 and any others.

    Raises:
        UserError: it cannot be read, lacks a column, or a line holds no resolution, no percentage above 1, or a run twice.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            _check_columns(path, list(reader.fieldnames or []))
            rows = [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no CSV file: {error}") from None
    found: dict[Run, float] = {}
    for number, row in rows:
        if not (row["top1"] or "").strip():
            continue
        run, top1 = _run(f"{path}, line {number}", row)
        if run in found:
            raise UserError(f"{path}, line {number}: {' '.join(map(str, run))} stands there twice")
        found[run] = top1
    return found


def _check_columns(path: Path, names: list[str]) -> None:
    for key in _KEYS:
        if key not in names:
            raise UserError(f"{path} has no column {key}; its first line must be dataset,resolution,backbone,head,top1")


def _run(where: str, row: Mapping[str, str]) -> tuple[Run, float]:
    """The run and its figure; `where` is told in errors."""
    try:
        size = int(row["resolution"])
    except ValueError:
        raise UserError(f"{where}: resolution must be the images' size in px, not {row['resolution']!r}") from None
    try:
        top1 = float(row["top1"])
    except ValueError:
        raise UserError(f"{where}: top1 must be a percentage such as 93.21, not {row['top1']!r}") from None
    if not 1 < top1 <= 100:  # 0.93 would be a share, and no figure of a paper is so low
        raise UserError(f"{where}: top1 must be a percentage from 0 to 100 (and above 1) such as 93.21, not {row['top1']!r}")
    return (row["dataset"].strip(), size, row["backbone"].strip(), row["head"].strip()), top1
