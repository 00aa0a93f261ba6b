"""Drawn layouts: the class is where the parts lie, nothing else of a picture tells it, and every picture is a function."""

from __future__ import annotations

import hashlib
import math
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import label as components
from scipy.stats import binom
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from wisesr.data.layouts import GRID, PARTS, Scene, draw_classes, draw_scene, layouts, paint
from wisesr.data.manifest import Manifest
from wisesr.data.split import complete
from wisesr.errors import UserError

Pixels = NDArray[np.float64]
PLACES = GRID * GRID


def make(images: int = 60, classes: int = 10, pixels: int = 32, seed: int = 0) -> Manifest:
    return layouts(images=images, classes=classes, pixels=pixels, seed=seed)


def digest(manifest: Manifest, indices: list[int]) -> str:
    return hashlib.sha256(b"".join(manifest.load(index).tobytes() for index in indices)).hexdigest()


# What a class is.


@pytest.mark.parametrize("seed", [0, 1])
def test_the_classes_are_all_assignments_each_once(seed: int) -> None:
    classes = draw_classes(seed)
    assert len(set(classes)) == len(classes) == 3024
    assert all(len(set(places)) == len(PARTS) and set(places) <= set(range(PLACES)) for places in classes)


def test_in_a_block_of_classes_every_part_lies_everywhere_once() -> None:
    classes = np.array(draw_classes(0)).reshape(-1, PLACES, len(PARTS))
    assert (np.sort(classes, axis=1) == np.arange(PLACES)[:, None]).all()


def test_the_first_classes_do_not_depend_on_how_many_there_are() -> None:
    names = [make(1500, classes).class_names for classes in (2, 10, 70, 500)]
    assert [len(listed) for listed in names] == [2, 10, 70, 500]
    for fewer, more in zip(names, names[1:], strict=False):
        assert list(more[: len(fewer)]) == list(fewer)
    assert make(seed=1).class_names != make().class_names


def test_a_class_is_named_by_its_picture() -> None:
    for name, places in zip(make().class_names, draw_classes(0), strict=False):
        cells = name.replace(" ", "")
        assert "".join(sorted(cells)) == ".....CRST"
        assert [cells[place] for place in places] == [part[0].upper() for part in PARTS]


@pytest.mark.parametrize("classes", [2, 10, 70, 500])
def test_any_number_of_classes_divides_into_splits(classes: int) -> None:
    dataset = make(3 * classes + 1, classes)
    counts = Counter(dataset.labels)
    assert max(counts.values()) - min(counts.values()) == 1
    whole = complete(dataset, protocol="holdout", test_fraction=0.2, val_fraction=0.1, seed=0)
    assert all(len({whole.labels[index] for index in whole.indices(split)}) == classes for split in ("train", "val", "test"))


# What a picture shows: on black and without noise, counted by scipy.


def blobs(mask: NDArray[np.bool_]) -> int:
    """Pieces of a mask; pixels that touch at a corner belong together."""
    return int(components(mask, structure=np.ones((3, 3)))[1])


def shown(places: tuple[int, ...], scene: Scene, pixels: int, parts: Iterable[int]) -> Pixels:
    """The share of each pixel that is covered by `parts`; the others are as black as the ground."""
    colours = np.zeros((len(PARTS), 3))
    colours[list(parts)] = 1
    return paint(places, scene._replace(ground=np.zeros((2, 3)), contrast=1.0, brightness=0.0, colours=colours), pixels)[..., 0]


@pytest.mark.parametrize("pixels", [32, 64, 224])
def test_every_part_is_painted_once_in_its_place(pixels: int) -> None:
    for index, places in enumerate(draw_classes(0)[:300:20]):
        scene = draw_scene(np.random.default_rng(index))
        alone = [shown(places, scene, pixels, [part]) for part in range(len(PARTS))]
        for cover, place in zip(alone, places, strict=True):
            assert blobs(cover > 0.05) == 1
            down, right = (np.argwhere(cover > 0.05).mean(axis=0) + 0.5) * GRID / pixels
            assert divmod(place, GRID) == (int(down), int(right))
            assert cover[cover > 0.5].size > 0.01 * pixels**2
        np.testing.assert_allclose(shown(places, scene, pixels, range(len(PARTS))), sum(alone), atol=1e-12)


