"""What a dataset is here: a list of images with labels and, where it brings them, splits and groups. No torch."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wisesr.data.class_names import strangers
from wisesr.data.file_images import FileImages
from wisesr.data.images import RULES, PixelRules
from wisesr.data.notes import Notes
from wisesr.data.packed import Codes, Names
from wisesr.errors import UserError
from wisesr.results.provenance import LISTING
from wisesr.wording import some_of

TRAIN, VAL, TEST = "train", "val", "test"
SPLITS = (TRAIN, VAL, TEST)
DIGEST = 16
"""Bytes of a digest."""
_SHOWN = 8
"""Names that an error lists."""


def digest_of(content: bytes) -> bytes:
    """What stands for an image's content in a manifest: `DIGEST` bytes of BLAKE2b."""
    return hashlib.blake2b(content, digest_size=DIGEST).digest()


@dataclass(frozen=True, eq=False)
class Manifest:
    """All images of a dataset, none decoded yet.

    Whatever sequences it is made from, it keeps arrays, which worker processes share (`wisesr.data.packed`).

    Attributes:
        ids: one name an image, unique; a path below the root for files.
        labels: index into `class_names`, an image each: (images,), int32.
        class_names: in the order of the logits.
        splits: train, val or test, an image each; all train where the dataset brings no split.
        load: the RGB image at an index.
        sizes: bytes of each file, or another whole number that changes with the image: what the fingerprint knows of its
            content where there are no digests. One of the two must be there.
        groups: images that must stay in one split share a name here; those in "" are on their own. Empty where the
            dataset has none.
        left_out: images left out because they could not be read.
        digests: `digest_of` each image's content, (images, 16), uint8; none where nobody has looked.
        notes: what is to be said of the data.

    Raises:
        UserError: an image stands twice, a class has no image, a group is divided, or a class of another split
            is missing from the training split.
    """

    ids: Sequence[str]
    labels: Sequence[int] | NDArray[np.int32]
    class_names: Sequence[str]
    splits: Sequence[str]
    load: Callable[[int], Image.Image]
    sizes: Sequence[int] | NDArray[np.int64] = ()
    groups: Sequence[str] = ()
    left_out: Sequence[str] = field(default=())
    digests: Iterable[bytes] | NDArray[np.uint8] = ()
    notes: Notes = field(default_factory=Notes)

    def __post_init__(self) -> None:
        self._pack()
        self._check()

    def _pack(self) -> None:
        packed: dict[str, Any] = {
            "ids": self.ids if isinstance(self.ids, Names) else Names(self.ids),
            "labels": np.asarray(self.labels, np.int32),
            "splits": self.splits if isinstance(self.splits, Codes) else Codes(self.splits, kinds=SPLITS),
            "sizes": np.asarray(self.sizes, np.int64),
            "groups": self.groups if isinstance(self.groups, Codes) else Codes(self.groups),
            "digests": _as_rows(self.digests),
        }
        for name, column in packed.items():
            object.__setattr__(self, name, column)
            if name not in ("groups", "sizes", "digests") and len(column) != len(packed["ids"]):
                raise ValueError(f"manifest: {len(packed['ids'])} ids and {len(column)} {name}")
        if not len(packed["digests"]) and not len(packed["sizes"]):
            raise ValueError("manifest: its fingerprint needs digests of the images, or sizes")

    def _check(self) -> None:
        if len(set(self.ids)) < len(self):
            twice = [name for name, count in Counter(self.ids).items() if count > 1]
            raise UserError(f"images are listed twice: {some_of(twice, _SHOWN)}")
        counts = self.counts()
        if empty := [name for name, count in zip(self.class_names, counts.sum(axis=0), strict=True) if not count]:
            raise UserError(f"classes have no images: {some_of([repr(name) for name in empty], _SHOWN)}")
        if len(self.class_names) < 2:
            raise UserError(
                f"there must be at least two classes, not {len(self.class_names)}: {some_of(self.class_names, _SHOWN)}"
            )
        self._check_groups()
        for split, row in zip(SPLITS[1:], counts[1:], strict=True):
            if alone := [
                name for name, here, train in zip(self.class_names, row, counts[0], strict=True) if here and not train
            ]:
                known = [name for name, train in zip(self.class_names, counts[0], strict=True) if train]
                raise UserError(strangers(split, alone, known))

    def _check_groups(self) -> None:
        groups, splits = cast(Codes, self.groups), cast(Codes, self.splits)
        if not len(groups):
            return
        lowest, highest = np.full(len(groups.kinds), 255), np.zeros(len(groups.kinds), int)
        np.minimum.at(lowest, groups.codes, splits.codes)
        np.maximum.at(highest, groups.codes, splits.codes)
        for group, low, high in zip(groups.kinds, lowest, highest, strict=True):
            if group and low < high:
                raise UserError(
                    f"group {group!r} has images in the {SPLITS[low]} and in the {SPLITS[high]} split: it must stay whole"
                )

    def __len__(self) -> int:
        return len(self.ids)

    def indices(self, split: str) -> NDArray[np.int64]:
        """Positions of a split's images, in order: (images of the split,), int64."""
        return cast(Codes, self.splits).where(split)

    def counts(self) -> NDArray[np.int64]:
        """Images of each class in each split: (3, classes), in the order of `SPLITS` and `class_names`."""
        count, codes = len(self.class_names), cast(Codes, self.splits).codes.astype(np.int64)
        flat = np.bincount(codes * count + np.asarray(self.labels), minlength=len(SPLITS) * count)
        return flat.reshape(len(SPLITS), count)

    def fingerprint(self) -> str:
        """64 hexadecimal digits over names, contents, labels, splits, groups, and the rules by which a file becomes an image.

        Of contents it knows the digests, or the sizes where there are none; of files that were not read, it begins with
        `listing-`.
        """
        digest = hashlib.sha256(f"rules {RULES} {self.rules}".encode())
        splits, groups = cast(Codes, self.splits), cast(Codes, self.groups)
        contents = self.digests if self.hashed else self.sizes
        digest.update(repr((tuple(self.class_names), groups.kinds, self.hashed)).encode())
        for column in (cast(Names, self.ids).content, contents, self.labels, splits.codes, groups.codes):
            digest.update(np.ascontiguousarray(column).tobytes() + b"\0")
        unread = isinstance(self.load, FileImages) and not self.hashed
        return (LISTING if unread else "") + digest.hexdigest()

    @property
    def hashed(self) -> bool:
        """Whether the contents are known, and not only their sizes."""
        return len(cast(NDArray[np.uint8], self.digests)) > 0

    @property
    def rules(self) -> str:
        """What its images are read by, as text for the fingerprint; empty where they are no files."""
        rules: PixelRules | None = getattr(self.load, "rules", None)
        return "" if rules is None else rules.text


def _as_rows(digests: Iterable[bytes] | NDArray[np.uint8]) -> NDArray[np.uint8]:
    if isinstance(digests, np.ndarray):
        return digests
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, DIGEST)
