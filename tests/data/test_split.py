"""Splits: stratified, by group, independent of the cell's seed, the test split untouched."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from wisesr.data.digits import digits
from wisesr.data.manifest import Manifest
from wisesr.data.split import complete
from wisesr.errors import UserError


def manifest(counts: list[int], *, groups_of: int = 0, splits: list[str] | None = None) -> Manifest:
    labels = [label for label, count in enumerate(counts) for _ in range(count)]
    return Manifest(
        ids=[str(index) for index in range(len(labels))],
        labels=labels,
        class_names=[f"c{label}" for label in range(len(counts))],
        splits=splits or ["train"] * len(labels),
        load=lambda index: Image.new("RGB", (8, 8)),
        sizes=[1] * len(labels),
        groups=[str(index % groups_of) for index in range(len(labels))] if groups_of else (),
    )


def done(dataset: Manifest, protocol: str = "holdout", seed: int = 0) -> Manifest:
    return complete(dataset, protocol=protocol, test_fraction=0.2, val_fraction=0.1, seed=seed)


@given(counts=st.lists(st.integers(3, 60), min_size=2, max_size=6), seed=st.integers(0, 99))
@settings(max_examples=40)
def test_every_class_gives_its_share(counts: list[int], seed: int) -> None:
    dataset = done(manifest(counts), seed=seed)
    for label, count in enumerate(counts):
        splits = Counter(
            split for split, image_label in zip(dataset.splits, dataset.labels, strict=True) if image_label == label
        )
        test = min(max(round(0.2 * count), 1), count - 1)
        assert splits["test"] == test
        assert splits["val"] == min(max(round(0.1 * (count - test)), 1), count - test - 1)
        assert splits["train"] >= 1


def test_groups_are_never_divided() -> None:
    dataset = done(manifest([70, 70, 70, 70], groups_of=70))
    places: dict[str, set[str]] = {}
    for group, split in zip(dataset.groups, dataset.splits, strict=True):
        places.setdefault(group, set()).add(split)
    assert all(len(splits) == 1 for splits in places.values())
    counts = Counter(split for (split,) in places.values())
    assert counts["test"] == 14
    assert counts["val"] in (5, 6)


def test_the_draw_depends_on_its_own_seed_only() -> None:
    assert done(digits()).splits == done(digits()).splits
    assert done(digits(), seed=1).splits != done(digits()).splits
    assert Counter(done(digits()).splits) == {"train": 1295, "test": 359, "val": 143}


def test_a_test_split_that_the_dataset_brings_stays() -> None:
    splits = ["train"] * 20 + ["test"] * 5 + ["train"] * 20 + ["test"] * 5
    dataset = manifest([25, 25], splits=splits)
    for protocol, val in (("holdout", 4), ("paper", 0)):
        result = done(dataset, protocol)
        assert result.indices("test").tolist() == dataset.indices("test").tolist()
        assert len(result.indices("val")) == val
    assert len(done(dataset, "paper").indices("train")) == 40


def test_a_class_that_cannot_be_divided() -> None:
    with pytest.raises(UserError, match="too few images or groups to draw a test split from: c1"):
        done(manifest([10, 1]))


def test_an_unknown_protocol() -> None:
    with pytest.raises(UserError, match="one of holdout, paper, not 'x'"):
        done(manifest([10, 10]), "x")


def test_the_fingerprint_sees_labels_splits_and_sizes() -> None:
    base = manifest([10, 10])
    others = [manifest([9, 11]), done(base), manifest([10, 10], groups_of=5)]
    assert base.fingerprint() == manifest([10, 10]).fingerprint()
    assert len({base.fingerprint(), *(other.fingerprint() for other in others)}) == 4


def test_images_without_a_group_are_on_their_own() -> None:
    dataset = manifest([40, 40])
    dataset = replace(dataset, groups=["a" if index < 6 else "" for index in range(80)])
    result = done(dataset)
    assert sum(result.splits[index] != "train" for index in range(6, 80)) >= 16
    assert len({result.splits[index] for index in range(6)}) == 1


def test_a_group_that_the_dataset_divides() -> None:
    with pytest.raises(UserError, match="group 'g' has images in the train and in the test split"):
        replace(manifest([10, 10], splits=["train", "test"] * 10), groups=["g", "g"] + [""] * 18)
