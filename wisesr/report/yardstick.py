"""What the cells of a report are held against."""

from __future__ import annotations

from typing import NamedTuple

from wisesr.report.published import PublishedFigures
from wisesr.report.scores import Scoring
from wisesr.report.tested_metrics import Metric


class Yardstick(NamedTuple):
    """The same for all tables of a report."""

    metric: Metric
    """That is tested: of `ReportCell.tested`."""
    scoring: Scoring
    """How each cell did on each test image, in this metric."""
    published: PublishedFigures
    """Of the paper, of top-1."""
