"""The rows of a claim: on one backbone and dataset, how far two heads are apart, or how that changes with size or classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wisesr.report.claims.measures import Measure
from wisesr.report.differences import SEEDS
from wisesr.report.pairs import Pairs
from wisesr.report.repetitions import repeated_by
from wisesr.report.scores import Scoring
from wisesr.report.study import Entry, Place
from wisesr.report.twins import figures
from wisesr.statistics.crossed import Parts, combined, variance_parts
from wisesr.statistics.intervals import Estimate, mean_std, student
from wisesr.statistics.resampled import resampled


class Matched(NamedTuple):
    """Two heads of one row of a table, and what their difference counts for in a row of the claim."""

    head: Entry
    baseline: Entry
    weight: float = 1.0


class ImageBlock(NamedTuple):
    """What the row owes to the images of one test split."""

    images: str
    """Digest of the images: blocks of other rows with the same one are about the same images."""
    values: NDArray[np.float64]
    """(images,), the mean over seeds of each image's share of the row; their mean is the row's."""
    variance: float
    """Of the row, for other images."""
    both: float
    """Of the interaction of images and seeds, which stands in `variance` and in that of seeds."""


class ClaimRow(NamedTuple):
    """One backbone and dataset."""

    label: str
    backbone: str
    dataset: str
    """Its name alone, like the backbone's: what rows of other settings or sizes have in common."""
    seeds: tuple[int, ...]
    mean: float
    """In the unit of the claim's measure."""
    seed_variance: float | None
    """Of the mean, for other seeds; None with fewer than three."""
    blocks: tuple[ImageBlock, ...]
    """Empty where a measure has no images of its own, or predictions cannot be had."""
    estimate: Estimate | None
    """For other seeds and other images; None with fewer than three seeds, or without any spread."""
    bounds: int = 0
    """Seeds whose difference is a lower bound."""
    sizes: tuple[int, ...] = ()
    """Of its images, px."""
    beside: str = ""
    """What else is to be known of it, as of `chains.Candidate`."""
    replicated: bool = False
    """Whether its seeds have test images of their own, so that other images are in the error over them."""
    repeated_by: str = "seed"
    """What its seeds are, as of `repetitions.repeated_by`."""


def claim_row(label: str, places: Sequence[Matched], measure: Measure, scoring: Scoring) -> ClaimRow | str:
    """A row, or why there is none.

    Args:
        label: of the row.
        places: a plain difference has one, with weight 1; a slope one for each size.
        measure: that is compared.
        scoring: how each cell did on each test image.
    """
    if any(_is_one_computation(place) for place in places):
        return "the two heads are one computation there"
    pairs: list[Pairs] = []
    for place in places:
        found = measure.pairs(place.head, place.baseline, scoring)
        if isinstance(found, str):
            return found
        if found.bounds and len(places) > 1:
            return "some seeds never reached the goal, and of bounds there is no slope"
        pairs.append(found)
    seeds = sorted(set.intersection(*(set(found.seeds) for found in pairs)))
    if not seeds:
        return "no seed is shared by all of its cells"
    own, weights = [_only(each, seeds) for each in pairs], [place.weight for place in places]
    differences = [sum(w * each.differences[at] for w, each in zip(weights, own, strict=True)) for at in range(len(seeds))]
    matrices = _matrices(own, weights)
    if isinstance(matrices, str):
        return matrices
    bounds = max(found.bounds for found in pairs)
    stands = places[0].head.place
    if over := max(found.tested_over_trained or 0.0 for found in pairs):
        row = _over_replicates(label, stands, tuple(seeds), differences, over)
    else:
        row = _row(label, stands, tuple(seeds), differences, matrices)
    by = repeated_by([cell.config for cell in places[0].head.cells])
    return row._replace(bounds=bounds, sizes=tuple(sorted({place.head.place.size for place in places})), repeated_by=by)


def _over_replicates(label: str, place: Place, seeds: tuple[int, ...], differences: Sequence[float], over: float) -> ClaimRow:
    """Where test images differ between replicates or folds: other images are in the error over these already."""
    estimate = resampled(differences, over) if len(seeds) >= SEEDS else None
    variance = None if len(seeds) < SEEDS else estimate.variance if estimate else 0.0
    return ClaimRow(label, *_names(place), seeds, mean_std(differences)[0], variance, (), estimate, replicated=True)


def _names(place: Place) -> tuple[str, str]:
    """Of backbone and dataset, without settings."""
    return place.backbone.split(" ")[0], place.dataset.split(" ")[0]


def _is_one_computation(place: Matched) -> bool:
    """By the seeds that both have: either may have others besides."""
    shared = set(place.head.seeds) & set(place.baseline.seeds)
    head, baseline = (
        figures(entry._replace(cells=tuple(cell for cell in entry.cells if cell.place.seed in shared)))
        for entry in (place.head, place.baseline)
    )
    return bool(shared) and head == baseline


def _only(pairs: Pairs, seeds: Sequence[int]) -> Pairs:
    kept = [pairs.seeds.index(seed) for seed in seeds]
    by_image = None if pairs.by_image is None else pairs.by_image[kept]
    return pairs._replace(seeds=tuple(seeds), differences=tuple(pairs.differences[at] for at in kept), by_image=by_image)


def _matrices(pairs: Sequence[Pairs], weights: Sequence[float]) -> dict[str, NDArray[np.float64]] | str:
    """(seeds, images) by the digest of the images, in the row's unit; of sizes with the same images their sum."""
    matrices: dict[str, NDArray[np.float64]] = {}
    for own, weight in zip(pairs, weights, strict=True):
        if own.by_image is not None:
            matrices[own.images] = matrices.get(own.images, 0.0) + weight * own.by_image
        elif own.why and own.tested_over_trained is None:
            return own.why
    return matrices


def _row(
    label: str, place: Place, seeds: tuple[int, ...], differences: Sequence[float], matrices: dict[str, NDArray[np.float64]]
) -> ClaimRow:
    mean, _ = mean_std(differences)
    if len(seeds) < SEEDS:
        blocks = tuple(ImageBlock(name, own.mean(axis=0), 0.0, 0.0) for name, own in matrices.items())
        return ClaimRow(label, *_names(place), seeds, mean, None, blocks, None)
    parts = {name: variance_parts(differences, own) for name, own in matrices.items()}
    blocks = tuple(ImageBlock(name, own.mean(axis=0), parts[name].images, parts[name].both) for name, own in matrices.items())
    alone = student(differences)
    seed_variance = alone.variance if alone else 0.0
    images, both = sum(block.variance for block in blocks), sum(block.both for block in blocks)
    freedom = sum(len(block.values) - 1 for block in blocks) or 1
    estimate = combined(mean, Parts(seed_variance, images, both), len(seeds) - 1, freedom)
    return ClaimRow(label, *_names(place), seeds, mean, seed_variance, blocks, estimate)
