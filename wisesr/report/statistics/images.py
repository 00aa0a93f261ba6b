"""Two trained models on the same images: an interval over the images alone."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from wisesr.report.statistics.intervals import LEVEL, Interval


def matched_interval(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Interval:
    """Difference of two models' accuracies over the same images, second minus first, in points; no test.

    The interval is Wald's after adding 1/2 to each of the four cells of the table right/wrong x right/wrong (Agresti & Min
    2005, Statistics in Medicine 24:729-740), so that it has a width where the models agree on every image, too.

    Args:
        first: whether each image was classified rightly, (images,).
        second: likewise, in the same order.
    """
    gained, lost = int((second & ~first).sum()), int((first & ~second).sum())
    images = len(first) + 2.0
    centre = (gained - lost) / images
    error = math.sqrt((gained + lost + 1.0) / images - centre**2) / math.sqrt(images)
    reach = float(ndtri((1 + LEVEL) / 2)) * error
    return Interval(
        100.0 * (gained - lost) / len(first), 100.0 * max(-1.0, centre - reach), 100.0 * min(1.0, centre + reach), None
    )