def shape(part: int, pixels: int) -> NDArray[np.bool_]:
    """One part alone, upright, cut out."""
    scene = draw_scene(np.random.default_rng(part))._replace(angles=np.zeros(len(PARTS)), radii=np.full(len(PARTS), 0.12))
    mask = shown((0, 4, 6, 8), scene, pixels, [part]) > 0.5
    rows, columns = np.nonzero(mask)
    return mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


@pytest.mark.parametrize("pixels", [32, 64, 224])
def test_the_parts_are_the_shapes_that_they_are_called(pixels: int) -> None:
    square, ring, cross, triangle = (shape(part, pixels) for part in range(len(PARTS)))
    assert PARTS == ("square", "ring", "cross", "triangle")
    holes = [components(~np.pad(part, 1))[1] - 1 for part in (square, ring, cross, triangle)]
    assert holes == [0, 1, 0, 0]
    assert square.all()
    for corner in (cross[0, 0], cross[-1, 0], cross[0, -1], cross[-1, -1]):
        assert not corner
    height, width = cross.shape
    assert cross[height // 2].all() and cross[:, width // 2].all()
    assert (np.diff(triangle.sum(axis=1)) >= 0).all(), "it widens downwards"
    assert triangle[-1].all() and triangle[0].mean() < 0.4


# What tells the class, and what does not.


@pytest.fixture(scope="module")
def drawn() -> tuple[Pixels, NDArray[np.int64]]:
    """1,200 images, 9 classes."""
    dataset = make(1200, 9, 32)
    return np.stack([np.asarray(dataset.load(index), dtype=np.float64) / 255 for index in range(len(dataset))]), np.array(
        dataset.labels
    )


def accuracy(features: Pixels, labels: NDArray[np.int64]) -> tuple[int, int]:
    """Correct answers of a linear classifier on the last third of the images, and their number."""
    cut = len(labels) * 2 // 3
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300)).fit(features[:cut], labels[:cut])
    return int((model.predict(features[cut:]) == labels[cut:]).sum()), len(labels) - cut


def statistics(patches: Pixels) -> Pixels:
    """(images, pixels, 3) -> means, spreads and an 8-bin histogram of each channel."""
    bins = (patches * 8).astype(int).clip(0, 7)
    histogram = np.stack([(bins == number).mean(axis=1) for number in range(8)], axis=1)
    return np.concatenate([patches.mean(axis=1), patches.std(axis=1), histogram.reshape(len(patches), -1)], axis=1)


def thirds(images: Pixels) -> list[Pixels]:
    """The nine thirds of each image, (images, pixels, 3) each."""
    cuts = np.linspace(0, images.shape[1], GRID + 1).round().astype(int)
    return [
        images[:, top:bottom, left:right].reshape(len(images), -1, 3)
        for top, bottom in zip(cuts, cuts[1:], strict=False)
        for left, right in zip(cuts, cuts[1:], strict=False)
    ]


def test_colours_and_histograms_of_the_whole_image_are_at_chance(drawn: tuple[Pixels, NDArray[np.int64]]) -> None:
    images, labels = drawn
    right, count = accuracy(statistics(images.reshape(len(images), -1, 3)), labels)
    low, high = binom.interval(0.999, count, 1 / 9)
    assert low <= right <= high


