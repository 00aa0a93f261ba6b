"""Whether the heads of one group differ from its baseline: over seeds where there are three, else over the test images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from wisesr.report.statistics.families import holm
from wisesr.report.statistics.images import matched_interval
from wisesr.report.statistics.intervals import Interval, paired_t
from wisesr.report.study import Difference, ReportCell
from wisesr.results.predictions import Predictions, read_predictions

SEEDS = 3
"""From this many on, a test is over seeds."""
FEW_SEEDS = 5
"""Seeds below which a test has little power."""

CellsBySeed = Mapping[int, ReportCell]


def differences(baseline: Sequence[ReportCell], heads: Mapping[str, Sequence[ReportCell]]) -> dict[str, Difference]:
    """Each head's difference to the baseline, by their finished cells; a head that shares no seed with it has none."""
    baseline_cells = {cell.place.seed: cell for cell in baseline}
    by_head: dict[str, Difference] = {}
    for head, cells in heads.items():
        head_cells = {cell.place.seed: cell for cell in cells}
        common = sorted(baseline_cells.keys() & head_cells.keys())
        if len(common) >= SEEDS:
            by_head[head] = _over_seeds(baseline_cells, head_cells, common)
        elif common:
            by_head[head] = _over_images(baseline_cells[common[0]], head_cells[common[0]], len(common))
    return _corrected(by_head)


def _over_seeds(baseline: CellsBySeed, head: CellsBySeed, common: Sequence[int]) -> Difference:
    result = paired_t([head[seed].top1 - baseline[seed].top1 for seed in common])
    notes = ["little power"] * (len(common) < FEW_SEEDS) + ["all differences are equal: no test"] * (result.p is None)
    if len(common) < max(len(baseline), len(head)):
        notes.append(f"over the {len(common)} seeds that both have")
    return Difference("seeds", tuple(common), *result, None, "; ".join(notes))


def _over_images(baseline: ReportCell, head: ReportCell, common: int) -> Difference:
    """The difference of two models of one seed, which says nothing about their heads, as these have only so many in common."""
    seed = baseline.place.seed
    why = f"of {common} seeds in common, too few to test: the models of seed {seed}" if common > 1 else ""
    result = _matched(baseline, head)
    if isinstance(result, Interval):
        return Difference("images", (seed,), *result, None, why)
    notes = "; ".join(part for part in (why, f"no interval: {result}") if part)
    return Difference("images", (seed,), head.top1 - baseline.top1, None, None, None, None, notes)


def _matched(baseline: ReportCell, head: ReportCell) -> Interval | str:
    """The interval over the images, or why there is none."""
    both = []
    for cell in (baseline, head):
        predictions = read_predictions(cell.directory)
        if predictions is None:
            return f"{cell.place.head} has no predictions that can be read"
        if not _has_accuracy_of_record(predictions, cell):
            return f"the predictions of {cell.place.head} are not those of its record"
        both.append(predictions)
    first, second = both
    if not np.array_equal(first.ids, second.ids) or not np.array_equal(first.labels, second.labels):
        return "their predictions are of different images"
    return matched_interval(first.right, second.right)


def _has_accuracy_of_record(predictions: Predictions, cell: ReportCell) -> bool:
    """Whether the file has the accuracy that the record states; a tie between classes may be broken either way."""
    images = len(predictions.labels)
    return images > 0 and abs(100.0 * float(predictions.right.mean()) - cell.top1) < 100.0 * 1.5 / images


def _corrected(by_head: Mapping[str, Difference]) -> dict[str, Difference]:
    """With Holm over all that were to be tested: one whose differences are all equal counts as p = 1."""
    tested = [head for head, difference in by_head.items() if difference.kind == "seeds"]
    values = [1.0 if (p := by_head[head].p) is None else p for head in tested]
    adjusted = dict(zip(tested, holm(values), strict=True))
    return {
        head: difference if difference.p is None else difference._replace(p_holm=adjusted[head])
        for head, difference in by_head.items()
    }
