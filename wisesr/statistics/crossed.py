"""Seeds and test images are samples, both: the error of a difference between heads over the two of them.

A paired t over seeds speaks for one test set: two heads that are equal over all images differ a little on any 1,340 of them,
and more seeds make just that certain. Here other seeds and other images are drawn. The variance of a mean over a table of seeds
by images is that of seeds plus that of images less their interaction, which stands in both (Owen 2007, Annals of Applied
Statistics 1:386-411); never less than either alone. Degrees of freedom: Satterthwaite 1946, Biometrics Bulletin 2:110-114.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wisesr.statistics.intervals import Estimate

Values = NDArray[np.float64]


class Parts(NamedTuple):
    """Variances of a mean, by what is drawn anew."""

    seeds: float
    images: float
    both: float
    """Of their interaction, which either of the two has in it."""


def variance_parts(differences: Sequence[float], by_image: Values) -> Parts:
    """What a mean difference owes to seeds, to images, and to the two together.

    Args:
        differences: of each seed, at least two.
        by_image: (seeds, images), of each seed on each image, in the same unit; at least two images.
    """
    seeds, images = by_image.shape
    of_images = float(by_image.mean(axis=0).var(ddof=1)) / images
    return Parts(float(np.var(differences, ddof=1)) / seeds, of_images, interaction(by_image) / (seeds * images))


def interaction(table: Values) -> float:
    """The variance of a table's values that neither their row nor their column accounts for.

    Args:
        table: (rows, columns), at least two of each.
    """
    left: Values = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + table.mean()
    rows, columns = table.shape
    return float((left**2).sum()) / float((rows - 1) * (columns - 1))


def crossed(differences: Sequence[float], by_image: Values) -> Estimate | None:
    """A mean difference over seeds, for other seeds and other images; None where neither has any spread.

    Args:
        differences: of each seed, at least two; their mean is the estimate.
        by_image: (seeds, images), as of `variance_parts`.
    """
    parts = variance_parts(differences, by_image)
    seeds, images = by_image.shape
    return combined(float(np.mean(differences)), parts, seeds - 1, images - 1)


def combined(mean: float, parts: Parts, seed_freedom: float, image_freedom: float) -> Estimate | None:
    """An estimate with the sum of its variances; None where it has none."""
    variance = max(parts.seeds + parts.images - parts.both, parts.seeds, parts.images)
    if variance <= 0:
        return None
    return Estimate(mean, variance, satterthwaite(variance, (parts.seeds, parts.images), (seed_freedom, image_freedom)))


def satterthwaite(variance: float, parts: Sequence[float], freedoms: Sequence[float]) -> float:
    """Degrees of freedom of a variance that was put together from others, by theirs; never less than the fewest."""
    squares = sum(part**2 / freedom for part, freedom in zip(parts, freedoms, strict=True))
    return max(variance**2 / squares, min(freedoms)) if squares else float(min(freedoms))
