"""Whether the heads of one row differ from its baseline: over seeds and test images, from three seeds on.

With fewer seeds there are a few trained models and no statement about heads: how far these are apart on the test images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wisesr.report.pairs import Pairs, by_seed, last_epochs_top1, pair
from wisesr.report.scores import Scoring
from wisesr.report.statistics.crossed import crossed
from wisesr.report.statistics.images import over_images
from wisesr.report.statistics.intervals import Estimate, mean_std, student
from wisesr.report.study import Difference, ReportCell

SEEDS = 3
"""From this many on, a test is over seeds."""
_POINTS = 100.0
"""What an image counts for that one model has right and the other has not."""


def differences(
    baseline: Sequence[ReportCell], heads: Mapping[str, Sequence[ReportCell]], scoring: Scoring
) -> dict[str, Difference]:
    """Each head's difference to the baseline, by their finished cells; a head that shares no seed with it has none.

    Before any correction for the number of tests: `stars.corrected`.
    """
    found = {head: difference_of(cells, baseline, scoring) for head, cells in heads.items()}
    return {head: difference for head, difference in found.items() if difference is not None}


def difference_of(head: Sequence[ReportCell], baseline: Sequence[ReportCell], scoring: Scoring) -> Difference | None:
    """The difference between two heads of a row; None where they share no seed."""
    pairs = pair(by_seed(head), by_seed(baseline), scoring)
    if not pairs.seeds:
        return None
    partial = len(pairs.seeds) < max(len(head), len(baseline))
    if len(pairs.seeds) < SEEDS:
        return _between_models(pairs)._replace(partial=partial)
    notes = [f"over the {len(pairs.seeds)} seeds that both have"] * partial
    return _over_seeds(pairs, _last(head, baseline, scoring), notes)._replace(partial=partial)


def _between_models(pairs: Pairs) -> Difference:
    """Of one or two pairs of trained models, over the test images."""
    mean, _ = mean_std(pairs.differences)
    if pairs.by_image is None:
        return Difference("images", pairs.seeds, mean, note=f"no interval: {pairs.why}")
    interval = over_images(pairs.by_image.mean(axis=0), _POINTS)
    return Difference("images", pairs.seeds, mean, interval.low, interval.high)


def _over_seeds(pairs: Pairs, last: Estimate | str | None, notes: list[str]) -> Difference:
    """The difference over three seeds or more.

    Args:
        pairs: of the heads.
        last: the difference of the means over the last epochs, where the protocol asks for it; or why there is none.
        notes: what is to be said of it.
    """
    mean, _ = mean_std(pairs.differences)
    paired = student(pairs.differences)
    both = crossed(pairs.differences, pairs.by_image) if pairs.by_image is not None else None
    needed: list[Estimate] | None = None
    if paired is None:
        notes.append("all differences are equal: no test")
    elif both is None:
        notes.append(f"no interval over images, so no star: {pairs.why or 'all models answer all images alike'}")
    elif isinstance(last, str):
        notes.append(f"no star: {last}")
    else:
        needed = [paired, both, *([last] if last else [])]
        if last and last.mean * mean <= 0:
            notes.append("the mean over the last epochs says the opposite: no star")
    shown = (both or paired).interval() if paired is not None and (both or paired) else None
    return Difference(
        "seeds",
        pairs.seeds,
        mean,
        *((shown.low, shown.high) if shown else (None, None)),
        paired=paired,
        crossed=both if paired is not None else None,
        last=last if isinstance(last, Estimate) else None,
        p=_largest(needed, mean),
        note="; ".join(notes),
    )


def _largest(needed: Sequence[Estimate] | None, mean: float) -> float | None:
    """The largest p-value of tests all of which must reject, in the direction of the mean; None where nothing is tested."""
    if needed is None:
        return None
    return max(estimate.p if estimate.mean * mean > 0 else 1.0 for estimate in needed)


def _last(head: Sequence[ReportCell], baseline: Sequence[ReportCell], scoring: Scoring) -> Estimate | str | None:
    """Under protocol=paper the difference of means over the last epochs, over seeds; or why it is not known."""
    if head[0].place.protocol != "paper":
        return None
    pairs = pair(by_seed(head), by_seed(baseline), scoring, last_epochs_top1)
    if len(pairs.seeds) < SEEDS:
        return "metrics.csv of fewer than three seeds can be read, so nothing is known of the last epochs"
    return student(pairs.differences) or "over the last epochs all differences are equal"
