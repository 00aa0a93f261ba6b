"""`metrics.csv` of cells, as far as it can be read."""

from __future__ import annotations

import csv
from pathlib import Path

from wisesr.results.metrics import Row, read_metrics


def readable_metrics(directory: Path) -> list[Row]:
    """The rows of `metrics.csv`; none where it is absent or damaged."""
    try:
        return read_metrics(directory)
    except (OSError, ValueError, TypeError, csv.Error):  # UnicodeDecodeError is a ValueError; a row too long has a list
        return []
