"""Whether the heads of one row differ from its baseline: over seeds and test images, from three seeds on.

With fewer seeds there are a few trained models and no statement about heads: how far these are apart on the test images.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial

from wisesr.report.difference import Difference
from wisesr.report.last_epochs import last_epochs
from wisesr.report.pairs import OTHER_IMAGES, REPLICATES, Pairs, by_seed, pair
from wisesr.report.study import ReportCell
from wisesr.report.tested_metrics import Metric
from wisesr.report.yardstick import Yardstick
from wisesr.statistics.crossed import crossed
from wisesr.statistics.families import LEVEL
from wisesr.statistics.images import over_images
from wisesr.statistics.intervals import Estimate, mean_std

SEEDS = 3
"""From this many on, a test is over seeds."""


def differences(
    baseline: Sequence[ReportCell], heads: Mapping[str, Sequence[ReportCell]], yardstick: Yardstick
) -> dict[str, Difference]:
    """Each head's difference to the baseline, by their finished cells; a head that shares no seed with it has none.

    Before any correction for the number of tests: `stars.corrected`.
    """
    found = {head: difference_of(cells, baseline, yardstick) for head, cells in heads.items()}
    return {head: difference for head, difference in found.items() if difference is not None}


def difference_of(head: Sequence[ReportCell], baseline: Sequence[ReportCell], yardstick: Yardstick) -> Difference | None:
    """The difference between two heads of a row; None where they share no seed."""
    pairs = pair(by_seed(head), by_seed(baseline), yardstick.scoring)
    if not pairs.seeds:
        return None
    uneven = len(pairs.seeds) < max(len(head), len(baseline))
    if len(pairs.seeds) < SEEDS:
        return _between_models(pairs, yardstick.metric)._replace(partial=uneven)
    notes = [f"over the {len(pairs.seeds)} seeds that both have"] * uneven
    return _over_seeds(pairs, _last(head, baseline, yardstick), notes)._replace(partial=uneven)


def _between_models(pairs: Pairs, metric: Metric) -> Difference:
    """Of one or two pairs of trained models, over the test images."""
    mean, _ = mean_std(pairs.differences)
    if pairs.by_image is None:
        return Difference("images", pairs.seeds, mean, note=f"no interval: {pairs.why}")
    most = 100.0 if metric.points == "points" else math.inf  # a loss has no end
    interval = over_images(pairs.by_image.mean(axis=0), metric.image_unit, most)
    return Difference("images", pairs.seeds, mean, interval.low, interval.high)


def _over_seeds(pairs: Pairs, last: Estimate | str | None, notes: list[str]) -> Difference:
    """The difference over three seeds or more.

    Args:
        pairs: of the heads.
        last: the difference of the means over the last epochs, where the protocol asks for it; or why there is none.
        notes: what is to be said of it.
    """
    mean, _ = mean_std(pairs.differences)
    found = Difference("seeds", pairs.seeds, mean, last=last if isinstance(last, Estimate) else None)
    estimate = pairs.estimate()
    both = crossed(pairs.differences, pairs.by_image) if pairs.by_image is not None and estimate is not None else None
    if pairs.tested_over_trained is not None:
        notes.append(f"{REPLICATES}: corrected resampled t")
        found, tests = found._replace(resampled=estimate, replicated=True), [estimate]
        missing = f"no star: {pairs.why}" if pairs.why == OTHER_IMAGES else ""
    else:
        found, tests = found._replace(paired=estimate, crossed=both), [estimate, both]
        missing = f"no interval over images, so no star: {pairs.why or 'all models answer all images alike'}" * (both is None)
    low, high = shown.ends if (shown := both or estimate) else (None, None)
    needed: list[Estimate] | None = None
    if estimate is None:
        notes.append("all differences are equal: no test")
    elif missing:
        notes.append(missing)
    else:
        needed = _with_last([test for test in tests if test is not None], mean, last, notes)
    return found._replace(low=low, high=high, p=_largest(needed, mean), note="; ".join(notes))


def _with_last(needed: list[Estimate], mean: float, last: Estimate | str | None, notes: list[str]) -> list[Estimate] | None:
    """What a star needs, with the estimate of the last epochs where the protocol asks for it; None where that is unknown."""
    if isinstance(last, str):
        notes.append(f"no star: {last}")
        return None
    if last and last.mean * mean <= 0:
        notes.append("the mean over the last epochs says the opposite: no star")
    elif last and last.p >= LEVEL > max(estimate.p for estimate in needed):
        notes.append("over the last epochs no difference is found: no star")
    return [*needed, *([last] if last else [])]


def _largest(needed: Sequence[Estimate] | None, mean: float) -> float | None:
    """The largest p-value of tests all of which must reject, in the direction of the mean; None where nothing is tested."""
    if needed is None:
        return None
    return max(estimate.p if estimate.mean * mean > 0 else 1.0 for estimate in needed)


def _last(head: Sequence[ReportCell], baseline: Sequence[ReportCell], yardstick: Yardstick) -> Estimate | str | None:
    """Under protocol=paper the difference of means over the last epochs, over seeds; or why it is not known."""
    if head[0].place.protocol != "paper":
        return None
    value = partial(last_epochs, metric=yardstick.metric)
    pairs = pair(by_seed(head), by_seed(baseline), yardstick.scoring, value, 0.0)
    if len(pairs.seeds) < SEEDS:
        return f"metrics.csv has {yardstick.metric.words} of the last epochs for fewer than three seeds"
    return pairs.estimate() or "over the last epochs all differences are equal"
