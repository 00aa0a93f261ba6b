"""What a dataset is here: a list of images with labels and, where it brings them, splits and groups. No torch."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from PIL import Image

from wisesr.errors import UserError
from wisesr.wording import some_of

TRAIN, VAL, TEST = "train", "val", "test"
SPLITS = (TRAIN, VAL, TEST)
_SHOWN = 8
"""Names that an error lists."""


@dataclass(frozen=True)
class Manifest:
    """All images of a dataset, none decoded yet.

    Attributes:
        ids: one name an image, unique; a path below the root for files.
        labels: index into `class_names`, an image each.
        class_names: in the order of the logits.
        splits: train, val or test, an image each; all train where the dataset brings no split.
        load: the RGB image at an index.
        sizes: bytes of each file (or of the image itself), for the fingerprint.
        groups: images that must stay in one split share a name here; those in "" are on their own. Empty where the
            dataset has none.
        left_out: images left out because they could not be read.

    Raises:
        UserError: an image stands twice, a class has no image, a group is divided, or a class of another split
            is missing from the training split.
    """

    ids: Sequence[str]
    labels: Sequence[int]
    class_names: Sequence[str]
    splits: Sequence[str]
    load: Callable[[int], Image.Image]
    sizes: Sequence[int]
    groups: Sequence[str] = ()
    left_out: Sequence[str] = field(default=())

    def __post_init__(self) -> None:
        twice = [name for name, count in Counter(self.ids).items() if count > 1]
        if twice:
            raise UserError(f"images are listed twice: {some_of(twice, _SHOWN)}")
        counts = Counter(self.labels)
        empty = [name for label, name in enumerate(self.class_names) if not counts[label]]
        if empty:
            raise UserError(f"classes have no images: {some_of(empty, _SHOWN)}")
        if len(self.class_names) < 2:
            raise UserError(
                f"there must be at least two classes, not {len(self.class_names)}: {some_of(self.class_names, _SHOWN)}"
            )
        places: dict[str, str] = {}
        for group, split in zip(self.groups, self.splits, strict=False):
            if group and places.setdefault(group, split) != split:
                raise UserError(
                    f"group {group!r} has images in the {places[group]} and in the {split} split: it must stay whole"
                )
        trained = {label for label, split in zip(self.labels, self.splits, strict=True) if split == TRAIN}
        for split in (VAL, TEST):
            alone = {label for label, other in zip(self.labels, self.splits, strict=True) if other == split} - trained
            if alone:
                names = some_of([self.class_names[label] for label in sorted(alone)], _SHOWN)
                raise UserError(f"classes of the {split} split have no images in the train split: {names}")

    def __len__(self) -> int:
        return len(self.ids)

    def indices(self, split: str) -> list[int]:
        """Positions of a split's images, in order."""
        return [index for index, other in enumerate(self.splits) if other == split]

    def fingerprint(self) -> str:
        """64 hexadecimal digits over names, sizes, labels, splits and groups."""
        digest = hashlib.sha256(repr(tuple(self.class_names)).encode())
        groups = self.groups or [""] * len(self)
        for row in zip(self.ids, self.sizes, self.labels, self.splits, groups, strict=True):
            digest.update(repr(row).encode())
        return digest.hexdigest()
