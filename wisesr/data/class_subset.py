"""Some of a dataset's classes, with their images in the splits that they have among all of them. No torch.

Which classes they are depends on a seed of its own and on their names, never on the order in which they are listed, on a cell's
seed, its split or its fold. Each class has a number, drawn by its name, and the n lowest are kept: so 10 classes are 10 of the
20 that the same seed keeps. As splits are drawn before, over all classes, an image is in the same split in every subset.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wisesr.data.contents import Contents
from wisesr.data.file_images import FileImages
from wisesr.data.folder_tree import same_name
from wisesr.data.images import PixelRules
from wisesr.data.manifest import SPLITS, Manifest
from wisesr.data.packed import Codes, Names
from wisesr.errors import UserError
from wisesr.types import derive_seed
from wisesr.wording import count_of, some_of

_SHOWN = 6
"""Classes that are named."""


@dataclass(frozen=True, eq=False)
class ChosenImages:
    """`Manifest.load` of some images of another manifest, whatever its own is but files."""

    of_all: Callable[[int], Image.Image]
    rows: NDArray[np.int64]
    """The index there of each image here."""
    rules: PixelRules | None = None
    known: Contents | None = None

    def __call__(self, index: int) -> Image.Image:
        """The RGB image at an index."""
        return self.of_all(int(self.rows[index]))

    def content(self, index: int) -> bytes:
        """The bytes of the image at an index, where all images are files."""
        of_all: Any = self.of_all
        content: bytes = of_all.content(int(self.rows[index]))
        return content


def class_subset(manifest: Manifest, count: int, *, seed: int, splits: Sequence[str] = SPLITS) -> Manifest:
    """The images of some classes, which stay in the order that they have among all.

    Args:
        manifest: of all classes, with all its splits.
        count: classes to keep, at least 2.
        seed: draws them: `dataset.classes_seed`.
        splits: those that are used: each must have an image of every class that is kept.

    Raises:
        UserError: fewer than two classes, or more than there are; a class that is kept has no image in a split.
    """
    names = list(manifest.class_names)
    if isinstance(count, bool) or not isinstance(count, int) or not 2 <= count <= len(names):
        raise UserError(
            f"dataset.classes must be from 2 to {len(names)}, all that the dataset has, or null for these, not {count!r}"
        )
    kept = kept_classes(names, count, seed)
    _require_images(manifest, kept, splits)
    if count == len(names):
        return _noted(manifest, f"dataset.classes={count} keeps all classes that there are")
    rows = np.flatnonzero(np.isin(manifest.labels, kept))
    few = _rows(manifest, rows, kept)
    kept_of_all = (
        f"{count} of {len(names)} classes (classes_seed={seed}) and {len(few):,} of {count_of(len(manifest), 'image')}"
    )
    return _noted(few, f"dataset.classes={count} keeps {kept_of_all}: {some_of(list(few.class_names), _SHOWN)}")


def kept_classes(names: Sequence[str], count: int, seed: int) -> list[int]:
    """Positions of the classes that are kept, in order.

    Args:
        names: of all classes.
        count: how many to keep.
        seed: draws a number for each name, as it is in Unicode's normal form C.
    """
    drawn = sorted(range(len(names)), key=lambda at: (derive_seed(seed, "classes", same_name(names[at])), at))
    return sorted(drawn[:count])


def _require_images(manifest: Manifest, kept: Sequence[int], splits: Sequence[str]) -> None:
    counts = manifest.counts()
    for split, row in zip(SPLITS, counts, strict=True):
        if split not in splits or not row.any():
            continue
        if absent := [repr(manifest.class_names[at]) for at in kept if not row[at]]:
            other_draw = "another dataset.classes_seed, or " if len(kept) < len(manifest.class_names) else ""
            raise UserError(
                f"dataset.classes={len(kept)} keeps {count_of(len(absent), 'class', 'classes')} of which the {split} split has "
                f"no image: {some_of(absent, _SHOWN)}. Take {other_draw}fewer classes"
            )


def _rows(manifest: Manifest, rows: NDArray[np.int64], kept: Sequence[int]) -> Manifest:
    number = np.zeros(len(manifest.class_names), np.int32)
    number[list(kept)] = np.arange(len(kept))
    ids = Names(manifest.ids[int(at)] for at in rows)
    groups, digests, sizes = cast(Codes, manifest.groups), np.asarray(manifest.digests), np.asarray(manifest.sizes)
    return replace(
        manifest,
        ids=ids,
        labels=number[np.asarray(manifest.labels)[rows]],
        class_names=[manifest.class_names[at] for at in kept],
        splits=Codes(kinds=SPLITS, codes=cast(Codes, manifest.splits).codes[rows]),
        load=_images(manifest.load, rows, ids),
        sizes=sizes[rows] if len(sizes) else sizes,
        groups=_fewer_groups(groups.kinds, groups.codes[rows]) if len(groups) else (),
        digests=digests[rows] if len(digests) else digests,
    )


def _fewer_groups(kinds: Sequence[str], codes: NDArray[np.integer[Any]]) -> Codes:
    """Without those that have no image any more, which the fingerprint would know of."""
    there, numbers = np.unique(codes, return_inverse=True)
    return Codes(kinds=[kinds[int(code)] for code in there], codes=numbers)


def _images(load: Callable[[int], Image.Image], rows: NDArray[np.int64], ids: Names) -> Callable[[int], Image.Image]:
    if isinstance(load, FileImages):
        columns = (load.sizes, load.changed, load.touched)
        return FileImages(load.base, ids, load.rules, *(column[rows] if len(column) else column for column in columns))
    known: Contents | None = getattr(load, "known", None)
    return ChosenImages(load, rows, getattr(load, "rules", None), None if known is None else known.take(rows))


def _noted(manifest: Manifest, sentence: str) -> Manifest:
    return replace(manifest, notes=replace(manifest.notes, chosen=sentence))
