"""Drawing held-out images: stratified by class, whole groups together, from a seed of their own. No torch.

The split never depends on the seed of a cell, so that all cells of a comparison are chosen and measured on the same images.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from wisesr.data.folds import Fold, fold_images
from wisesr.data.manifest import SPLITS, TEST, TRAIN, VAL, Manifest
from wisesr.data.packed import Codes
from wisesr.errors import UserError
from wisesr.types import derive_seed
from wisesr.wording import some_of

_SHOWN = 8
"""Classes that an error names."""


def complete(
    manifest: Manifest, *, protocol: str, test_fraction: float, val_fraction: float, seed: int, fold: Fold | None = None
) -> Manifest:
    """The manifest with the splits that the protocol needs.

    Args:
        manifest: as the dataset brings it.
        protocol: "holdout": a val split, drawn from the training images where the dataset brings none. "paper": the val
            split is the test split itself; one that the dataset brings is left unused.
        test_fraction: share of the images of each class, where the dataset brings no test split.
        val_fraction: share of the training images of each class.
        seed: draws both.
        fold: which part of all images the test split is, in place of `test_fraction`.

    Raises:
        UserError: an unknown protocol; too few images or groups of a class to divide; a fold of a dataset with a test split.
    """
    if protocol not in ("holdout", "paper"):
        raise UserError(f"protocol must be one of holdout, paper, not {protocol!r}")
    if fold is not None:
        manifest = _move(manifest, TEST, fold_images(manifest, fold, seed))
    elif not len(manifest.indices(TEST)):
        manifest = _move(manifest, TEST, _drawn(manifest, TEST, test_fraction, seed))
    if protocol == "holdout" and not len(manifest.indices(VAL)):
        manifest = _move(manifest, VAL, _drawn(manifest, VAL, val_fraction, seed))
    return manifest


def _drawn(manifest: Manifest, to: str, fraction: float, seed: int) -> NDArray[np.int64]:
    return np.array(draw(manifest, manifest.indices(TRAIN), fraction, derive_seed(seed, "split", to)), np.int64)


def _move(manifest: Manifest, to: str, chosen: NDArray[np.int64]) -> Manifest:
    codes = cast(Codes, manifest.splits).codes.copy()
    codes[chosen] = SPLITS.index(to)
    moved = np.bincount(np.asarray(manifest.labels)[chosen], minlength=len(manifest.class_names))
    if without := [name for name, count in zip(manifest.class_names, moved, strict=True) if not count]:
        raise UserError(f"too few images or groups to draw a {to} split from: {some_of(without, _SHOWN)}")
    return replace(manifest, splits=Codes(kinds=SPLITS, codes=codes))


def draw(manifest: Manifest, among: Sequence[int] | NDArray[np.int64], fraction: float, seed: int) -> list[int]:
    """Indices of about `fraction` of each class, in order.

    Without groups, every class gives round(fraction * n), and at least one of its images, but never its last. With
    groups, whole groups are taken in random order, each if it brings the classes' counts nearer to that aim.
    """
    rows = np.asarray(among, np.int64)
    labels = np.asarray(manifest.labels)[rows]
    counts = np.bincount(labels, minlength=len(manifest.class_names))
    aim = np.array([_share(int(count), fraction) if count else 0 for count in counts])
    generator = np.random.Generator(np.random.PCG64(seed))
    if len(manifest.groups):
        return _draw_groups(manifest, rows, aim, generator)
    order = generator.permutation(len(rows))
    return sorted(rows[order[rank_in_class(labels[order]) < aim[labels[order]]]].tolist())


def rank_in_class(labels: NDArray[np.int32]) -> NDArray[np.int64]:
    """Of each image, how many of its class come before it."""
    by_class = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[by_class], labels[by_class])
    rank = np.empty(len(labels), np.int64)
    rank[by_class] = np.arange(len(labels)) - starts
    return rank


def _draw_groups(manifest: Manifest, rows: NDArray[np.int64], aim: NDArray[Any], generator: np.random.Generator) -> list[int]:
    units = defaultdict(list)
    groups = list(manifest.groups)
    for index in rows.tolist():
        units[groups[index] or index].append(index)
    names, labels = list(units), np.asarray(manifest.labels)
    taken = np.zeros(len(manifest.class_names), np.int64)
    chosen: list[int] = []
    for position in generator.permutation(len(names)):
        unit = units[names[position]]
        count = np.bincount(labels[unit], minlength=len(taken))
        if (abs(aim - taken) - abs(aim - taken - count)).sum() > 0:
            chosen += unit
            taken += count
    return sorted(chosen)


def _share(count: int, fraction: float) -> int:
    return min(max(round(count * fraction), 1), count - 1)
