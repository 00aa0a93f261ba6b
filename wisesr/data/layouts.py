"""Pictures drawn on the spot whose class is where their parts lie, never which parts there are. No torch.

Every image shows the same four parts (a square, a ring, a cross, a triangle), each once, in four of nine places. A class is
one assignment of the parts to places: 9 * 8 * 7 * 6 = 3024 of them. Classes come in blocks of nine, one arrangement moved to
every place of the grid (around its edges): over a block every part lies in every place exactly once, so no place and no
part is special. All else is drawn for each image without regard to its class: shift, size, angle and colour of each part,
colours and texture of the background, brightness, contrast, noise. A part may be darker or lighter than its surroundings.
All lengths are shares of the side, so an image is the same scene at every size; only the noise is drawn by the pixel.

What it can show: that a head can use position. Colours, histograms and the mere presence of parts say nothing about the
class, so averaging features that each see one part at most, and not the border, leaves chance.

What it cannot show:

- That averaging must fail. Zero padding tells a convolution where the border is (Islam et al. 2020,
  https://arxiv.org/abs/2001.08248), and a receptive field that holds several parts sees how they lie to each other. Every
  usual backbone has both (a last feature of ResNet18 sees 435 pixels across), so GAP learns this task too. A gap between
  heads says which learns it sooner, or from fewer images, under one recipe.
- That photographs need position, or how much. Nothing is learnt here about the paper's accuracies or its datasets.
- Anything under augmentation that moves things: a mirror image is another class, and a crop moves the parts to other
  places. Use augment=none; with augment=standard, augment.flip=0 stops the mirroring, but not the crop.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import permutations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wisesr.data.manifest import TRAIN, Manifest, digest_of
from wisesr.errors import UserError
from wisesr.types import derive_seed

GRID = 3
"""Places along a side; a place is row * GRID + column."""

Array = NDArray[np.float64]
Places = tuple[int, ...]
"""A place for each part, in the order of PARTS."""


def layouts(*, images: int, classes: int, pixels: int, seed: int) -> Manifest:
    """Images that are drawn when they are loaded, all in the train split: the datamodule draws the others.

    Args:
        images: how many; image i is of class i % classes, so no two classes differ by more than one image.
        classes: from 2 to 3024; the first classes are the same however many there are.
        pixels: height and width of an image, at least 32: below that a ring's hole closes.
        seed: draws classes and images; never the seed of the cell.

    Raises:
        UserError: a value out of its range.
    """
    _check(images, classes, pixels, seed)
    assignments = draw_classes(seed)[:classes]
    # Drawing all pictures for their pixels would take minutes, and every picture is a pure function of these settings and its
    # index (and of this file, whose hash a record holds).
    drawn = ("layouts", images, classes, pixels, seed)
    return Manifest(
        ids=[f"layouts/{index:05d}" for index in range(images)],
        labels=[index % classes for index in range(images)],
        class_names=[_picture(places) for places in assignments],
        splits=[TRAIN] * images,
        load=partial(_load, assignments, pixels, seed),
        digests=[digest_of(repr((*drawn, index)).encode()) for index in range(images)],
    )


def _check(images: int, classes: int, pixels: int, seed: int) -> None:
    most = math.perm(GRID * GRID, len(PARTS))
    if not 2 <= classes <= most:
        raise UserError(f"dataset.classes must be from 2 to {most} (four parts in nine places), not {classes}")
    if images < 3 * classes:
        raise UserError(f"dataset.images must be at least 3 a class, {3 * classes} for {classes} classes, not {images}")
    if pixels < 32:
        raise UserError(f"dataset.pixels (by default resolution.size) must be at least 32, or a ring has no hole, not {pixels}")
    if seed < 0:
        raise UserError(f"dataset.seed must be at least 0, not {seed}")


def draw_classes(seed: int) -> list[Places]:
    """All 3024 assignments of parts to places in the order of their labels, a pure function of the seed."""
    generator = np.random.Generator(np.random.PCG64(derive_seed(seed, "layouts", "classes")))
    arrangements = [(0, *others) for others in permutations(range(1, GRID * GRID), len(PARTS) - 1)]
    return [
        tuple(_moved(place, int(by)) for place in arrangements[block])
        for block in generator.permutation(len(arrangements))
        for by in generator.permutation(GRID * GRID)
    ]


def _moved(place: int, by: int) -> int:
    """A place moved down and right by the rows and columns of `by`, around the edges."""
    rows, columns = divmod(by, GRID)
    return (place // GRID + rows) % GRID * GRID + (place + columns) % GRID


def _picture(places: Places) -> str:
    """A class as text, rows from the top: "S.R .C. ..T"."""
    cells = ["."] * (GRID * GRID)
    for part, place in zip(PARTS, places, strict=True):
        cells[place] = part[0].upper()
    return " ".join("".join(cells[row : row + GRID]) for row in range(0, GRID * GRID, GRID))


def _load(assignments: Sequence[Places], pixels: int, seed: int, index: int) -> Image.Image:
    generator = np.random.Generator(np.random.PCG64(derive_seed(seed, "layouts", "image", index)))
    scene = draw_scene(generator)
    values = paint(assignments[index % len(assignments)], scene, pixels)
    values += scene.noise * generator.standard_normal(values.shape)
    return Image.fromarray((values * 255).round().clip(0, 255).astype(np.uint8))


class Scene(NamedTuple):
    """All that an image has beside its class. Lengths are shares of the image's side, colours are RGB in [0, 1]."""

    radii: Array
    """(parts,)"""
    shifts: Array
    """(parts, 2): down and right of the middle of the place, shares of the room that the part leaves there."""
    angles: Array
    """(parts,): radians."""
    colours: Array
    """(parts, 3)"""
    ground: Array
    """(2, 3): the colours between which the background's texture goes."""
    waves: Array
    """(waves, 3): cycles down and across the image, and the phase: one is stripes, two are checks, more are blotches."""
    sharpness: float
    """Of the texture, from soft waves to hard edges."""
    contrast: float
    brightness: float
    """Added to all channels."""
    noise: float
    """Standard deviation, of every pixel and channel on its own."""


