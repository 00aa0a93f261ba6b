"""What a comparison of two heads will be able to find, before it is made: the report's own tests on the errors to be expected.

Of a difference of top-1 between two heads two things are needed. On which share of images they are unlike, one right and the
other wrong: where they are alike, no image speaks for either. And what trainings vary by themselves. The rest is arithmetic.
"""

from __future__ import annotations

from typing import NamedTuple

from wisesr.statistics.crossed import Parts, combined
from wisesr.statistics.families import LEVEL
from wisesr.statistics.intervals import Estimate
from wisesr.statistics.resampled import variance_factor

_POINTS = 100.0


class Spread(NamedTuple):
    """What differences between two heads vary by."""

    unlike: float
    """Share of the test images, from 0 to 1, on which one is right and the other wrong."""
    lasting: float
    """Share of the variance over images that all repetitions have: the same images speak for the same head."""
    trainings: float
    """Standard deviation of the true difference over repetitions, points: that of no number of test images."""


class Design(NamedTuple):
    """How two heads are to be compared."""

    repetitions: int
    """Pairs, at least three."""
    images: int
    """Test images of each."""
    tests: int
    """Comparisons of the study, over which Holm's correction goes."""
    tested_over_trained: float | None
    """As of `resampled.resampled` where repetitions have test images of their own; None where all have the same."""


def detectable(design: Design, spread: Spread) -> float | None:
    """The true difference that is found in 80 % of studies, points, if no other comparison is; None where none can be found.

    As `Estimate.detectable`, of the errors that are to be expected. A difference is at most the share of unlike images, and so
    there is none to be found where heads have been alike on all.
    """
    found = max(estimate.detectable(LEVEL / design.tests) for estimate in _estimates(design, spread))
    return found if 0 < found <= _POINTS * spread.unlike else None


def _estimates(design: Design, spread: Spread) -> list[Estimate]:
    """All that must speak for a star, with their expected errors."""
    count, images = design.repetitions, design.images
    by_image, trainings = _POINTS**2 * spread.unlike, spread.trainings**2
    if design.tested_over_trained is not None:
        each = trainings + by_image / images
        return [Estimate(0.0, each / count * variance_factor(count, design.tested_over_trained), count - 1)]
    both = by_image * (1 - spread.lasting) / (count * images)
    parts = Parts(trainings / count + both, by_image * spread.lasting / images + both, both)
    crossed = combined(0.0, parts, count - 1, images - 1)
    return [Estimate(0.0, parts.seeds, count - 1), *([crossed] if crossed else [])]
