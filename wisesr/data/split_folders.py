"""Which folders below a root are splits, and whether what is left over is another one that nobody named. No torch.

A test folder that is dropped, or a split that is taken for a class, gives a plausible number that means nothing: whatever looks
like a split and is not used as one stops, with the override that says what it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from wisesr.data.folder_tree import Tree, is_below, join
from wisesr.data.manifest import SPLITS, TEST, TRAIN, VAL
from wisesr.data.overrides import override, overrides
from wisesr.data.root_problems import archives, no_folders
from wisesr.data.split_labels import check_classes, check_labels
from wisesr.data.split_shape import ask_about_shape, classes_below, image_folders, label_of, labels_in, listed
from wisesr.data.split_words import SYNONYMS as SYNONYMS
from wisesr.data.split_words import Likeness, alike, is_split_word, meant, speaks_of_split
from wisesr.data.unreachable import refuse_unreachable, refuse_unreachable_classes, refuse_unreachable_splits
from wisesr.errors import UserError, unknown

_ALL_CLASSES = f"{override('dataset.train', None)} takes all folders for classes"


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
        path = tree.find(name)
        if path is None:
            raise UserError(f"dataset.leave_out: {tree.base} has no folder {name}: {_there(tree, name)}")
        found.append(path)
    folders = tree.folders[""].folders
    if "" in found or (folders and set(folders) <= set(found)):
        raise UserError(f"dataset.leave_out leaves no folder of {tree.base}: it names {listed(folders)}")
    return found


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
    if TRAIN in used.values():
        _ask_about_others(tree, used, declined)
        used = used if len(used) > 1 or "" not in used else {"": TRAIN}
    elif names.train is None:
        _check_whole(tree, names, used)
        used = {"": TRAIN}
    else:
        _ask_for_train(tree, used)
        used = {"": TRAIN}
    if list(used) == [""]:
        _check_root(tree)
    refuse_unreachable_classes(tree, used)
    check_classes(tree, used)
    if names.train is not None and not names.train.startswith("./"):
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
        choices = " or ".join(_choice(split, own, [other for other in same if other != own]) for own in same)
        raise UserError(f"{tree.base} holds {' and '.join(same)}: which one is the {split} split? {choices}")
    return same[0] if same else None


def _choice(split: str, name: str, others: Sequence[str]) -> str:
    return overrides({f"dataset.{split}": name} | ({"dataset.leave_out": others} if others else {}))  # type: ignore[operator]


def _named(tree: Tree, split: str, name: str) -> str:
    path = tree.find(name)
    if path:
        refuse_unreachable(tree, path)
    if path is None or path not in tree.folders:
        raise UserError(f"dataset.{split}: {tree.base} has no folder {name!r}: {_there(tree, name)}")
    if path == "" and split != TRAIN:
        raise UserError(f"dataset.{split} must be a folder below {tree.base}, and not {name!r}")
    return path


def _there(tree: Tree, name: str) -> str:
    """What there is instead of a folder that is not there."""
    folders = tree.folders[""].folders
    return unknown("folder", name, folders) if folders else "it holds none"


def _ask_for_train(tree: Tree, used: Mapping[str, str]) -> None:
    """Stop where there is no training split and some folders look like splits."""
    others = [name for name in tree.folders[""].folders if not _is_used(name, used)]
    if used:
        raise UserError(
            f"{tree.base} holds {listed(list(used))} but no train: {'; or '.join([*_ways_to_train(tree, used, others), _ALL_CLASSES])}"
        )
    if found := _doubtful(tree, others):
        raise UserError(
            f"{tree.base}: {listed(list(found))} {'look like splits' if len(found) > 1 else 'looks like a split'} and not like "
            f"{'classes' if len(found) > 1 else 'a class'}: {_as_splits(tree, found, others)}; or {_ALL_CLASSES}"
        )


def _ways_to_train(tree: Tree, used: Mapping[str, str], others: Sequence[str]) -> list[str]:
    """Overrides that name a training split beside another one."""
    labels = set[str]().union(*(labels_in(tree, folder) for folder in used))
    with_images = [name for name in others if name in image_folders(tree, "")]
    if len(labels & set(map(label_of, with_images))) > 1:
        return [f"{override('dataset.train', '.')} takes {listed(with_images)} for the classes of the training split"]
    if likely := [name for name in with_images if meant(name) == TRAIN]:
        return [_choice(TRAIN, likely[0], likely[1:])]
    structured = [name for name in with_images if len(labels_in(tree, name)) > 1 and not speaks_of_split(name)]
    if len(structured) == 1:
        return [override("dataset.train", structured[0])]
    if with_images or not any(labels_in(tree, folder) for folder in used):
        return []
    only, split = next((folder, split) for folder, split in used.items() if labels_in(tree, folder))
    return [f"{overrides({'dataset.train': only, f'dataset.{split}': None})} trains on {only}"]


def _doubtful(tree: Tree, names: Sequence[str]) -> dict[str, Likeness]:
    """Folders that look like splits: by their names alone, or as they also hold folders that others hold, or are called by."""
    found = alike([name for name in names if name in image_folders(tree, "")])
    shared = {}
    for name in found:
        others = [label_of(other) for other in names if other != name]
        others += [label for other in names if other != name for label in labels_in(tree, other)]
        shared[name] = bool(labels_in(tree, name) & set(others))
    return {name: likeness for name, likeness in found.items() if likeness.sure or shared[name]}


def _as_splits(tree: Tree, found: Mapping[str, Likeness], others: Sequence[str]) -> str:
    """Overrides that take folders for splits, by what their names speak of or in their order."""
    by_split: dict[str, str] = {}
    for name, likeness in found.items():
        if likeness.split:
            by_split.setdefault(likeness.split, name)
    for name in found:  # parts of a whole: any may be trained on, and any other tested
        free = [split for split in (TRAIN, TEST) if split not in by_split]
        if free and found[name].split is None:
            by_split[free[0]] = name
    if TRAIN not in by_split:
        rest = [name for name in others if name not in found]
        nested = [name for name in rest if labels_in(tree, name)]
        if not rest or (by_split.keys() == {VAL} and not nested):
            return override("dataset.leave_out", list(found)) + " does without"
        by_split[TRAIN] = nested[0] if len(nested) == 1 and len(rest) == 1 else "."
    chosen = {f"dataset.{split}": by_split[split] for split in SPLITS if split in by_split}
    more = [name for name in found if name not in by_split.values()]
    return overrides({**chosen, **({"dataset.leave_out": more} if more else {})})


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


def _ask_about_others(tree: Tree, used: Mapping[str, str], declined: Collection[str]) -> None:
    """Stop where a folder beside the training split looks like another one."""
    free = [split for split in (VAL, TEST) if split not in used.values() and split not in declined]
    train = next(folder for folder, split in used.items() if split == TRAIN)
    labels, as_classes = labels_in(tree, train), train == ""
    found: dict[str, str] = {}
    for name in image_folders(tree, ""):
        if _is_used(name, used) or (as_classes and not is_split_word(name)):
            continue
        split = meant(name)
        if split is None and len(free) == 2 and not as_classes and len(labels_in(tree, name) & labels) > 1:
            split = TEST  # its name says nothing, but it holds the very classes
        if split is not None and split not in declined:
            found[name] = split
    if found:
        raise UserError(_say_what_they_are(tree, found, [split for split in free if split not in used.values()]))
    for name in archives(tree.folders[""].files):
        if (split := meant(name.partition(".")[0])) in free and not (split == VAL and TEST in used.values()):
            raise UserError(
                f"{tree.base / name} would be left out: unpack it, or do without it: {override('dataset.leave_out', [name])}"
            )


def _say_what_they_are(tree: Tree, found: Mapping[str, str], free: Sequence[str]) -> str:
    names = list(found)
    ways = []
    for name, own in found.items():
        rest = [other for other in names if other != name]
        ways += [_choice(split, name, rest) for split in sorted(free, key=lambda split: split != own)]
    if {VAL, TEST} == set(free) == set(found.values()) and len(names) == 2:
        ways = [overrides({f"dataset.{split}": name for name, split in found.items()}), *ways]
    ways.append(f"{override('dataset.leave_out', names)} does without {'it' if len(names) == 1 else 'them'}")
    what = "say what it is" if len(names) == 1 else "say what they are"
    return f"{' and '.join(str(tree.base / name) for name in names)} would be left out: {what}, with {', or '.join(ways)}"


def _is_used(name: str, used: Collection[str]) -> bool:
    return any(folder and is_below(folder, name) for folder in used)


def _check_root(tree: Tree) -> None:
    """Stop where the root holds no folders, or one in which the classes lie."""
    if not tree.folders[""].folders and not tree.folders[""].dangling:
        raise UserError(no_folders(tree))
    with_images = image_folders(tree, "")
    if len(with_images) == 1 and (deeper := classes_below(tree, with_images[0])):
        root = override("dataset.root", str(tree.base / deeper))
        raise UserError(f"{tree.base} has no classes: they lie in {tree.base / deeper}: {root}")
