"""Images that come in parts, as libraries and array files keep them, a split in each: joined into one manifest. No torch."""

from __future__ import annotations

import io
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wisesr.data.class_names import hardly_different
from wisesr.data.contents import Contents
from wisesr.data.folder_tree import same_name
from wisesr.data.image_file import UNREADABLE, open_image, reading_problem
from wisesr.data.images import PixelRules, to_rgb
from wisesr.data.manifest import TEST, VAL, Manifest, digest_of
from wisesr.data.notes import Notes
from wisesr.data.quiet import quiet
from wisesr.data.split_words import SYNONYMS
from wisesr.errors import UserError
from wisesr.wording import count_of, natural_key, some_of

NOTHING = Notes()
_SHOWN = 5
_BLOCK = 256
"""Images of an array that are taken at a time: all of some arrays are more than memory holds."""


class Images(Protocol):
    """The images of a part."""

    def __len__(self) -> int: ...

    def load(self, index: int) -> Image.Image:
        """One of them as RGB. Raises UserError if it cannot be read."""
        ...

    def digests(self) -> Iterable[bytes]:
        """`digest_of` each one's content, in order; nothing is decoded."""
        ...


@runtime_checkable
class Files(Images, Protocol):
    """The images of a part that are files, of which more can be told."""

    def contents(self) -> Contents:
        """What lies in each one's bytes, in order; most are not decoded."""
        ...

    def content(self, index: int) -> bytes:
        """The bytes of one of them, as they are now. Raises OSError or UserError if they cannot be read."""
        ...


class Part(NamedTuple):
    """Images that are kept together: of one split, mostly."""

    images: Images
    ids: Sequence[str]
    """An image each, unique over all parts; as are all that follow."""
    labels: Sequence[str]
    """The names of their classes."""
    splits: Sequence[str]
    groups: Sequence[str] = ()
    """Empty where there are none."""


@dataclass(frozen=True)
class PixelArray:
    """Images as an array of pixels; anything that gives such arrays when it is sliced will do."""

    pixels: NDArray[np.generic]
    """(images, height, width) or (images, height, width, 3)."""
    white: float = 255.0
    """The value that becomes 255, where they are not of 8 bits."""

    def __len__(self) -> int:
        return len(self.pixels)

    def load(self, index: int) -> Image.Image:
        """The RGB image at an index."""
        values = np.asarray(self.pixels[index])
        if values.dtype != np.uint8:
            values = (values.astype(np.float64) / self.white * 255).round().clip(0, 255).astype(np.uint8)
        return Image.fromarray(np.ascontiguousarray(values)).convert("RGB")

    def digests(self) -> Iterator[bytes]:
        """Of the pixels' bytes, row by row."""
        for start in range(0, len(self), _BLOCK):
            for values in np.asarray(self.pixels[start : start + _BLOCK]):
                yield digest_of(values.tobytes())


@dataclass(frozen=True)
class Joined:
    """`Manifest.load` over several parts."""

    parts: tuple[Images, ...]
    starts: tuple[int, ...]
    """The index of each part's first image, and behind it how many there are."""
    rules: PixelRules | None = None
    """By what settings the images are made RGB, where there are any."""
    known: Contents | None = None
    """What lies in the images, where they are files that a library keeps."""

    def __call__(self, index: int) -> Image.Image:
        """The RGB image at an index of the manifest."""
        part, at = self._place(index)
        return part.load(at)

    def content(self, index: int) -> bytes:
        """The bytes of the image at an index of the manifest, where all parts are files."""
        part, at = self._place(index)
        assert isinstance(part, Files)
        return part.content(at)

    def _place(self, index: int) -> tuple[Images, int]:
        part = bisect(self.starts, index) - 1
        return self.parts[part], index - self.starts[part]


def join(
    what: str,
    parts: Sequence[Part],
    class_names: Sequence[str] = (),
    *,
    rules: PixelRules | None = None,
    notes: Notes = NOTHING,
) -> Manifest:
    """One manifest of several parts, one behind the other. Without a test split, the val split is the test split.

    Args:
        what: how messages call the dataset.
        parts: at least one.
        class_names: in the order of the logits, those without images left out; empty for the names that occur, 2 before 10.
        rules: as of `Joined`.
        notes: what is to be said of them.

    Raises:
        UserError: whatever a manifest refuses.
    """
    labels = [name for part in parts for name in part.labels]
    names, words = with_images(what, class_names or sorted(set(labels), key=natural_key), labels)
    number = {name: label for label, name in enumerate(names)}
    splits = [split for part in parts for split in part.splits]
    if TEST not in splits:
        splits = [TEST if split == VAL else split for split in splits]
    groups = [group for part in parts for group in part.groups or [""] * len(part.ids)]
    known = _known([part.images for part in parts])
    return Manifest(
        ids=[name for part in parts for name in part.ids],
        labels=[number[name] for name in labels],
        class_names=names,
        splits=splits,
        load=Joined(tuple(part.images for part in parts), (0, *accumulate(len(part.ids) for part in parts)), rules, known),
        groups=groups if any(groups) else (),
        digests=[digest for part in parts for digest in part.images.digests()] if known is None else known.digests,
        notes=replace(notes, hints=[*notes.hints, *words]),
    )


def _known(parts: Sequence[Images]) -> Contents | None:
    """What lies in images that are files; None of others."""
    found = [part.contents() for part in parts if isinstance(part, Files)]
    return Contents.joined(found) if len(found) == len(parts) else None


def with_images(what: str, known: Sequence[str], labels: Iterable[str]) -> tuple[list[str], list[str]]:
    """Those of the known classes that have images here, and what is to be said of the others."""
    there = set(labels)
    empty = [name for name in known if name not in there]
    words = [f"{what} has no image of {len(empty):,} of its {len(known):,} classes: {some_of(empty, _SHOWN)}"] if empty else []
    return [name for name in known if name in there], words


def split_of(name: str) -> str | None:
    """The split that goes by a name, in any case: `Validation` is val; None for other names."""
    return next((split for split, names in SYNONYMS.items() if name.strip().lower() in names), None)


def class_name(value: object) -> str:
    """A label as the name of its class: a text in Unicode's normal form C, so that names that look the same are one class.

    Raises:
        UserError: bytes that are no UTF-8.
    """
    try:
        text = value.decode() if isinstance(value, bytes) else str(value)
    except UnicodeDecodeError as error:
        raise UserError(f"{value!r} is no UTF-8: save texts as such (numpy.char.decode(labels, 'latin-1'), say)") from error
    return same_name(text)


def doubtful_names(what: str, parts: Sequence[Part]) -> list[str]:
    """What is to be said of classes whose names hardly differ.

    Raises:
        UserError: a class has a blank name.
    """
    labels = [name for part in parts for name in part.labels]
    blank = [index for index, name in enumerate(labels) if not name.strip()]
    if blank:
        raise UserError(f"{what} has a blank text for the class of {count_of(len(blank), 'image')}: name it, or leave them out")
    words = hardly_different(labels)
    return [words] if words else []


def read_image(file: Path | bytes, name: object, rules: PixelRules) -> Image.Image:
    """A file, or the content of one, as an RGB image; `name` is what errors call it.

    Raises:
        UserError: it cannot be read.
    """
    opened = io.BytesIO(file) if isinstance(file, bytes) else file
    try:
        with quiet(), open_image(opened) as image:
            return to_rgb(image, rules)
    except UNREADABLE as error:
        raise UserError(f"{name}: {reading_problem(error)}") from error
