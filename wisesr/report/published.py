"""`published.csv`: figures of the paper that a user enters, to stand beside the ones obtained here."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path

from wisesr.errors import UserError
from wisesr.report.study import ReportCell
from wisesr.results.labels import parse_labels

PUBLISHED = Path(__file__).parent / "published.csv"
"""The package's own file: the paper's runs, without figures until somebody enters them."""

PublishedRun = tuple[str, int, str, str]
"""Dataset, resolution, backbone, head."""
PublishedFigures = Mapping[PublishedRun, float]
"""Top-1, percent."""
_KEYS = ("dataset", "resolution", "backbone", "head", "top1")


def read_published(path: Path) -> dict[PublishedRun, float]:
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
    figures: dict[PublishedRun, float] = {}
    for number, row in rows:
        if not (row["top1"] or "").strip():
            continue
        run, top1 = _run(f"{path}, line {number}", row)
        if run in figures:
            raise UserError(f"{path}, line {number}: {' '.join(map(str, run))} stands there twice")
        figures[run] = top1
    return figures


def _check_columns(path: Path, names: list[str]) -> None:
    for key in _KEYS:
        if key not in names:
            raise UserError(f"{path} has no column {key}; its first line must be dataset,resolution,backbone,head,top1")


def _run(where: str, row: Mapping[str, str]) -> tuple[PublishedRun, float]:
    """The run of a row, and its figure; `where` that is, for errors."""
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


def unmatched(path: Path, figures: PublishedFigures, cells: Iterable[ReportCell]) -> list[str]:
    """A sentence for each figure in a file that is of no cell of the report, finished or not, with the nearest one."""
    here = {run_of(cell) for cell in cells}
    names = {" ".join(map(str, run)): run for run in here}
    sentences = []
    for run in sorted(set(figures) - here):
        near = difflib.get_close_matches(" ".join(map(str, run)), names, n=1, cutoff=0.0)
        hint = f"; the nearest is {near[0]}" if near else ""
        sentences.append(f"{path}: {' '.join(map(str, run))} is no cell of this report{hint}.")
    return sentences


def run_of(cell: ReportCell) -> PublishedRun:
    """The run of the paper that a cell is one of, by its names."""
    labels = parse_labels(cell.config)
    return labels.dataset, labels.size, labels.backbone, labels.head
