"""Trained models on the same images: an interval over the images alone."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from wisesr.statistics.intervals import CONFIDENCE, Interval


def over_images(differences: NDArray[np.float64], unit: float, most: float = math.inf) -> Interval:
    """Mean difference of two models over the images that both classified, in the unit of the differences; no test.

    The interval is Wald's after adding half an image to each of the four cells of the table right/wrong x right/wrong (Agresti
    and Min 2005, Statistics in Medicine 24:729-740), so that it has a width where the models agree on every image, too.

    Args:
        differences: of each image, (images,); of several pairs of models their mean.
        unit: what an image that one model has right and the other has not counts for: 100 for points.
        most: the largest difference that there can be, in the same unit; no end of the interval lies beyond.
    """
    images, own = len(differences) + 2, np.asarray(differences, np.float64) / unit
    centre = float(own.sum()) / images
    spread = max(0.0, (float((own**2).sum()) + 1.0) / images - centre**2)
    reach = float(ndtri((1 + CONFIDENCE) / 2)) * math.sqrt(spread / images)
    low, high = max(-most, unit * (centre - reach)), min(most, unit * (centre + reach))
    return Interval(unit * float(own.mean()), low, high, None)
