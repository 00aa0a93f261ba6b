"""What the folders below a folder tell by their shape: classes, splits of each class, or several kinds of the same. No torch.

Names cannot tell all: where two folders hold folders of the same names, either may be the classes. `images/cat` and
`masks/cat` would be trained apart to a plausible number, so it is asked, once.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import combinations

from wisesr.data.folder_tree import Tree, join, same_name
from wisesr.data.images import endings
from wisesr.data.overrides import override, overrides
from wisesr.data.split_words import is_split_word
from wisesr.errors import UserError
from wisesr.wording import natural_key, some_of

_SHOWN = 5


def is_image(name: str) -> bool:
    """Whether a file is one by its ending."""
    return posixpath.splitext(name)[1].lower() in endings()


def has_images(tree: Tree, folder: str) -> bool:
    """Whether an image lies directly in a folder."""
    return any(map(is_image, tree.folders[folder].files))


def holds_images(tree: Tree, folder: str) -> bool:
    """Whether an image lies in or below a folder."""
    return has_images(tree, folder) or any(holds_images(tree, join(folder, name)) for name in tree.folders[folder].folders)


def image_folders(tree: Tree, folder: str) -> list[str]:
    """Names of the folders in a folder that hold images."""
    return [name for name in tree.folders[folder].folders if holds_images(tree, join(folder, name))]


def label_of(name: str) -> str:
    """A class's folder as it is compared between splits, which may write it in another case."""
    return same_name(name).casefold()


def labels_in(tree: Tree, folder: str) -> set[str]:
    """Of the folders in a folder that hold images; none where images lie beside them, or where there is no such folder."""
    if folder not in tree.folders or has_images(tree, folder):
        return set()
    return {label_of(name) for name in image_folders(tree, folder)}


def classes_below(tree: Tree, folder: str) -> str | None:
    """The folder in or below this one that holds two folders of images or more; None where images come first."""
    while not has_images(tree, folder):
        inner = image_folders(tree, folder)
        if len(inner) != 1:
            return folder if inner else None
        folder = join(folder, inner[0])
    return None


def listed(names: Collection[str], separator: str = ", ") -> str:
    """Some names in their natural order; empty for none."""
    return some_of(sorted(names, key=natural_key), _SHOWN, separator) if names else ""


def ask_about_shape(tree: Tree, folder: str, used: Mapping[str, str]) -> None:
    """Stop where the folders in a folder of classes hold splits, or folders of the same names.

    Args:
        tree: of the root, without the folders of other splits.
        folder: whose folders would be the classes.
        used: folders of the splits -> split.

    Raises:
        UserError: with the override that takes the inner folders for classes, and the one that takes the outer.
    """
    outer = {name: labels_in(tree, join(folder, name)) for name in tree.folders[folder].folders}
    outer = {name: inner for name, inner in outer.items() if inner}
    as_they_are = override("dataset.train", None if list(used) == [""] else f"./{folder}")
    if split := [name for name, inner in outer.items() if all(map(is_split_word, inner))]:
        raise UserError(_splits_inside(tree, folder, split, as_they_are))
    if shared := _same_inside(outer):
        one, *_ = names = sorted(shared, key=natural_key)
        inner = listed([own for own in image_folders(tree, join(folder, one)) if label_of(own) in outer[names[1]]])
        raise UserError(
            f"{tree.base / folder}: {listed(names, ' and ')} hold folders of the same names ({inner}). If those are the "
            f"classes: {_one_of_them(tree, folder, one, used)}; if {listed(names, ' and ')} are: {as_they_are}"
            f"{_or_splits(names) if list(used) == [''] else ''}"
        )


def _splits_inside(tree: Tree, folder: str, names: Sequence[str], as_they_are: str) -> str:
    first = join(folder, sorted(names, key=natural_key)[0])
    inner = image_folders(tree, first)
    what = f"{tree.base / folder}: {listed(names, ' and ')} {'holds' if len(names) == 1 else 'hold'} {listed(inner, ' and ')}"
    classes = f"{as_they_are} takes {listed(names, ' and ')} for classes, without regard to that"
    if any(labels_in(tree, join(first, name)) for name in inner):
        root = override("dataset.root", str(tree.base / first))
        several = "" if len(names) == 1 else ", or a list of all files in a CSV file (dataset.csv)"
        return f"{what}: {root}{several}; {classes}"
    return (
        f"{what}, and splits are not read below classes: make them {inner[0]}/{posixpath.basename(first)}, or write a CSV file "
        f"with columns filename,class,split (dataset.csv); {classes}"
    )


def _same_inside(outer: Mapping[str, set[str]]) -> set[str]:
    """Folders two of which hold two folders of the same names, or more."""
    counts = Counter(name for inner in outer.values() for name in inner)
    often = {name: {label for label in inner if counts[label] > 1} for name, inner in outer.items()}
    likely = [name for name, inner in often.items() if len(inner) > 1]
    for one, other in combinations(likely, 2):
        shared = often[one] & often[other]
        if len(shared) > 1:
            return {name for name in likely if len(often[name] & shared) > 1}
    return set()


def _one_of_them(tree: Tree, folder: str, name: str, used: Mapping[str, str]) -> str:
    """The overrides that take the folders in one of the folders for the classes, in all splits."""
    if list(used) == [""]:
        return override("dataset.root", str(tree.base / name))
    deeper = {f"dataset.{split}": join(own, name) for own, split in used.items() if own == folder or _is_there(tree, own, name)}
    return overrides(deeper)


def _or_splits(names: Sequence[str]) -> str:
    if len(names) != 2:
        return ""
    splits = overrides({"dataset.train": names[0], "dataset.test": names[1]})
    return f"; if they are the training and the test split: {splits}, or the other way round"


def _is_there(tree: Tree, folder: str, name: str) -> bool:
    return join(folder, name) in tree.folders
