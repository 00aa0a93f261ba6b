"""Cells of two heads of one row with the same seed, and how far they are apart: by seed, and by seed and test image."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wisesr.report.convergence import readable_metrics
from wisesr.report.last_epochs import plateau_epochs
from wisesr.report.scores import Scores, Scoring
from wisesr.report.study import ReportCell

CellsBySeed = Mapping[int, ReportCell]
CellValue = Callable[[ReportCell], float | None]
"""A figure of a finished cell; None where it has none."""


class Pairs(NamedTuple):
    """What two heads have with the seeds that both have: the first minus the second."""

    seeds: tuple[int, ...]
    differences: tuple[float, ...]
    """Of each seed."""
    by_image: NDArray[np.float64] | None
    """(seeds, images), of each seed on each test image; None where they cannot be compared image by image."""
    images: str
    """Digest of the test images; empty without `by_image`."""
    why: str
    """Why there is no `by_image`; empty where there is, or none belongs to the value."""
    bounds: int = 0
    """Seeds whose difference is a lower bound: the truth is higher."""


def by_seed(cells: Sequence[ReportCell]) -> dict[int, ReportCell]:
    """One cell of each seed, as an entry has them."""
    return {cell.place.seed: cell for cell in cells}


def top1(cell: ReportCell) -> float:
    """Of the chosen epoch on the test split, percent."""
    return cell.top1


def pair(head: CellsBySeed, baseline: CellsBySeed, scoring: Scoring, value: CellValue = top1, by_image: float = 1.0) -> Pairs:
    """The seeds that two heads share and for which both have the value, with their differences.

    Args:
        head: the cells of one head.
        baseline: of the other.
        scoring: how each cell did on each test image.
        value: of a cell, whose mean over images is its score times `by_image` and something without images.
        by_image: what a score counts for in it; 0 where the value has nothing to do with test images.
    """
    found = {
        seed: (first, second)
        for seed in sorted(head.keys() & baseline.keys())
        if (first := value(head[seed])) is not None and (second := value(baseline[seed])) is not None
    }
    differences = tuple(first - second for first, second in found.values())
    if by_image == 0:
        return Pairs(tuple(found), differences, None, "", "")
    matrix = _by_image([(head[seed], baseline[seed]) for seed in found], scoring)
    if isinstance(matrix, str):
        return Pairs(tuple(found), differences, None, "", matrix)
    values, images = matrix
    return Pairs(tuple(found), differences, by_image * values, images, "")


def _by_image(pairs: Sequence[tuple[ReportCell, ReportCell]], scoring: Scoring) -> tuple[NDArray[np.float64], str] | str:
    """Differences of each seed on each image with the images' digest, or why there are none."""
    rows, images = [], set()
    for cells in pairs:
        read: list[Scores] = []
        for cell in cells:
            own = scoring(cell)
            if isinstance(own, str):
                return f"{cell.place.head}, seed {cell.place.seed}, {own}"
            read.append(own)
        images |= {own.images for own in read}
        if len({len(own.values) for own in read}) == 1:
            rows.append(read[0].values.astype(np.float64) - read[1].values)
    if len(images) != 1:
        return "their predictions are of different images" if images else "no seed is shared"
    return np.array(rows), images.pop()


def last_epochs_top1(cell: ReportCell) -> float | None:
    """Mean over the last epochs (`plateau_epochs`) of what was measured after each to choose one, percent.

    Under protocol=paper that is top-1 on the test split, of which the cell's own figure is the highest. None where
    `metrics.csv` is absent or damaged.
    """
    rows = [top1 for row in readable_metrics(cell.directory) if math.isfinite(top1 := row.get("val/top1", math.nan))]
    return 100.0 * fmean(rows[-plateau_epochs(len(rows)) :]) if rows else None
