"""What the models of a study say of the test images; each file of predictions is read once, as there may be a thousand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from wisesr.report.confusion import Confusion, confusion
from wisesr.report.disagreement import Disagreement, PredictionsBySeed, disagreement
from wisesr.report.study import Entry, ReportTable, Study
from wisesr.results.predictions import Predictions, read_predictions


class PredictionAnalysis(NamedTuple):
    """Of one backbone and settings of a table."""

    table: str
    """Its key."""
    confusions: tuple[Confusion, ...]
    disagreements: tuple[Disagreement, ...]
    unread: tuple[str, ...]
    """Names of cells whose predictions are absent, damaged, or of other images or classes than the others'."""


def analyse_predictions(study: Study) -> Iterator[PredictionAnalysis]:
    """Those of each backbone and settings, table by table."""
    for table in study.tables:
        for entries in table.groups().values():
            yield _analyse(table, entries)


def _analyse(table: ReportTable, entries: Sequence[Entry]) -> PredictionAnalysis:
    confusions: list[Confusion] = []
    disagreements: list[Disagreement] = []
    unread: list[str] = []
    baseline: PredictionsBySeed = {}
    model: Predictions | None = None
    # The baseline's are kept, the others' are not: they may be large.
    for entry in sorted(entries, key=lambda entry: entry.head != table.baseline):
        known: dict[int, Predictions] = {}
        for cell in entry.cells:
            found = read_predictions(cell.directory)
            model = model or found
            if found is None or model is None or not _same_images(found, model):
                unread.append(cell.name)
            else:
                known[cell.place.seed] = found
        if its := confusion(entry, tuple(known), tuple(known.values())):
            confusions.append(its)
        if entry.head == table.baseline:
            baseline = known
        elif both := disagreement(entry, table.baseline, known, baseline):
            disagreements.append(both)
    return PredictionAnalysis(table.key, tuple(confusions), tuple(disagreements), tuple(unread))


def _same_images(first: Predictions, second: Predictions) -> bool:
    """Whether they are of the same images, in the same order, with the same labels and classes."""
    same = first.classes == second.classes
    return same and np.array_equal(first.ids, second.ids) and np.array_equal(first.labels, second.labels)
