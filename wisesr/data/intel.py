"""Intel Image Classification: six kinds of landscapes and streets, 150x150 px, 14,034 / 3,000 images. No torch.

https://www.kaggle.com/datasets/puneet6060/intel-image-classification. Its third
folder, `seg_pred`, has no labels and is not read.
"""

from __future__ import annotations

from typing import Literal

from wisesr.data.listing import AS_STORED, Listing, listing_of_folders
from wisesr.data.manifest import TEST, TRAIN, Manifest
from wisesr.data.published_facts import INTEL, read_copy, require_folder
from wisesr.data.tree import scan
from wisesr.errors import UserError

FOLDERS = {TRAIN: "seg_train/seg_train", TEST: "seg_test/seg_test"}


def intel(*, root: str, partial: bool = False, on_bad_image: Literal["error", "skip"] = "error") -> Manifest:
    """The images below `seg_train/seg_train/<class>` and `seg_test/seg_test/<class>`, split as published.

    `root` is the folder that holds `seg_train` and `seg_test`.
    `partial` and `on_bad_image` are those of `wisesr.data.published_facts.read_copy`.

    Raises:
        UserError: another layout, other counts.
    """
    return read_copy(INTEL, listed(root=root), partial=partial, on_bad_image=on_bad_image)


def listed(*, root: str) -> Listing:
    """The files of a copy. Argument and errors as of `intel`, whatever their counts."""
    base = require_folder(INTEL, root)
    for below in FOLDERS.values():
        if not (base / below).is_dir():
            raise UserError(f"dataset.root: {base} is no copy of intel: it has no folder {below}")
    return listing_of_folders(scan(base), {below: split for split, below in FOLDERS.items()}, AS_STORED)
