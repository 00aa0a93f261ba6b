"""What a report does not have, and why, in sentences: files of cells get lost, or damaged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wisesr.report.prediction_analysis import PredictionAnalysis
from wisesr.report.study import ReportCell, Study
from wisesr.results.kernels import KERNELS
from wisesr.wording import some_of

_SHOWN = 3
"""Cells that are named."""


def missing_parts(study: Study, analyses: Iterable[PredictionAnalysis]) -> list[str]:
    """A sentence for each kind of file that cells of the tables lack, with their names.

    Args:
        study: that is reported.
        analyses: of its predictions, as of `prediction_analysis.analyse_predictions`.
    """
    cells = [cell for table in study.tables for entry in table.entries for cell in entry.cells]
    kernels = [cell.name for cell in cells if _has_kernel(cell) and not (cell.directory / KERNELS).exists()]
    unread = [name for analysis in analyses for name in analysis.unread]
    return [
        *_sentence("No kernels of", kernels, f"they have no {KERNELS}"),
        *_sentence(
            "No confusion and disagreement of",
            unread,
            "predictions are absent, damaged, or of other images or classes than the others'",
        ),
    ]


def _has_kernel(cell: ReportCell) -> bool:
    """Whether its head learns a depthwise kernel: only such heads have the setting that constrains it."""
    return "non_negative" in cell.config["head"]


def _sentence(what: str, names: Sequence[str], why: str) -> list[str]:
    return [f"{what} {some_of(names, _SHOWN)}: {why}."] if names else []
