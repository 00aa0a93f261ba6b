"""Subsets of a dataset's classes: nested, drawn by names alone, every image in the split that it has among all classes."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.data.test_split import done, manifest
from tests.support.configs import composed
from tests.support.datasets import made
from tests.support.images import noise
from wisesr.build import data
from wisesr.build.data import build_manifest
from wisesr.config.check import check
from wisesr.data.class_subset import class_subset, kept_classes
from wisesr.data.digits import digits
from wisesr.data.file_images import FileImages
from wisesr.data.manifest import SPLITS, Manifest
from wisesr.errors import UserError

Facts = dict[str, tuple[str, str, str]]


def facts(dataset: Manifest) -> Facts:
    """Class, split and group of each image, by its name."""
    groups = list(dataset.groups) or [""] * len(dataset)
    columns = zip(dataset.ids, dataset.labels, dataset.splits, groups, strict=True)
    return {name: (dataset.class_names[label], split, group) for name, label, split, group in columns}


def expected(whole: Manifest, names: list[str]) -> Facts:
    return {image: fact for image, fact in facts(whole).items() if fact[0] in names}


def built(*overrides: str) -> Manifest:
    return build_manifest(composed(*overrides))


@pytest.fixture
def photos(tmp_path: Path, kept: Path) -> Path:
    """Six classes of ten images, two of each in a group with two of the next class."""
    lines = ["filename,class,group"]
    for label, index in product(range(6), range(10)):
        path = tmp_path / "photos" / f"c{label}" / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise(100 * label + index, (9, 8)).save(path)
        lines.append(f"c{label}/{index}.png,c{label},{f'house{index // 2}' if index < 4 else ''}")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    return tmp_path / "photos"


@given(
    names=st.lists(st.text(min_size=1, max_size=6).filter(str.isprintable), min_size=2, max_size=30, unique_by=str.casefold),
    seed=st.integers(0, 50),
    order=st.randoms(use_true_random=False),
)
@settings(max_examples=60)
def test_subsets_are_nested_and_depend_on_names_and_seed_alone(names: list[str], seed: int, order: object) -> None:
    names = sorted({unicodedata.normalize("NFC", name) for name in names})
    chosen = [{names[at] for at in kept_classes(names, count, seed)} for count in range(len(names) + 1)]
    assert [len(some) for some in chosen] == list(range(len(names) + 1))
    assert all(few < more for few, more in zip(chosen, chosen[1:], strict=False))
    others = [unicodedata.normalize("NFD", name) for name in names]
    order.shuffle(others)  # type: ignore[attr-defined]
    for count in range(2, len(names) + 1):
        again = kept_classes(others, count, seed)
        assert again == sorted(again)
        assert {unicodedata.normalize("NFC", others[at]) for at in again} == chosen[count]


def test_every_class_is_as_likely_as_another() -> None:
    """Over 2,000 seeds each of ten classes is among four of them 800 times, give or take four standard deviations."""
    names = [str(digit) for digit in range(10)]
    counts = np.bincount([at for seed in range(2000) for at in kept_classes(names, 4, seed)], minlength=10)
    assert (abs(counts - 800) < 4 * np.sqrt(2000 * 0.4 * 0.6)).all()


@pytest.mark.parametrize("protocol", ["holdout", "paper"])
def test_digits_keep_their_pixels_and_their_splits(protocol: str) -> None:
    all_of_them = built("dataset=digits", f"protocol={protocol}")
    few = built("dataset=digits", f"protocol={protocol}", "dataset.classes=4")
    assert facts(few) == expected(all_of_them, list(few.class_names))
    assert few.class_names == sorted(few.class_names)
    pixels = digits()
    place = {name: at for at, name in enumerate(pixels.ids)}
    for index in range(0, len(few), 50):
        at = place[few.ids[index]]
        assert few.class_names[few.labels[index]] == pixels.class_names[pixels.labels[at]]
        assert np.array_equal(np.asarray(few.load(index)), np.asarray(pixels.load(at)))
        assert bytes(np.asarray(few.digests)[index]) == bytes(np.asarray(pixels.digests)[at])


WAYS = {
    "folders": (),
    "paper": ("protocol=paper",),
    "a list with groups": ("dataset.csv=../labels.csv",),
    "a fold": ("dataset.fold=1", "dataset.folds=3"),
    "a replicate": ("replicate=3", "dataset.csv=../labels.csv"),
    "names and sizes alone": ("dataset.fingerprint=listing",),
}


@pytest.mark.parametrize("way", WAYS)
def test_files_stay_in_their_splits_and_groups(photos: Path, way: str) -> None:
    whole = made(photos, *WAYS[way])
    sets = [made(photos, *WAYS[way], f"dataset.classes={count}") for count in (2, 4, 6)]
    for few in sets:
        assert facts(few) == expected(whole, list(few.class_names))
        assert isinstance(few.load, FileImages)
        path = photos / few.ids[3]
        assert np.array_equal(np.asarray(few.load(3)), np.asarray(Image.open(path)))
        assert few.load.sizes[3] == path.stat().st_size
        assert few.notes.sides == {split: len(few.indices(split)) for split in SPLITS}
    assert set(sets[0].class_names) < set(sets[1].class_names) < set(sets[2].class_names)
    assert sets[2].fingerprint() == whole.fingerprint()
    assert len({few.fingerprint() for few in sets}) == 3
    if way == "a list with groups":
        assert set(sets[0].groups) == {"", "house0", "house1"}


def test_groups_that_have_no_image_left_are_no_part_of_what_is_known() -> None:
    """The fingerprint of the few is that of a dataset that never had the other classes."""
    dataset = manifest([4, 4, 4])
    dataset = replace(dataset, groups=[f"g{label}" for label in dataset.labels], splits=["train"] * 12)
    few = class_subset(dataset, 2, seed=0)
    own = [dataset.class_names.index(name) for name in few.class_names]
    alone = replace(
        manifest([4, 4]),
        ids=[name for name, label in zip(dataset.ids, dataset.labels, strict=True) if label in own],
        class_names=few.class_names,
        groups=[f"g{label}" for label in own for _ in range(4)],
    )
    assert few.fingerprint() == alone.fingerprint()


def test_arrays_keep_their_splits_and_pixels(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 4, 5, 3), dtype=np.uint8)
    labels = np.arange(60) % 5
    split = np.where(np.arange(60) < 40, "train", "test")
    np.savez(tmp_path / "own.npz", images=pixels, labels=labels, split=split)
    arrays = ("dataset=arrays", f"dataset.root={tmp_path}", "dataset.file=own.npz")
    whole, few = built(*arrays), built(*arrays, "dataset.classes=3", "dataset.classes_seed=2")
    assert facts(few) == expected(whole, list(few.class_names))
    kept = np.flatnonzero(np.isin(labels, [int(name) for name in few.class_names]))
    for index, at in enumerate(kept):
        assert np.array_equal(np.asarray(few.load(index)), pixels[at])
    assert few.rules == whole.rules


def test_a_class_is_the_same_in_all_cells_of_a_study(photos: Path) -> None:
    """Whatever seed, replicate, fold, head or protocol; another `classes_seed` keeps others."""
    ways = [("seed=5",), ("replicate=2",), ("dataset.fold=2",), ("dataset.split_seed=9",), ("protocol=paper",), ("head=gap",)]
    kept = {tuple(made(photos, "dataset.classes=3", *way).class_names) for way in ways}
    assert len(kept) == 1
    drawn = {tuple(made(photos, "dataset.classes=3", f"dataset.classes_seed={seed}").class_names) for seed in range(8)}
    assert len(drawn) > 3


def test_what_is_kept_on_this_machine_knows_the_setting(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ((), ("dataset.classes=3",), ("dataset.classes=3", "dataset.classes_seed=1"))
    first = [made(photos, *way) for way in settings]
    assert len({one.fingerprint() for one in first}) == 3
    monkeypatch.setattr(data, "_make", None)  # whoever makes one again fails
    for one, way in zip(first, settings, strict=True):
        again = made(photos, *way)
        assert again.fingerprint() == one.fingerprint()
        assert again.notes.sentences() == one.notes.sentences()
        assert np.array_equal(np.asarray(again.load(4)), np.asarray(one.load(4)))


def test_it_is_said_which_classes_these_are(photos: Path) -> None:
    (sentence,) = made(photos, "dataset.classes=2").notes.sentences()
    names = ", ".join(f"c{at}" for at in kept_classes([f"c{label}" for label in range(6)], 2, 0))
    assert sentence == f"dataset.classes=2 keeps 2 of 6 classes (classes_seed=0) and 20 of 60 images: {names}"
    assert made(photos, "dataset.classes=6").notes.sentences() == ["dataset.classes=6 keeps all classes that there are"]


@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        (("dataset=digits", "dataset.classes=1"), "dataset.classes must be a whole number at least 2 or null, not 1"),
        (("dataset=digits", "dataset.classes=ten"), "dataset.classes must be a whole number at least 2 or null, not 'ten'"),
        (("dataset=digits", "dataset.classes=2.5"), "dataset.classes must be a whole number at least 2 or null, not 2.5"),
        (
            ("dataset=digits", "dataset.classes=4", "dataset.classes_seed=-1"),
            "dataset.classes_seed must be a whole number at least 0, not -1",
        ),
        (
            ("dataset=digits", "dataset.classes_seed=1"),
            "dataset.classes_seed=1 has no effect without dataset.classes: dataset.classes=10 keeps 10 classes by it",
        ),
        (
            ("dataset=layouts", "dataset.classes_seed=1"),
            "dataset.classes_seed=1 has no effect on layouts, whose dataset.classes is a setting of its own: leave it out",
        ),
    ],
)
def test_wrong_values_are_told_before_anything_is_read(overrides: tuple[str, ...], problem: str) -> None:
    assert check(composed(*overrides)) == [problem]


def test_more_classes_than_there_are_and_classes_without_images_are_refused() -> None:
    with pytest.raises(UserError, match=r"must be from 2 to 10, all that the dataset has, or null for these, not 11$"):
        built("dataset=digits", "dataset.classes=11")
    splits = ["train", "train", "test"] * 2 + ["train", "train"]
    dataset = manifest([3, 3, 2], splits=splits)
    assert len(class_subset(dataset, 2, seed=next(s for s in range(9) if kept_classes(["c0", "c1", "c2"], 2, s) == [0, 1])))
    with pytest.raises(UserError, match=r"keeps 1 class of which the test split has no image: 'c2'\. Take fewer classes$"):
        class_subset(dataset, 3, seed=0)
    with pytest.raises(UserError, match=r"classes=2 keeps 1 class .* 'c2'\. Take another dataset\.classes_seed, or fewer"):
        class_subset(dataset, 2, seed=next(s for s in range(9) if 2 in kept_classes(["c0", "c1", "c2"], 2, s)))
    with pytest.raises(UserError, match="must be from 2 to 2"):
        class_subset(done(manifest([9, 9])), True, seed=0)


def test_a_dataset_with_classes_of_its_own_keeps_their_meaning() -> None:
    few, more = (built("dataset=layouts", "dataset.images=90", f"dataset.classes={count}") for count in (3, 9))
    assert len(few) == len(more) == 90
    assert more.class_names[:3] == few.class_names
    assert few.notes.chosen == ""
