"""Whether the heads of one group differ from its baseline: over seeds where there are three, else over the test images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from wisesr.report.statistics import Interval, holm, matched_interval, paired_t
from wisesr.report.study import Difference, ReportCell
from wisesr.results.predictions import Predictions, read_predictions

SEEDS = 3
"""From which on seeds are tested."""
FEW_SEEDS = 5
"""Seeds below which a test has little power."""

BySeed = Mapping[int, ReportCell]


def differences(baseline: Sequence[ReportCell], heads: Mapping[str, Sequence[ReportCell]]) -> dict[str, Difference]:
    """Each head's difference to the baseline; a head that shares no seed with it has none.

    Args:
        baseline: finished cells.
        heads: those of each other head of the group, by its name.
    """
    own = {cell.place.seed: cell for cell in baseline}
    found: dict[str, Difference] = {}
    for head, cells in heads.items():
        others = {cell.place.seed: cell for cell in cells}
        common = sorted(own.keys() & others.keys())
        if len(common) >= SEEDS:
            found[head] = _over_seeds(own, others, common)
        elif common:
            found[head] = _over_images(own[common[0]], others[common[0]], len(common))
    return _corrected(found)


def _over_seeds(own: BySeed, others: BySeed, common: Sequence[int]) -> Difference:
    result = paired_t([others[seed].top1 - own[seed].top1 for seed in common])
    notes = ["little power"] * (len(common) < FEW_SEEDS) + ["all differences are equal: no test"] * (result.p is None)
    if len(common) < max(len(own), len(others)):
        notes.append(f"over the {len(common)} seeds that both have")
    return Difference("seeds", tuple(common), *result, None, "; ".join(notes))


def _over_images(own: ReportCell, other: ReportCell, common: int) -> Difference:
    """Of one seed's two models."""
    seed = own.place.seed
    why = f"of {common} seeds in common, too few to test: the models of seed {seed}" if common > 1 else ""
    result = _matched(own, other)
    if isinstance(result, Interval):
        return Difference("images", (seed,), *result, None, why)
    notes = "; ".join(part for part in (why, f"no interval: {result}") if part)
    return Difference("images", (seed,), other.top1 - own.top1, None, None, None, None, notes)


def _matched(own: ReportCell, other: ReportCell) -> Interval | str:
    """The interval over the images, or why there is none."""
    found = []
    for cell in (own, other):
        predictions = read_predictions(cell.directory)
        if predictions is None:
            return f"{cell.place.head} has no predictions that can be read"
        if not _of_record(predictions, cell):
            return f"the predictions of {cell.place.head} are not those of its record"
        found.append(predictions)
    first, second = found
    if not np.array_equal(first.ids, second.ids) or not np.array_equal(first.labels, second.labels):
        return "their predictions are of different images"
    return matched_interval(first.right, second.right)


def _of_record(predictions: Predictions, cell: ReportCell) -> bool:
    """Whether the file has the accuracy that the record states; a tie between classes may be broken either way."""
    images = len(predictions.labels)
    return images > 0 and abs(100.0 * float(predictions.right.mean()) - cell.top1) < 100.0 * 1.5 / images


def _corrected(found: Mapping[str, Difference]) -> dict[str, Difference]:
    """With Holm over all that were to be tested: one whose differences are all equal counts as p = 1."""
    tested = [head for head, one in found.items() if one.kind == "seeds"]
    values = [1.0 if (p := found[head].p) is None else p for head in tested]
    adjusted = dict(zip(tested, holm(values), strict=True))
    return {head: one._replace(p_holm=adjusted[head]) if one.p is not None else one for head, one in found.items()}
