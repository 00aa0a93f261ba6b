"""Folds: all images in k parts, each the test split once; by class, whole groups together. No torch, no scikit-learn.

The parts depend on the images, `split_seed` and k only, and must for ever: cells of one cross-validation may be trained under
other versions of whatever is installed. Hence few lines of our own, and not scikit-learn's, whose shuffling is its own affair.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from wisesr.data.manifest import TEST, TRAIN, Manifest
from wisesr.errors import UserError
from wisesr.types import derive_seed
from wisesr.wording import some_of

_SHOWN = 8
"""Classes that an error names."""


@dataclass(frozen=True)
class Fold:
    """One part of a partition."""

    index: int
    """From 0."""
    of: int
    """Parts, at least two."""


def fold_images(manifest: Manifest, fold: Fold, seed: int) -> NDArray[np.int64]:
    """Positions of the images of one fold, in order.

    Args:
        manifest: without a test split: what a test split would be drawn from is divided, its training images.
        fold: which part, of how many.
        seed: draws the partition.

    Raises:
        UserError: the dataset brings a test split; not every fold has an image of every class.
    """
    if len(manifest.indices(TEST)):
        raise UserError(
            "dataset.fold: this dataset brings a test split of its own, which folds would take apart: on it alone figures are "
            "comparable with those of others, and it may keep images apart that belong together. Leave dataset.fold out "
            "(replicate=0,1,2 repeats seed and val split), or do without that split: dataset=folder with dataset.test=null"
        )
    rows = manifest.indices(TRAIN)
    parts = partition(manifest, rows, fold.of, derive_seed(seed, "split", "folds"))
    _require_every_class(manifest, rows, parts, fold.of)
    return cast(NDArray[np.int64], rows[parts == fold.index])


def partition(manifest: Manifest, rows: NDArray[np.int64], folds: int, seed: int) -> NDArray[np.int64]:
    """The fold of each image of `rows`: (rows,), 0 to folds - 1.

    Without groups, the counts of two folds differ by at most one image in every class, and in all. With groups, the largest is
    placed first, and each where least of its classes' shares is so far.
    """
    labels = np.asarray(manifest.labels)[rows].astype(np.int64)
    generator = np.random.Generator(np.random.PCG64(seed))
    order = generator.permutation(len(rows))
    parts = np.empty(len(rows), np.int64)
    if len(manifest.groups):
        groups = list(manifest.groups)
        units = _units([groups[row] for row in rows.tolist()], order)
        return _place_groups(units, labels, folds, parts)
    by_class = order[np.argsort(labels[order], kind="stable")]
    parts[by_class] = np.arange(len(rows)) % folds  # the next class goes on where the last one ended
    return parts


def _units(groups: list[str], order: NDArray[np.int64]) -> list[list[int]]:
    """Images that stay together, the largest group first, equal ones in random order; an image without a group is one."""
    members: dict[str | int, list[int]] = defaultdict(list)
    for index in order.tolist():
        members[groups[index] or index].append(index)
    return sorted(members.values(), key=len, reverse=True)


def _place_groups(units: list[list[int]], labels: NDArray[np.int64], folds: int, parts: NDArray[np.int64]) -> NDArray[np.int64]:
    totals = np.maximum(np.bincount(labels), 1)
    here = np.zeros((folds, len(totals)))
    sizes = np.zeros(folds)
    for unit in units:
        count = np.bincount(labels[unit], minlength=len(totals))
        share = here @ (count / totals**2)  # half of what sum((images / total)**2) grows by, but for what all folds have alike
        chosen = int(np.lexsort((sizes, np.round(share, 12)))[0])
        here[chosen] += count
        sizes[chosen] += len(unit)
        parts[unit] = chosen
    return parts


def _require_every_class(manifest: Manifest, rows: NDArray[np.int64], parts: NDArray[np.int64], folds: int) -> None:
    classes = len(manifest.class_names)
    labels = np.asarray(manifest.labels)[rows].astype(np.int64)
    table = np.bincount(parts * classes + labels, minlength=folds * classes).reshape(folds, classes)
    if lacking := [name for name, least in zip(manifest.class_names, table.min(axis=0), strict=True) if not least]:
        rarest = int(table.sum(axis=0).min())
        most = f", at most {rarest}" if rarest < folds else ""
        raise UserError(
            f"dataset.folds={folds}: too few images or groups for every fold to have one, of {some_of(lacking, _SHOWN)}: "
            f"take fewer folds{most}"
        )