def test_pixels_and_the_same_statistics_place_by_place_tell_the_class(drawn: tuple[Pixels, NDArray[np.int64]]) -> None:
    images, labels = drawn
    coarse = images.reshape(len(images), 4, 8, 4, 8, 3).mean(axis=(2, 4)).reshape(len(images), -1)
    right, count = accuracy(coarse, labels)
    assert right > binom.ppf(0.9999, count, 1 / 9)
    right, count = accuracy(np.concatenate([statistics(patch) for patch in thirds(images)], axis=1), labels)
    assert right > 0.9 * count


def test_a_part_is_as_often_darker_as_lighter_than_its_surroundings() -> None:
    scenes = [draw_scene(np.random.default_rng(index)) for index in range(500)]
    lighter = sum(int((scene.colours.mean(axis=1) > scene.ground.mean()).sum()) for scene in scenes)
    assert 0.4 < lighter / (500 * len(PARTS)) < 0.6


def test_classes_are_the_same_places_in_another_order() -> None:
    """One scene in two classes: the same nine thirds, on a plain ground, up to rounding."""
    scene = draw_scene(np.random.default_rng(3))._replace(ground=np.full((2, 3), 0.5))
    images = [paint(places, scene, 96) for places in draw_classes(0)[:2]]
    first, second = (sorted(patch.round(6).tobytes() for patch in thirds(image[None])) for image in images)
    assert first == second
    assert not np.array_equal(*images)


# What it is a function of.


def test_the_same_bytes_again_in_another_process_and_in_any_order() -> None:
    code = (
        "import hashlib; from wisesr.data.layouts import layouts; dataset = layouts(images=60, classes=10, pixels=64, seed=5);"
        "print(hashlib.sha256(b''.join(dataset.load(i).tobytes() for i in (7, 0, 59))).hexdigest())"
    )
    elsewhere = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    dataset = make(pixels=64, seed=5)
    assert elsewhere == digest(dataset, [7, 0, 59])
    dataset.load(3)
    assert digest(dataset, [7, 0, 59]) == elsewhere
    assert digest(make(80, pixels=64, seed=5), [7, 0, 59]) == elsewhere, "the other images change nothing"


def test_every_image_is_its_own_and_the_seed_draws_it() -> None:
    dataset = make()
    assert len({dataset.load(index).tobytes() for index in range(len(dataset))}) == len(dataset)
    assert dataset.load(0).tobytes() != make(seed=1).load(0).tobytes()


@pytest.mark.parametrize("pixels", [32, 33, 64, 224, 512])
def test_an_image_has_the_size_that_was_asked_for(pixels: int) -> None:
    image = make(pixels=pixels).load(4)
    assert (image.size, image.mode) == ((pixels, pixels), "RGB")


def test_an_image_is_the_same_scene_at_every_size() -> None:
    for index in range(5):
        scene = draw_scene(np.random.default_rng(index))
        small, large = (paint((0, 4, 5, 7), scene, pixels) for pixels in (64, 256))
        assert abs(large.reshape(64, 4, 64, 4, 3).mean(axis=(1, 3)) - small).mean() < 0.03


def test_the_fingerprint_changes_with_every_setting() -> None:
    base = make()
    others = [make(images=61), make(classes=11), make(pixels=33), make(seed=1)]
    assert base.fingerprint() == make().fingerprint()
    assert len({base.fingerprint(), *(other.fingerprint() for other in others)}) == 5


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: make(classes=1), "dataset.classes must be from 2 to 3024 .*, not 1"),
        (lambda: make(images=10_000, classes=3025), "dataset.classes must be from 2 to 3024 .*, not 3025"),
        (lambda: make(images=29), "dataset.images must be at least 3 a class, 30 for 10 classes, not 29"),
        (lambda: make(pixels=31), "dataset.pixels .by default resolution.size. must be at least 32, .*, not 31"),
        (lambda: make(seed=-1), "dataset.seed must be at least 0, not -1"),
    ],
)
def test_what_is_wrong_is_named(build: Callable[[], Manifest], message: str) -> None:
    with pytest.raises(UserError, match=message):
        build()
    assert math.perm(PLACES, len(PARTS)) == 3024
