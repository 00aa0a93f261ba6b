"""What a claim may be about: a figure in which two heads are compared, on the scale on which it is averaged."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from wisesr.report.convergence import readable_metrics
from wisesr.report.costs import circumstances
from wisesr.report.last_epochs import last_epochs, plateau
from wisesr.report.pairs import CellValue, Pairs, by_seed, pair, tested
from wisesr.report.repetitions import tested_over_trained
from wisesr.report.scores import Scores, Scoring
from wisesr.report.speed import speed
from wisesr.report.study import Entry, ReportCell
from wisesr.report.tested_metrics import TOP1, Metric
from wisesr.results.record import ComputeTime

PairsOf = Callable[[Entry, Entry, Scoring], "Pairs | str"]
"""Differences of two entries of a row, the first less the second, by seed; or why there are none."""


class Measure(NamedTuple):
    """A figure of cells."""

    title: str
    """`test top-1`."""
    unit: str
    """Of differences as they are shown: points, or % of the other head's."""
    pairs: PairsOf
    margin: float | None
    """Within which two heads count as equal, in the unit; None for that of the command line, points."""
    relative: bool = False
    """Whether differences are logarithms of ratios."""
    exact: bool = False
    """Whether it is counted, so that there is nothing to test."""
    higher_is_better: bool = True
    decimals: int = 2
    """Of a figure in points or nats."""
    of_time: bool = False
    """Whether it is a time, whose tests are a family of their own: a busy machine must not hide what was learned."""
    of_last_epochs: bool = False
    """Whether it is the mean over the last epochs under protocol=paper."""

    def shown(self, difference: float) -> float:
        """A difference in the unit."""
        return 100.0 * math.expm1(difference) if self.relative else difference

    def scaled(self, margin: float) -> float:
        """A margin in the unit as a difference."""
        return math.log1p(margin / 100.0) if self.relative else margin


def _of_cells(value: CellValue, needs: str, by_image: float) -> PairsOf:
    def pairs(head: Entry, baseline: Entry, scoring: Scoring) -> Pairs | str:
        if not set(head.seeds) & set(baseline.seeds):
            return "the two heads share no seed"
        found = pair(by_seed(head.cells), by_seed(baseline.cells), scoring, value, by_image)
        return found if found.seeds else f"no seed has {needs} of both heads"

    return pairs


def _tested(metric: Metric) -> PairsOf:
    """Under protocol=paper of the last epochs: the highest of many is higher for the head that moves more."""
    needs = f"{metric.words} of the last epochs in a readable metrics.csv"

    def pairs(head: Entry, baseline: Entry, scoring: Scoring) -> Pairs | str:
        paper = head.place.protocol == "paper"
        value = partial(last_epochs, metric=metric) if paper else tested
        return _of_cells(value, needs, 1.0)(head, baseline, scoring)

    return pairs


def _overfitting(head: Entry, baseline: Entry, scoring: Scoring) -> Pairs | str:
    """Under protocol=paper of the last epochs, too: the head that moves more has the higher best epoch, and looks better."""
    value = _last_overfitting if head.place.protocol == "paper" else _chosen_overfitting
    return _of_cells(value, "train/top1", -1.0)(head, baseline, partial(_top1_scores, scoring=scoring))


def _top1_scores(cell: ReportCell, scoring: Scoring) -> Scores | str:
    """Overfitting is about top-1, whatever a report tests."""
    scores = scoring(cell)
    return scores if isinstance(scores, str) else scores._replace(values=scores.top1, right=None)


def _chosen_overfitting(cell: ReportCell) -> float | None:
    """Top-1 on the training images that are measured less that on the test images, of the chosen epoch, points."""
    train = cell.finished_record.best.row.get("train/top1")
    return None if train is None else 100.0 * train - cell.top1


def _last_overfitting(cell: ReportCell) -> float | None:
    """The same of the last epochs, where what is measured after each is the test split."""
    gaps = [row.get("train/top1", math.nan) - row.get("val/top1", math.nan) for row in readable_metrics(cell.directory)]
    known = [gap for gap in gaps if math.isfinite(gap)]
    return 100.0 * plateau(known) if known else None


def _log(read: Callable[[ReportCell], float | None]) -> CellValue:
    def value(cell: ReportCell) -> float | None:
        found = read(cell)
        return math.log(found) if found else None

    return value


def _parameters(cell: ReportCell) -> float:
    return float(cell.finished_record.cost.parameters.model)


def _flops(cell: ReportCell) -> float | None:
    return cell.finished_record.cost.flops.model


def _milliseconds(read: Callable[[ComputeTime], float | None]) -> PairsOf:
    """Of compute alone, per image, of the seeds that both heads were trained with on one kind of machine, reading alike."""

    def pairs(head: Entry, baseline: Entry, scoring: Scoring) -> Pairs | str:
        if not set(head.seeds) & set(baseline.seeds):
            return "the two heads share no seed"
        others = {cell.place.seed: circumstances(cell) for cell in baseline.cells}
        alike = tuple(cell for cell in head.cells if others.get(cell.place.seed) == circumstances(cell))
        if not alike:
            return "no seed was trained on one kind of machine, and read alike, with both heads"
        value = _log(lambda cell: read(cell.finished_record.cost.compute))
        return _of_cells(value, "a time of compute alone", 0.0)(head._replace(cells=alike), baseline, scoring)

    return pairs


def _epochs(head: Entry, baseline: Entry, scoring: Scoring) -> Pairs | str:
    found = speed(head, baseline)
    if found.why_not:
        return found.why_not
    over = tested_over_trained([cell for cell in head.cells if cell.place.seed in found.seeds], scoring)
    return Pairs(found.seeds, found.log_ratios, None, "", "", bounds=found.censored, tested_over_trained=over)


def of_metric(measure: Measure, metric: Metric) -> Measure:
    """The measure with the metric that a report tests in the place of top-1; any other as it is."""
    if measure is not MEASURES["top1"]:
        return measure
    return measure._replace(
        title=f"test {metric.words}",
        unit=metric.points,
        pairs=_tested(metric),
        higher_is_better=metric.higher_is_better,
        decimals=metric.decimals,
    )


def _time(what: str, read: Callable[[ComputeTime], float | None]) -> Measure:
    return Measure(f"{what} time of an image, compute alone", "%", _milliseconds(read), 5.0, relative=True, of_time=True)


MEASURES: Mapping[str, Measure] = {
    "top1": Measure("test top-1", "points", _tested(TOP1), None, of_last_epochs=True),
    "overfitting": Measure("training top-1 less test top-1", "points", _overfitting, None, of_last_epochs=True),
    "epochs": Measure("epochs to 95 % of the other head's plateau", "%", _epochs, 10.0, relative=True),
    "parameters": Measure(
        "parameters of the model", "%", _of_cells(_log(_parameters), "parameters", 0.0), 5.0, relative=True, exact=True
    ),
    "train_ms": _time("training", lambda compute: compute.train_ms),
    "inference_ms": _time("inference", lambda compute: compute.inference_ms),
    "flops": Measure("FLOPs of an image", "%", _of_cells(_log(_flops), "counted FLOPs", 0.0), 5.0, relative=True, exact=True),
}
