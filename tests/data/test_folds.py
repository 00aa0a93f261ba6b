"""Folds: each image once, classes even, groups whole, held against every possible partition where these are few."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.test_split import manifest
from wisesr.data.digits import digits
from wisesr.data.folds import Fold
from wisesr.data.manifest import Manifest
from wisesr.data.split import complete
from wisesr.errors import UserError


def folded(dataset: Manifest, index: int, of: int = 5, seed: int = 0, protocol: str = "holdout") -> Manifest:
    return complete(dataset, protocol=protocol, test_fraction=0.2, val_fraction=0.1, seed=seed, fold=Fold(index, of))


def fold_of_each(dataset: Manifest, of: int = 5, seed: int = 0) -> np.ndarray:
    """The fold in which each image is a test image; every image must be one exactly once."""
    found = np.full((of, len(dataset)), False)
    for index in range(of):
        found[index, folded(dataset, index, of, seed, "paper").indices("test")] = True
    assert (found.sum(axis=0) == 1).all()
    return np.asarray(found.argmax(axis=0))


def spread(parts: np.ndarray, labels: np.ndarray, of: int) -> np.ndarray:
    """Images of each fold and class."""
    return np.array([[np.sum((parts == fold) & (labels == label)) for label in np.unique(labels)] for fold in range(of)])


@given(counts=st.lists(st.integers(5, 40), min_size=2, max_size=6), of=st.integers(2, 5), seed=st.integers(0, 99))
@settings(max_examples=40)
def test_folds_are_even_in_every_class_and_in_all(counts: list[int], of: int, seed: int) -> None:
    dataset = manifest(counts)
    parts = fold_of_each(dataset, of, seed)
    table = spread(parts, np.asarray(dataset.labels), of)
    assert (np.ptp(table, axis=0) <= 1).all(), "of each class"
    assert np.ptp(table.sum(axis=1)) <= 1, "of all images"


def test_groups_stay_whole_and_classes_stay_even() -> None:
    """70 groups of one image of each of four classes: every fold has 14 of them."""
    dataset = manifest([70, 70, 70, 70], groups_of=70)
    parts = fold_of_each(dataset)
    groups: dict[str, set[int]] = {}
    for group, part in zip(dataset.groups, parts.tolist(), strict=True):
        groups.setdefault(group, set()).add(part)
    assert all(len(of_group) == 1 for of_group in groups.values())
    assert (spread(parts, np.asarray(dataset.labels), 5) == 14).all()


@pytest.mark.parametrize("seed", range(8))
def test_groups_are_placed_nearly_as_well_as_can_be(seed: int) -> None:
    """Against all 3^8 partitions of eight groups of unlike sizes and classes."""
    generator = np.random.default_rng(seed)
    sizes = generator.integers(1, 7, (8, 2))
    sizes[:6] = np.maximum(sizes[:6], 1)
    labels = [label for unit in sizes for label, count in enumerate(unit) for _ in range(count)]
    groups = [f"g{index}" for index, unit in enumerate(sizes) for _ in range(unit.sum())]
    order = np.argsort(labels, kind="stable")
    dataset = replace(manifest([labels.count(0), labels.count(1)]), groups=[groups[index] for index in order])
    totals = sizes.sum(axis=0)

    def unevenness(table: np.ndarray) -> float:
        return float(((table / totals - 1 / 3) ** 2).sum())

    every = [
        unevenness(np.array([sizes[np.array(chosen) == fold].sum(axis=0) for fold in range(3)]))
        for chosen in product(range(3), repeat=8)
    ]
    ours = unevenness(spread(fold_of_each(dataset, 3, seed), np.asarray(dataset.labels), 3))
    assert ours <= np.quantile(every, 0.05), "among the best twentieth"


def test_images_without_a_group_fill_what_groups_leave() -> None:
    dataset = replace(manifest([40, 40]), groups=["a" if index < 6 else "" for index in range(80)])
    parts = fold_of_each(dataset)
    assert len(set(parts[:6].tolist())) == 1
    assert (spread(parts, np.asarray(dataset.labels), 5) == 8).all()


def test_the_partition_depends_on_its_seed_and_number_only() -> None:
    """Of all digits, the val split is drawn from what a fold leaves."""
    parts = fold_of_each(digits())
    assert (parts == fold_of_each(digits())).all()
    assert (parts != fold_of_each(digits(), seed=1)).any()
    first = folded(digits(), 0)
    assert Counter(first.splits) == {"test": 360, "train": 1294, "val": 143}
    assert Counter(folded(digits(), 0, protocol="paper").splits) == {"test": 360, "train": 1437}
    assert len({folded(digits(), index).fingerprint() for index in range(5)}) == 5, "the data's fingerprint knows the fold"


def test_a_fold_is_always_the_same_images() -> None:
    """Pinned, as cells that were trained years apart are folds of one partition."""
    assert fold_of_each(manifest([7, 8])).tolist() == [2, 0, 3, 0, 4, 1, 1, 3, 0, 2, 3, 1, 4, 4, 2]
    assert fold_of_each(manifest([7, 8], groups_of=5), 2).tolist() == [1, 0, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0]


def test_more_folds_than_images_of_a_class() -> None:
    with pytest.raises(UserError, match="dataset.folds=5: too few images or groups .* of c1: take fewer folds, at most 4"):
        folded(manifest([10, 4]), 0)
    with pytest.raises(UserError, match="dataset.folds=5: too few images or groups .* of c0, c1: take fewer folds$"):
        folded(manifest([10, 10], groups_of=4), 0)


def test_a_test_split_that_the_dataset_brings_is_not_taken_apart() -> None:
    dataset = manifest([25, 25], splits=["train"] * 20 + ["test"] * 5 + ["train"] * 20 + ["test"] * 5)
    with pytest.raises(UserError, match="dataset.fold: this dataset brings a test split of its own, .* Leave dataset.fold out"):
        folded(dataset, 0)


def test_a_val_split_that_the_dataset_brings_stays() -> None:
    dataset = manifest([25, 25], splits=["train"] * 20 + ["val"] * 5 + ["train"] * 20 + ["val"] * 5)
    parts = [folded(dataset, index) for index in range(5)]
    assert all(part.indices("val").tolist() == dataset.indices("val").tolist() for part in parts)
    assert sorted(int(place) for part in parts for place in part.indices("test")) == dataset.indices("train").tolist()
