"""Confusions and disagreements of a study; each file of predictions is read once, as there may be a thousand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from wisesr.report.confusion import Confusion, ConfusionPair, confusion, only
from wisesr.report.disagreement import Disagreement, PredictionsBySeed, disagreement
from wisesr.report.repetitions import Split, split_of, tested_over_trained
from wisesr.report.study import Entry, ReportTable
from wisesr.report.whole_study import Study
from wisesr.results.predictions import Predictions, read_predictions


class PredictionAnalysis(NamedTuple):
    """What the models of one backbone and settings of a table predicted for the test images."""

    table: str
    """The table's key."""
    confusions: tuple[Confusion, ...]
    confusion_pairs: tuple[ConfusionPair, ...]
    """Of each head that has a seed in common with the baseline."""
    disagreements: tuple[Disagreement, ...]
    unread: tuple[str, ...]
    """Names of cells whose predictions are absent, damaged, or of other images or classes than the others'."""


def analyse_predictions(study: Study) -> Iterator[PredictionAnalysis]:
    """An analysis for each backbone and settings, table by table."""
    for table in study.tables:
        for entries in table.groups().values():
            yield _analyse(table, entries)


def _analyse(table: ReportTable, entries: Sequence[Entry]) -> PredictionAnalysis:
    confusions: list[Confusion] = []
    pairs: list[ConfusionPair] = []
    disagreements: list[Disagreement] = []
    unread: list[str] = []
    baseline: PredictionsBySeed = {}
    firsts: dict[Split, Predictions] = {}
    # The baseline's are kept, the others' are not: they may be large.
    for entry in sorted(entries, key=lambda entry: entry.head != table.baseline):
        by_seed = _read(entry, firsts, unread)
        if (matrix := confusion(entry, by_seed)) is None:
            continue
        confusions.append(matrix)
        if entry.head == table.baseline:
            baseline = by_seed
            continue
        if baseline and (pair := _pair(matrix, by_seed, confusions[0], baseline)):
            pairs.append(pair)
        if images := disagreement(entry, table.baseline, _of_one_split(by_seed, baseline), baseline):
            disagreements.append(images)
    return PredictionAnalysis(table.key, tuple(confusions), tuple(pairs), tuple(disagreements), tuple(unread))


def _read(entry: Entry, firsts: dict[Split, Predictions], unread: list[str]) -> dict[int, Predictions]:
    """Predictions of an entry by seed; cells without any that fit are added to `unread`."""
    by_seed: dict[int, Predictions] = {}
    for cell in entry.cells:
        predictions = read_predictions(cell.directory)
        if predictions is None or not _fits(predictions, split_of(cell.config), firsts):
            unread.append(cell.name)
        else:
            by_seed[cell.place.seed] = predictions
    return by_seed


def _pair(
    head: Confusion, of_head: PredictionsBySeed, baseline: Confusion, of_baseline: PredictionsBySeed
) -> ConfusionPair | None:
    """The confusions of a head and the baseline over the seeds that both have; None without any."""
    seeds = tuple(seed for seed in of_head if seed in of_baseline and _same_images(of_head[seed], of_baseline[seed]))
    both = only(head, of_head, seeds), only(baseline, of_baseline, seeds)
    if both[0] is None or both[1] is None:
        return None
    cells = [cell for cell in head.entry.cells if cell.place.seed in seeds]
    one_split = len({split_of(cell.config) for cell in cells}) == 1
    # Other data are other test images, whatever cells answer: what they answered is not asked for again.
    ratio = None if one_split else tested_over_trained(cells, lambda _: "")
    return ConfusionPair(both[0], both[1], ratio)


def _fits(predictions: Predictions, split: Split, firsts: dict[Split, Predictions]) -> bool:
    """Whether they are of the classes of the first of all, and of the images of the first of this split; they may be either."""
    if firsts and next(iter(firsts.values())).classes != predictions.classes:
        return False
    return _same_images(predictions, firsts.setdefault(split, predictions))


def _of_one_split(head: PredictionsBySeed, baseline: PredictionsBySeed) -> PredictionsBySeed:
    """Those of the first seed that the baseline has too, and of all seeds with its images: replicates and folds have others."""
    first = next((predictions for seed, predictions in head.items() if seed in baseline), None)
    return {seed: own for seed, own in head.items() if first is not None and _same_images(own, first)}


def _same_images(first: Predictions, second: Predictions) -> bool:
    """Whether they are of the same images, in the same order, with the same labels and classes."""
    same = first.classes == second.classes
    return same and np.array_equal(first.ids, second.ids) and np.array_equal(first.labels, second.labels)
