"""Sub-ImageNet-70: 70 classes of ImageNet that the paper's authors chose, 31,500 / 3,500 images. No torch.

https://www.kaggle.com/datasets/mohammadrahimzadeh/imagenet-70classes. Which classes: its CSV files tell.
"""

from __future__ import annotations

from typing import Literal

from wisesr.data.image_list import csv_rows
from wisesr.data.listing import AS_STORED, Listing, listing_of_lists
from wisesr.data.manifest import TEST, TRAIN, Manifest
from wisesr.data.published_facts import SUB_IMAGENET, read_copy, require_folder
from wisesr.data.tree import scan
from wisesr.errors import UserError

LISTS = {TRAIN: "train.csv", TEST: "test.csv"}


def sub_imagenet(*, root: str, partial: bool = False, on_bad_image: Literal["error", "skip"] = "error") -> Manifest:
    """The images that `train.csv` and `test.csv` list, columns filename,class, folders separated by backslashes.

    `root` is the folder that holds the lists, and below which their filenames are.
    `partial` and `on_bad_image` are those of `wisesr.data.published_facts.read_copy`.

    Raises:
        UserError: a list is missing, other counts, a listed file that is missing.
    """
    return read_copy(SUB_IMAGENET, listed(root=root), partial=partial, on_bad_image=on_bad_image)


def listed(*, root: str) -> Listing:
    """The files of a copy. Argument and errors as of `sub_imagenet`, whatever is missing."""
    base = require_folder(SUB_IMAGENET, root)
    for name in LISTS.values():
        if not (base / name).is_file():
            raise UserError(f"dataset.root: {base} is no copy of sub_imagenet: it has no file {name}")
    rows = (row._replace(split=split) for split, name in LISTS.items() for row in csv_rows(base, name))
    return listing_of_lists(scan(base), rows, LISTS.values(), AS_STORED)
