"""Which folders below a root are splits, and whether what is left over is another one that nobody named. No torch.

A test folder that is dropped, or a split that is taken for a class, gives a plausible number that means nothing: whatever looks
like a split and is not used as one stops, with the override that says what it is.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from wisesr.data.folder_tree import Tree, is_below
from wisesr.data.manifest import SPLITS, TRAIN
from wisesr.data.overrides import override, overrides
from wisesr.data.root_problems import no_folders
from wisesr.data.split_labels import check_classes, check_labels
from wisesr.data.split_nested import ask_about_shape
from wisesr.data.split_questions import ask_about_others, ask_for_train, choice
from wisesr.data.split_shape import classes_below, image_folders, label_of, labels_in, listed
from wisesr.data.split_words import SYNONYMS as SYNONYMS
from wisesr.data.unreachable import refuse_unreachable, refuse_unreachable_classes, refuse_unreachable_splits
from wisesr.errors import UserError


class SplitNames(NamedTuple):
    """What the user calls the splits' folders: a path below the root; None where there is none of the kind.

    Of train, `.` is the root but for the folders of the other splits, and a path that begins with `./` is taken as it is,
    without a question about what lies in it.
    """

    train: str | None = "train"
    val: str | None = "val"
    test: str | None = "test"


def left_out(tree: Tree, names: Sequence[str]) -> list[str]:
    """Paths below the root of what is not to be read.

    Raises:
        UserError: there is no such thing, or nothing is left.
    """
    found = []
    for name in names:
        if not name.strip():
            raise UserError(f"dataset.leave_out holds an empty name: each must be that of a folder or file below {tree.base}")
        path = tree.find(name)
        if path is None:
            raise UserError(f"dataset.leave_out: {tree.base} has no folder {name}; {_likely(tree, name)}")
        found.append(path)
    folders = tree.folders[""].folders
    if "" in found or (folders and set(folders) <= set(found)):
        raise UserError(f"dataset.leave_out leaves no folder of {tree.base}: it names {listed(folders)}")
    return found


def _likely(tree: Tree, name: str) -> str:
    """What there is instead of a folder that is not there: one of that name deeper, or what there is at all."""
    deeper = [path for path in tree.folders if label_of(path.rpartition("/")[2]) == label_of(name)]
    if deeper:
        return f"there is {listed(deeper, ' and ')}"
    folders = sorted(tree.folders[""].folders)
    near = difflib.get_close_matches(name, folders, n=1, cutoff=0.6)
    return f"it holds {listed(folders) or 'none'}{f': did you mean {near[0]}?' if near else ''}"


def find_splits(tree: Tree, names: SplitNames) -> dict[str, str]:
    """Folder below the root -> its split; the root alone, "", as the training split where there are no split folders.

    Args:
        tree: of the root, without what is left out.
        names: of the folders.

    Raises:
        UserError: folders that look like splits and are not used; a named folder that is not there; splits without classes;
            classes that lie deeper than the root; links to nothing in the stead of splits and classes.
    """
    declined = [split for split, name in zip(SPLITS, names, strict=True) if name is None]
    if names.train is not None:
        refuse_unreachable_splits(tree, declined)
    used = _used(tree, names)
    as_it_is = names.train is not None and names.train.startswith("./")
    if TRAIN in used.values():
        _check_no_train_inside(tree, names, used)
        if used.get("") != TRAIN or not as_it_is:
            ask_about_others(tree, used, declined)
    elif names.train is None:
        _check_whole(tree, names, used)
        used = {"": TRAIN}
    else:
        ask_for_train(tree, used)
        used = {"": TRAIN}
    if list(used) == [""]:
        _check_root(tree)
    refuse_unreachable_classes(tree, used)
    check_classes(tree, used)
    if names.train is not None and not as_it_is:
        train = next(folder for folder, split in used.items() if split == TRAIN)
        ask_about_shape(tree.without([other for other in used if other != train and is_below(other, train)]), train, used)
    check_labels(tree, used)
    return used


def _used(tree: Tree, names: SplitNames) -> dict[str, str]:
    """The folders of splits that are there."""
    used: dict[str, str] = {}
    for split, name in zip(SPLITS, names, strict=True):
        folder = _find(tree, split, name) if name is not None else None
        if folder is None:
            continue
        if folder in used:
            raise UserError(
                f"dataset.{used[folder]} and dataset.{split} are both {folder or '.'}: each split needs a folder of its own"
            )
        used[folder] = split
    return used


def _find(tree: Tree, split: str, name: str) -> str | None:
    """The folder of a split: as it is named, or where the name is the default, one that is called likewise."""
    if name != SYNONYMS[split][0]:
        return _named(tree, split, name)
    same = [own for own in tree.folders[""].folders if label_of(own) in SYNONYMS[split]]
    if len(same) > 1:
        choices = " or ".join(choice(tree, split, own, [other for other in same if other != own]) for own in same)
        raise UserError(f"{tree.base} holds {' and '.join(same)}: which one is the {split} split? {choices}")
    return same[0] if same else None


def _named(tree: Tree, split: str, name: str) -> str:
    if not name.strip():
        raise UserError(f"dataset.{split} is empty: it must be a folder below {tree.base}, or null")
    path = tree.find(name)
    if path:
        refuse_unreachable(tree, path)
    if path is None or path not in tree.folders:
        raise UserError(f"dataset.{split}: {tree.base} has no folder {name}; {_likely(tree, name)}")
    if path == "" and split != TRAIN:
        raise UserError(f"dataset.{split} must be a folder below {tree.base}, and not {name!r}")
    return path


def _check_whole(tree: Tree, names: SplitNames, used: Mapping[str, str]) -> None:
    """Stop where all folders are to be classes and another split is named, or plainly there."""
    top = {label_of(name) for name in tree.folders[""].folders}
    for folder, split in used.items():
        named = dict(zip(SPLITS, names, strict=True))[split] != SYNONYMS[split][0]
        if named or len(labels_in(tree, folder) & top) > 1:
            none = overrides({"dataset.train": None} | {f"dataset.{own}": None for own in used.values()})
            raise UserError(
                f"dataset.train=null takes all folders of {tree.base} for classes, {folder} too, which looks like the {split} "
                f"split: {override('dataset.train', '.')} takes the others for the classes of the training split; "
                f"or {none}, if {folder} is a class"
            )


def _check_no_train_inside(tree: Tree, names: SplitNames, used: Mapping[str, str]) -> None:
    """Stop where the root is named as the training split, and holds one whose classes are those of another split."""
    if used.get("") != TRAIN:
        return
    others = set[str]().union(*(labels_in(tree, folder) for folder in used if folder))
    for name in tree.folders[""].folders:
        if label_of(name) in SYNONYMS[TRAIN] and label_of(name) not in others and labels_in(tree, name) & others:
            raise UserError(
                f"dataset.train={names.train} takes {name} for a class, and it holds the classes of the other splits: "
                f"{override('dataset.train', name)}"
            )


def _check_root(tree: Tree) -> None:
    """Stop where the root holds no folders, or one in which the classes lie."""
    if not tree.folders[""].folders and not tree.folders[""].dangling:
        raise UserError(no_folders(tree))
    with_images = image_folders(tree, "")
    if len(with_images) == 1 and (deeper := classes_below(tree, with_images[0])):
        root = override("dataset.root", str(tree.base / deeper))
        raise UserError(f"{tree.base} has no classes: they lie in {tree.base / deeper}: {root}")
