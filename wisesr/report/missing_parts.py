"""What a report does not have, and why, in sentences: older versions recorded less, and files get lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wisesr.report.prediction_analysis import PredictionAnalysis
from wisesr.report.study import ReportCell, Study
from wisesr.results.kernels import KERNELS

_SHOWN = 3
"""Cells that are named."""


def missing_parts(study: Study, judged: Iterable[PredictionAnalysis]) -> list[str]:
    """Sentences about the cells of the tables.

    Args:
        study: that is reported.
        judged: of it, as of `prediction_analysis.analyse_predictions`.
    """
    cells = [cell for table in study.tables for entry in table.entries for cell in entry.cells]
    kernels = [cell.name for cell in cells if _has_kernel(cell) and not (cell.directory / KERNELS).exists()]
    unread = [name for its in judged for name in its.unread]
    return [
        *_told("No kernels of", kernels, "the version that trained them recorded none"),
        *_told(
            "No confusion and disagreement of",
            unread,
            "predictions are absent, damaged, or of other images or classes than the others'",
        ),
    ]


def _has_kernel(cell: ReportCell) -> bool:
    """Whether its head learns a depthwise kernel: the setting that constrains it is only theirs."""
    return "non_negative" in cell.config["head"]


def _told(what: str, names: Sequence[str], why: str) -> list[str]:
    if not names:
        return []
    some = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    return [f"{what} {some}: {why}."]
