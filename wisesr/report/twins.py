"""Heads that are one computation: `wise` is `depthwise_nonneg` where there is nothing to average before."""

from __future__ import annotations

import json
from collections.abc import Sequence

from wisesr.report.study import Entry


def figures(entry: Entry) -> str:
    """All figures of an entry's cells: the same text for heads that are one computation.

    Those of training included: models that have learned nothing yet may answer all test images alike.
    """
    records = [(cell.place.seed, cell.finished_record) for cell in entry.cells]
    return json.dumps(
        [(seed, record.best.row, record.last.row, record.cost.parameters.head) for seed, record in records], sort_keys=True
    )


def twin_notes(entries: Sequence[Entry]) -> list[str]:
    """A sentence for each set of heads of a row that are one computation."""
    same_figures: dict[str, list[str]] = {}
    for entry in entries:
        same_figures.setdefault(figures(entry), []).append(entry.head)
    twins = [" and ".join(heads) for heads in same_figures.values() if len(heads) > 1]
    return [
        f"{heads} have the same accuracies and losses on every seed: here they are one computation, and count as one head."
        for heads in twins
    ]
