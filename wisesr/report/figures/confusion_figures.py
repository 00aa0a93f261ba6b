"""What heads confuse: the baseline's confusion matrix, and how each other head's classes and confusions differ from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from wisesr.report.confusion import Confusion, ConfusionPair
from wisesr.report.figures.class_axes import without_images
from wisesr.report.figures.confused_pairs import BESIDE, CHANGED, MOST, changed, confused
from wisesr.report.figures.confusion_matrix import difference_map, matrix
from wisesr.report.figures.figure import Figure, file_name, seed_list
from wisesr.report.figures.recall_figures import RecallRows, recall_caption, recall_spec
from wisesr.report.prediction_analysis import PredictionAnalysis
from wisesr.report.study import ReportTable
from wisesr.wording import count_of

CLASSES = 40
"""A matrix of more is not legible, and large."""


def confusion_figures(table: ReportTable, analyses: Iterable[PredictionAnalysis], order: Sequence[str]) -> Iterator[Figure]:
    """Recall and confusion of each head against the baseline; the confusion alone of the baseline, and where no seed is shared.

    Args:
        table: that the analyses are of.
        analyses: of its backbones and settings.
        order: of all heads of the study, as of `style.by_head`.
    """
    for analysis in analyses:
        pairs = {pair.head.entry.head: pair for pair in analysis.confusion_pairs}
        for confusion in analysis.confusions:
            if pair := pairs.get(confusion.entry.head):
                yield _recall(table, pair, order)
                yield from _difference(table, pair)
            else:
                yield from _alone(table, confusion)


def _alone(table: ReportTable, confusion: Confusion) -> Iterator[Figure]:
    group, head = confusion.entry.group, confusion.entry.head
    small = len(confusion.classes) <= CLASSES
    if not small and not confusion.pairs():
        return  # all are right: there is nothing to list
    title = f"{'Confusion matrix' if small else 'Most confused classes'} of {head}, {group} on {table.title}"
    key, spec = file_name(table.key, "confusion", group, head), matrix(confusion) if small else confused(confusion)
    yield Figure(key, table.key, "confusion", title, _caption(confusion, small), spec, group, head)


def _difference(table: ReportTable, pair: ConfusionPair) -> Iterator[Figure]:
    small = len(pair.head.classes) <= CLASSES
    if not small and not any(pair.changed()):
        yield from _alone(table, pair.head)
        return
    group, head, baseline = pair.head.entry.group, pair.head.entry.head, pair.baseline.entry.head
    title = f"{'Confusion' if small else 'Changed confusions'} of {head} against {baseline}, {group} on {table.title}"
    key, spec = file_name(table.key, "confusion", group, head), difference_map(pair) if small else changed(pair)
    caption = _map_caption(pair) if small else _changed_caption(pair)
    yield Figure(key, table.key, "confusion", title, caption, spec, group, head)


def _recall(table: ReportTable, pair: ConfusionPair, order: Sequence[str]) -> Figure:
    group, head, baseline = pair.head.entry.group, pair.head.entry.head, pair.baseline.entry.head
    title = f"Recall per class of {head} against {baseline}, {group} on {table.title}"
    rows, key = RecallRows(pair), file_name(table.key, "recall", group, head)
    return Figure(key, table.key, "confusion", title, recall_caption(rows), recall_spec(rows, order), group, head)


def _caption(confusion: Confusion, small: bool) -> str:
    predictions = f"{count_of(int(confusion.counts.sum()), 'prediction')} on the test split, {_seeds(confusion)}"
    if small:
        shares = "Percentage of each true class (row) that was predicted as each class (column), on a square-root colour scale."
        return f"{shares} {predictions}.{without_images(confusion, 'percentages')}"
    wrong = int(confusion.counts.sum()) - int(np.trace(confusion.counts))
    return (
        f"{predictions}; {wrong:,} are wrong. Of {len(confusion.pairs()):,} confused pairs (true class and predicted one), "
        f"the {MOST} with the most images. At the bars, the share of the true class's images."
    )


def _map_caption(pair: ConfusionPair) -> str:
    head, baseline = pair.head.entry.head, pair.baseline.entry.head
    return (
        f"By how many percentage points of each true class (row) {head} predicts each class (column) more or less than "
        f"{baseline}: {_predictions(pair)}. Blue is better for {head}, more on the diagonal (framed) and less off it; orange "
        f"is worse. Nothing is tested here.{without_images(pair.head, 'percentages')}"
    )


def _changed_caption(pair: ConfusionPair) -> str:
    head, baseline = pair.head.entry.head, pair.baseline.entry.head
    fell, rose = pair.changed()
    most = [f"the {CHANGED} that fell most (blue: better for {head})"] if fell else []
    most += [f"the {CHANGED} that rose most (orange: worse)"] if rose else []
    number = count_of(len(fell) + len(rose), "confused pair")
    return (
        f"{_predictions(pair)}. Above, of {number} (true class and predicted one) whose share of the true class changed from "
        f"{baseline} to {head}, {' and '.join(most)}; at the bars, the share of {baseline} and that of {head}. Below, the "
        f"{BESIDE} pairs that {head} confuses with the most images. Nothing is tested here."
    )


def _predictions(pair: ConfusionPair) -> str:
    """`1,625 predictions of each on the same test images, 5 seeds (0 to 4) together`."""
    total = count_of(int(pair.head.counts.sum()), "prediction")
    return f"{total} of each on the same test images, {_seeds(pair.head)}"


def _seeds(confusion: Confusion) -> str:
    return seed_list(confusion.seeds) + (" together" if len(confusion.seeds) > 1 else "")
