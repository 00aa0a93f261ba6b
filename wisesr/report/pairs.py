"""Cells of two heads of one row with the same seed, and how far they are apart: by seed, and by seed and test image."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wisesr.report.repetitions import tested_over_trained
from wisesr.report.scores import Scores, Scoring
from wisesr.report.study import ReportCell
from wisesr.statistics.intervals import Estimate
from wisesr.statistics.resampled import over_repetitions

CellsBySeed = Mapping[int, ReportCell]
OTHER_IMAGES = "their predictions are of different images"
"""Those of two heads with one seed: their difference is not one of heads."""
REPLICATES = "test images differ between replicates"
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
    tested_over_trained: float | None = None
    """Where test images differ between seeds, as between replicates or folds (`repetitions.tested_over_trained`)."""

    def estimate(self) -> Estimate | None:
        """The mean for other seeds, or for other replicates or folds, by `statistics.resampled`; None where all are equal."""
        return over_repetitions(self.differences, self.tested_over_trained)


def by_seed(cells: Sequence[ReportCell]) -> dict[int, ReportCell]:
    """One cell of each seed, as an entry has them."""
    return {cell.place.seed: cell for cell in cells}


def tested(cell: ReportCell) -> float:
    """The metric that is tested, of the chosen epoch on the test split."""
    return cell.tested


def pair(head: CellsBySeed, baseline: CellsBySeed, scoring: Scoring, value: CellValue = tested, by_image: float = 1.0) -> Pairs:
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
    over = tested_over_trained([head[seed] for seed in found], scoring)
    matrix = _by_image([(head[seed], baseline[seed]) for seed in found], scoring) if by_image else ""
    if isinstance(matrix, str):
        why = OTHER_IMAGES if matrix == REPLICATES and over is None else matrix
        return Pairs(tuple(found), differences, None, "", why, tested_over_trained=over)
    values, images = matrix
    return Pairs(tuple(found), differences, by_image * values, images, "")


def _by_image(pairs: Sequence[tuple[ReportCell, ReportCell]], scoring: Scoring) -> tuple[NDArray[np.float64], str] | str:
    """Differences of each seed on each image with the images' digest, or why there are none."""
    rows, images, mixed = [], set(), False
    for cells in pairs:
        read: list[Scores] = []
        for cell in cells:
            own = scoring(cell)
            if isinstance(own, str):
                return f"{cell.place.head}, seed {cell.place.seed}, {own}"
            read.append(own)
        images |= {own.images for own in read}
        mixed |= len({own.images for own in read}) > 1
        if len({len(own.values) for own in read}) == 1:
            rows.append(read[0].values.astype(np.float64) - read[1].values)
    if len(images) != 1:
        return "no seed is shared" if not images else OTHER_IMAGES if mixed else REPLICATES
    return np.array(rows), images.pop()
