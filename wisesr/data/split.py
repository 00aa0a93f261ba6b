"""Drawing held-out images: stratified by class, whole groups together, from a seed of their own. No torch.

The split never depends on the seed of a cell, so that all cells of a comparison are chosen and measured on the same images.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from wisesr.data.manifest import TEST, TRAIN, VAL, Manifest
from wisesr.errors import UserError
from wisesr.types import derive_seed


def complete(manifest: Manifest, *, protocol: str, test_fraction: float, val_fraction: float, seed: int) -> Manifest:
    """The manifest with the splits that the protocol needs.

    Args:
        manifest: as the dataset brings it.
        protocol: "holdout": a val split, drawn from the training images where the dataset brings none. "paper": the val
            split is the test split itself; one that the dataset brings is left unused.
        test_fraction: share of the images of each class, where the dataset brings no test split.
        val_fraction: share of the training images of each class.
        seed: draws both.

    Raises:
        UserError: an unknown protocol; too few images or groups of a class to divide.
    """
    if protocol not in ("holdout", "paper"):
        raise UserError(f"protocol must be one of holdout, paper, not {protocol!r}")
    if not manifest.indices(TEST):
        manifest = _move(manifest, TEST, test_fraction, seed)
    if protocol == "holdout" and not manifest.indices(VAL):
        manifest = _move(manifest, VAL, val_fraction, seed)
    return manifest


def _move(manifest: Manifest, to: str, fraction: float, seed: int) -> Manifest:
    chosen = set(draw(manifest, manifest.indices(TRAIN), fraction, derive_seed(seed, "split", to)))
    splits = [to if index in chosen else split for index, split in enumerate(manifest.splits)]
    moved = [manifest.class_names[label] for label in sorted({manifest.labels[i] for i in chosen})]
    if len(moved) < len(manifest.class_names):
        without = sorted(set(manifest.class_names) - set(moved))
        raise UserError(f"too few images or groups to draw a {to} split from: {', '.join(without[:8])}")
    return replace(manifest, splits=splits)


def draw(manifest: Manifest, among: Sequence[int], fraction: float, seed: int) -> list[int]:
    """Indices of about `fraction` of each class, in order.

    Without groups, every class gives round(fraction * n), and at least one of its images, but never its last. With
    groups, whole groups are taken in random order, each if it brings the classes' counts nearer to that aim.
    """
    aim = {label: _share(len(items), fraction) for label, items in _by_label(manifest, among).items()}
    generator = np.random.Generator(np.random.PCG64(seed))
    units = defaultdict(list)
    for index in among:
        units[manifest.groups[index] or index if manifest.groups else index].append(index)
    names = list(units)
    taken: dict[int, int] = defaultdict(int)
    chosen: list[int] = []
    for position in generator.permutation(len(names)):
        unit = units[names[position]]
        counts: dict[int, int] = defaultdict(int)
        for index in unit:
            counts[manifest.labels[index]] += 1
        gain = sum(abs(aim[label] - taken[label]) - abs(aim[label] - taken[label] - count) for label, count in counts.items())
        if gain > 0:
            chosen += unit
            for label, count in counts.items():
                taken[label] += count
    return sorted(chosen)


def _share(count: int, fraction: float) -> int:
    return min(max(round(count * fraction), 1), count - 1)


def _by_label(manifest: Manifest, among: Sequence[int]) -> dict[int, list[int]]:
    items = defaultdict(list)
    for index in among:
        items[manifest.labels[index]].append(index)
    return items