def draw_scene(generator: np.random.Generator) -> Scene:
    """A scene at random: every part's values from the same distributions."""
    count = len(PARTS)
    ground = generator.uniform(0, 1, 3) + [[0.0], [1.0]] * generator.uniform(-0.4, 0.4, (2, 3))
    candidates = generator.uniform(0, 1, (5, count, 3))
    farthest = np.linalg.norm(candidates - ground.mean(axis=0), axis=2).argmax(axis=0)  # none as its surroundings
    return Scene(
        radii=generator.uniform(0.085, 0.125, count),
        shifts=generator.uniform(-1, 1, (count, 2)),
        angles=generator.uniform(-0.35, 0.35, count),
        colours=candidates[farthest, np.arange(count)],
        ground=ground.clip(0, 1),
        waves=_draw_waves(generator),
        sharpness=float(generator.uniform(0.5, 4)),
        contrast=float(generator.uniform(0.5, 1)),
        brightness=float(generator.uniform(-0.15, 0.15)),
        noise=float(generator.uniform(0.01, 0.12)),
    )


def _draw_waves(generator: np.random.Generator) -> Array:
    count = generator.integers(1, 7)
    cycles, angle, phase = generator.uniform([2, 0, 0], [10, math.pi, 2 * math.pi], (count, 3)).T
    return np.stack([cycles * np.sin(angle), cycles * np.cos(angle), phase], axis=1)


def paint(places: Places, scene: Scene, pixels: int) -> Array:
    """A scene with its parts in their places, without noise.

    Returns:
        (pixels, pixels, 3), about 0 to 1.
    """
    axis = (np.arange(pixels) + 0.5) / pixels
    edges = [round(step * pixels / GRID) for step in range(GRID + 1)]
    image = _background(scene, axis)
    for part, place in enumerate(places):
        row, column = divmod(place, GRID)
        box = slice(edges[row], edges[row + 1]), slice(edges[column], edges[column + 1])
        room = 0.5 / GRID - _REACH * scene.radii[part]
        down = axis[box[0], None] - (row + 0.5) / GRID - scene.shifts[part, 0] * room
        right = axis[None, box[1]] - (column + 0.5) / GRID - scene.shifts[part, 1] * room
        cosine, sine = math.cos(scene.angles[part]), math.sin(scene.angles[part])
        u, v = cosine * down + sine * right, cosine * right - sine * down
        depth = _DEPTHS[part](u / scene.radii[part], v / scene.radii[part]) * scene.radii[part] * pixels
        cover = (depth + 0.5).clip(0, 1)[..., None]  # of the pixel's area, near enough: edges without steps at any size
        image[box] += cover * (scene.colours[part] - image[box])
    return 0.5 + scene.contrast * (image - 0.5) + scene.brightness


def _background(scene: Scene, axis: Array) -> Array:
    """A sum of plane waves between two colours. Their phases are uniform, so every place looks like every other."""
    field = np.zeros((len(axis), len(axis)))
    for down, across, phase in scene.waves:
        y, x = 2 * math.pi * down * axis[:, None], 2 * math.pi * across * axis[None, :] + phase
        field += np.sin(y) * np.cos(x) + np.cos(y) * np.sin(x)  # sin(y + x) without a sine for each pixel
    share = 0.5 + 0.5 * np.tanh(scene.sharpness * field / math.sqrt(len(scene.waves)))
    first, second = scene.ground
    colours: Array = first + share[..., None] * (second - first)
    return colours


# How deep a point lies inside a part of radius 1 (negative: outside), u pointing down and v right.


def _square(u: Array, v: Array) -> Array:
    return 0.8 - np.maximum(abs(u), abs(v))


def _ring(u: Array, v: Array) -> Array:
    return 0.27 - abs(np.hypot(u, v) - 0.75)


def _cross(u: Array, v: Array) -> Array:
    u, v = abs(u), abs(v)
    return np.minimum(1.05 - np.maximum(u, v), 0.3 - np.minimum(u, v))


def _triangle(u: Array, v: Array) -> Array:
    return np.minimum(0.575 - u, 0.575 + 0.5 * u - math.sqrt(0.75) * abs(v))


_REACH = 1.16
"""The farthest corner of any part, in radii: the triangle's."""
_SHAPES: dict[str, Callable[[Array, Array], Array]] = {
    "square": _square,
    "ring": _ring,
    "cross": _cross,
    "triangle": _triangle,
}
_DEPTHS = tuple(_SHAPES.values())
PARTS = tuple(_SHAPES)
"""What every image shows, each once."""
