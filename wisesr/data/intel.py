"""Intel Image Classification: six kinds of landscapes and streets, 150x150 px, 14,034 / 3,000 images. No torch.

https://www.kaggle.com/datasets/puneet6060/intel-image-classification. Its third
folder, `seg_pred`, has no labels and is not read.
"""

from __future__ import annotations

from typing import Literal

from wisesr.data.listing import Listing, class_rows, look_up, to_manifest
from wisesr.data.manifest import TEST, TRAIN, Manifest
from wisesr.data.published import INTEL, require_folder, require_whole
from wisesr.errors import UserError

FOLDERS = {TRAIN: "seg_train/seg_train", TEST: "seg_test/seg_test"}


def intel(*, root: str, partial: bool = False, on_bad_image: Literal["error", "skip"] = "error") -> Manifest:
    """The images below `seg_train/seg_train/<class>` and `seg_test/seg_test/<class>`, split as published.

    Args:
        root: the folder that holds `seg_train` and `seg_test`.
        partial: whether a copy with other counts than the published ones will do.
        on_bad_image: as in `wisesr.data.folder.folder`.

    Raises:
        UserError: another layout, other counts.
    """
    its = listed(root=root)
    require_whole(INTEL, its.base, its.rows, partial=partial, missing=[row.path for row in its.missing])
    return to_manifest(its.base, its.rows, on_bad_image)


def listed(*, root: str) -> Listing:
    """The files of a copy. Argument and errors as of `intel`, whatever their counts."""
    base = require_folder(INTEL, root)
    for below in FOLDERS.values():
        if not (base / below).is_dir():
            raise UserError(f"dataset.root: {base} is no copy of intel: it has no folder {below}")
    return look_up(base, (row for split, below in FOLDERS.items() for row in class_rows(base, below, split)))
