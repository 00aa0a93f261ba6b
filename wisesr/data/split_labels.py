"""Whether each split's folder holds folders of classes, and of the same ones. No torch."""

from __future__ import annotations

from collections.abc import Mapping

from wisesr.data.folder_tree import Tree, is_below
from wisesr.data.image_formats import is_image
from wisesr.data.manifest import SPLITS, TEST, TRAIN, VAL
from wisesr.data.overrides import leave_out, override, overrides
from wisesr.data.split_shape import classes_below, image_folders, label_of, listed
from wisesr.errors import UserError
from wisesr.wording import count_of


def check_classes(tree: Tree, used: Mapping[str, str]) -> None:
    """Stop where a split holds no folders of classes.

    Args:
        tree: of the root.
        used: folder -> split. The root itself is another's business.

    Raises:
        UserError: with the folders in which the classes lie, or what to do without.
    """
    own = {folder: split for folder, split in used.items() if folder}
    inner = {folder: image_folders(tree, folder) for folder in own}
    deeper = {folder: classes_below(tree, folder) for folder in own if len(inner[folder]) == 1}
    if places := {folder: place for folder, place in deeper.items() if place and place != folder}:
        first = next(iter(places))
        say = overrides({f"dataset.{own[folder]}": place for folder, place in places.items()})
        raise UserError(f"{tree.base / first} holds one folder, and the classes lie in it: {say}")
    for folder, split in own.items():
        if not inner[folder] and not tree.folders[folder].folders:
            raise UserError(_unlabelled(tree, folder, split, used))
        # one class, or empty ones: the manifest says so


def _unlabelled(tree: Tree, folder: str, split: str, used: Mapping[str, str]) -> str:
    count = sum(map(is_image, tree.folders[folder].files))
    what = f"{tree.base / folder} holds {count_of(count, 'image')} and no folders of classes"
    what += ", so nothing says what they show" if count else ""
    if split == TRAIN:
        whole = override("dataset.train", None)
        if [name for name in image_folders(tree, "") if name not in used]:
            return f"{what}: if {folder} is itself a class, {whole}; otherwise a CSV file can say it (dataset.csv)"
        return f"{what}: a CSV file can (dataset.csv); if {folder} is itself a class, {whole}"
    return f"{what}: {_without(tree, folder, split, used)}"


def _without(tree: Tree, folder: str, split: str, used: Mapping[str, str]) -> str:
    """How to do without a split's folder, and what becomes of the split then."""
    null = override(f"dataset.{split}", None)  # which would make it a class where the root itself is a split
    how = leave_out(tree.left_out, [folder]) if "" in used else null
    folders = {split: folder for folder, split in used.items()}
    if split == TEST and VAL in folders:
        return f"{how} leaves it out, and {folders[VAL]} is the test split then"
    if split == VAL and TEST in folders:
        return f"{how} leaves it out, and the epoch is chosen on images that are held out of the training split"
    return f"{how} leaves it out, and draws a test split from the training images"


def check_labels(tree: Tree, used: Mapping[str, str]) -> None:
    """Stop where a split has none of the training split's classes: test/unknown/*.jpg has no labels either."""
    labels = {folder: _labels(tree, folder, used) for folder in used}
    train = next(folder for folder, split in used.items() if split == TRAIN)
    for split in SPLITS[1:]:
        for folder in (folder for folder, own in used.items() if own == split):
            names = labels[folder]
            if names and not set(labels[train]) & set(names):
                raise UserError(
                    f"{tree.base / folder} has no class of the training split, only {listed(list(names.values()))}: "
                    f"{_without(tree, folder, split, used)}"
                )


def _labels(tree: Tree, folder: str, used: Mapping[str, str]) -> dict[str, str]:
    """Of a split's classes, as they are compared -> as they are written."""
    others = [other for other in used if other != folder and is_below(other, folder)]
    own = tree.without(others)
    return {label_of(name): name for name in own.folders[folder].folders}
