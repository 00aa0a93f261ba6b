"""One estimate over the rows of a claim, and what it speaks for: backbones that were not tried, or only these.

Rows of three backbones and more are a sample of backbones, those of three datasets and more one of datasets. Eleven backbones
on one dataset say nothing of other datasets, and what rows share, a backbone or a dataset, does not average out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wisesr.report.claims.rows import ClaimRow
from wisesr.statistics.crossed import Parts, combined, interaction, satterthwaite
from wisesr.statistics.intervals import Estimate
from wisesr.statistics.random_effects import random_effects
from wisesr.statistics.shared import Part, with_shared

SAMPLE = 3
"""Backbones, or datasets, from which on they are a sample of such; fewer cannot tell how much they differ."""
PLAIN = 5
"""Rows that are needed where they have no error of their own, with fewer than three seeds."""

Factor = Literal["backbones", "datasets"]


class Pooled(NamedTuple):
    """A claim's rows together."""

    estimate: Estimate
    rows: tuple[ClaimRow, ...]
    """That are in it."""
    across: tuple[Factor, ...] = ()
    """Of what the rows are a sample; empty where the estimate is for these rows, with other seeds and images."""


def pooled(rows: Sequence[ClaimRow]) -> Pooled | str:
    """The rows together, or why they say nothing."""
    used = [row for row in rows if row.estimate is not None]
    if len(used) < len(rows) and len(rows) >= PLAIN and _across(rows):
        used = list(rows)
    across = _across(used)
    if not used and any(row.seed_variance is not None for row in rows):
        return "all differences of a row are equal, so there is nothing to test"
    if not used:
        return _too_few(rows[0].repeated_by if rows else "seed")
    estimate = _sampled(used, across) if across else _fixed(used)
    if estimate is None:
        return "all differences are equal"
    return Pooled(estimate, tuple(used), across)


def _too_few(repeated_by: str) -> str:
    way = "more values of dataset.fold give them" if repeated_by == "fold" else f"{repeated_by}=0,1,2,3,4 gives five"
    return (
        f"no row has three {repeated_by}s with this figure of both heads ({way}); of one {repeated_by} it takes five rows, "
        "of three backbones or datasets at least"
    )


def _across(rows: Sequence[ClaimRow]) -> tuple[Factor, ...]:
    levels: dict[Factor, set[str]] = {"backbones": {row.backbone for row in rows}, "datasets": {row.dataset for row in rows}}
    return tuple(factor for factor, names in levels.items() if len(names) >= SAMPLE)


def _fixed(rows: Sequence[ClaimRow]) -> Estimate | None:
    """The mean of rows, for other seeds and images."""
    weights = np.full(len(rows), 1 / len(rows))
    own = [weight**2 * (row.seed_variance or 0.0) for weight, row in zip(weights, rows, strict=True)]
    freedom = satterthwaite(sum(own), own, [len(row.seeds) - 1 for row in rows])
    both = sum(weight**2 * block.both for weight, row in zip(weights, rows, strict=True) for block in row.blocks)
    parts = Parts(sum(own), sum(_image_variances(rows, weights).values()), both)
    return combined(float(weights @ _means(rows)), parts, freedom, _images(rows))


def _sampled(rows: Sequence[ClaimRow], across: tuple[Factor, ...]) -> Estimate | None:
    """The mean of rows that are a sample, for other images too: those that rows share err for all of them alike."""
    means = _means(rows)
    if np.ptp(means) == 0:
        return None
    known = [row.estimate.variance for row in rows if row.estimate]
    own = random_effects(means, np.array(known) if len(known) == len(rows) else None)
    weights = np.full(len(rows), 1 / len(rows))
    images = _image_variances(rows, weights)
    names = {"backbones": [row.backbone for row in rows], "datasets": [row.dataset for row in rows]}
    deviations = weights * (means - own.mean)
    variance, freedom = with_shared(Part(own.variance, own.freedom), deviations, [names[factor] for factor in across])
    if "datasets" in across:  # a dataset's images are in what differs between datasets
        both = sum(images.values())
    else:
        both = sum(_interaction(rows, weights, name, of_split) for name, of_split in images.items())
    return combined(own.mean, Parts(variance, sum(images.values()), both), freedom, _images(rows))


def _means(rows: Sequence[ClaimRow]) -> NDArray[np.float64]:
    return np.array([row.mean for row in rows])


def _images(rows: Sequence[ClaimRow]) -> float:
    """Degrees of freedom of what images do to the mean."""
    return float(sum({block.images: len(block.values) - 1 for row in rows for block in row.blocks}.values()) or 1)


def _image_variances(rows: Sequence[ClaimRow], weights: NDArray[np.float64]) -> dict[str, float]:
    """Of the weighted mean for other images, by test split: what rows of one split have in common does not average out."""
    total: dict[str, NDArray[np.float64]] = {}
    for row, weight in zip(rows, weights, strict=True):
        for block in row.blocks:
            total[block.images] = total.get(block.images, 0.0) + weight * block.values
    return {name: float(values.var(ddof=1)) / len(values) for name, values in total.items()}


def _interaction(rows: Sequence[ClaimRow], weights: NDArray[np.float64], images: str, variance: float) -> float:
    """What of the variance by the images of one split is in the spread of rows already.

    Args:
        rows: of the claim.
        weights: of the rows.
        images: the split's digest.
        variance: of the weighted mean for other images of the split.
    """
    own = [
        (block.values, weight)
        for row, weight in zip(rows, weights, strict=True)
        for block in row.blocks
        if block.images == images
    ]
    if len(own) == 1:
        return variance
    squares = float(np.sum(np.square([weight for _, weight in own])))
    return squares * interaction(np.array([values for values, _ in own])) / len(own[0][0])
