"""Questions about what lies in the folders of classes: splits of each, the classes again, several kinds. No torch.

Names cannot tell all: where two folders hold folders of the same names, either may be the classes. `images/cat` and
`masks/cat` would be trained apart to a plausible number, so it is asked, once. A folder that does nothing but hold another one,
`amazon/images/mug`, is looked through.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import combinations

from wisesr.data.folder_tree import Tree, join
from wisesr.data.manifest import TRAIN
from wisesr.data.overrides import leave_out, override, overrides
from wisesr.data.split_shape import has_images, image_folders, label_of, labels_in, listed, unwrapped
from wisesr.data.split_words import is_split_word, meant
from wisesr.errors import UserError
from wisesr.wording import natural_key

_COUNTED = re.compile(r"(?P<word>[^\W\d_]*)[\s_.#-]*\d+")
"""A number, or a word and one: `patient 3`, `day_2`, `17`."""
_OF_CLASSES = frozenset(
    ("class", "cls", "label", "category", "cat", "type", "grade", "stage", "level", "species", "breed", "klasse")
)
"""Words that, with a number, name classes."""
_SYNSET = re.compile(r"n\d{8}")
"""ImageNet's names of classes."""
_KEPT = frozenset(("labeled", "labelled", "images", "data"))
"""Names of a folder of classes beside images that have none."""


def ask_about_shape(tree: Tree, folder: str, used: Mapping[str, str]) -> None:
    """Stop where the folders in a folder of classes hold splits, the classes again, or folders of the same names.

    Args:
        tree: of the root, without the folders of other splits.
        folder: whose folders would be the classes.
        used: folders of the splits -> split.

    Raises:
        UserError: with the override that takes the inner folders for classes, and the one that takes the outer.
    """
    own = {name: unwrapped(tree, join(folder, name)) for name in image_folders(tree, folder)}
    whole = list(used) == [""]
    as_they_are = override("dataset.train", None if whole else f"./{folder}")
    if split := [name for name, place in own.items() if _holds_splits(tree, place)]:
        raise UserError(_splits_inside(tree, folder, split, own, as_they_are))
    outer = {name: inner for name, place in own.items() if (inner := labels_in(tree, place))}
    if shared := _same_inside(outer):
        one, *_ = names = sorted(shared, key=natural_key)
        held = listed([name for name in image_folders(tree, own[one]) if label_of(name) in outer[names[1]]])
        raise UserError(
            f"{tree.base / folder}: {listed(names, ' and ')} hold folders of the same names ({held}). If those are the "
            f"classes: {_one_of_them(tree, folder, own[one], used)}; if {listed(names, ' and ')} are: {as_they_are}"
            f"{_or_splits([own[name] for name in names]) if whole else ''}"
        )
    _ask_about_classes_again(tree, folder, own, used, as_they_are)
    _ask_about_unlabelled(tree, folder, own, used, as_they_are)


def _holds_splits(tree: Tree, place: str) -> bool:
    """Whether the folders of images in a folder are splits: all, or two kinds, or a held-out one beside images."""
    inner = image_folders(tree, place)
    splits = {meant(name) for name in inner if is_split_word(name)}
    every = bool(inner) and all(map(is_split_word, inner))
    return every or len(splits) > 1 or (has_images(tree, place) and bool(splits - {TRAIN}))


def _splits_inside(tree: Tree, folder: str, names: Sequence[str], own: Mapping[str, str], as_they_are: str) -> str:
    name = min(names, key=natural_key)
    first = own[name]
    inner = [split for split in image_folders(tree, first) if is_split_word(split)]
    beside = ", beside images" if has_images(tree, first) else ""
    hold = "holds" if len(names) == 1 else "hold"
    what = f"{tree.base / folder}: {listed(names, ' and ')} {hold} {listed(inner, ' and ')}{beside}"
    classes = f"{as_they_are} takes {listed(names, ' and ')} for classes, without regard to that"
    if not beside and any(labels_in(tree, join(first, split)) for split in inner):
        root = override("dataset.root", str(tree.base / first))
        several = "" if len(names) == 1 else ", or a list of all files in a CSV file (dataset.csv)"
        return f"{what}: {root}{several}; {classes}"
    return (
        f"{what}, and splits are not read below classes: make them {inner[0]}/{name}, or write a CSV file "
        f"with columns filename,class,split (dataset.csv); {classes}"
    )


def _same_inside(outer: Mapping[str, set[str]]) -> set[str]:
    """Folders two of which hold two folders of the same names or more, and half of what the smaller one holds."""
    counts = Counter(name for inner in outer.values() for name in inner if not _is_counted(name))
    often = {name: {label for label in inner if counts[label] > 1} for name, inner in outer.items()}
    likely = [name for name, inner in often.items() if len(inner) > 1]
    for one, other in combinations(likely, 2):
        shared = often[one] & often[other]
        if _is_much(shared, outer[one], outer[other]):
            return {name for name in likely if len(often[name] & shared) > 1}
    return set()


def _is_much(shared: Collection[str], one: Collection[str], other: Collection[str]) -> bool:
    return len(shared) > 1 and 2 * len(shared) >= min(len(one), len(other))


def _is_counted(name: str) -> bool:
    """Whether a name numbers things that every class may have: patients, days."""
    found = _COUNTED.fullmatch(name)
    return found is not None and found["word"] not in _OF_CLASSES and not _SYNSET.fullmatch(name) and not is_split_word(name)


def _ask_about_classes_again(
    tree: Tree, folder: str, own: Mapping[str, str], used: Mapping[str, str], as_they_are: str
) -> None:
    """Stop where one of the folders of classes holds folders that are called as the others: a copy, or more of the same."""
    for name, place in own.items():
        beside = {label_of(other) for other in own if other != name}
        names = [inner for inner in image_folders(tree, place) if label_of(inner) in beside]
        if _is_much(names, image_folders(tree, place), beside):
            paths = [path for top in used if (path := join(top, name)) in tree.folders] or [join(folder, name)]
            raise UserError(
                f"{tree.base / place} holds {listed(names, ' and ')} again, which are classes beside {name}: "
                f"{leave_out(tree.left_out, paths)} does without {'it' if len(paths) == 1 else 'them'}; if {name} is a class "
                f"of its own: {as_they_are}; if the classes are those in it: {_one_of_them(tree, folder, place, used)}"
            )


def _ask_about_unlabelled(tree: Tree, folder: str, own: Mapping[str, str], used: Mapping[str, str], as_they_are: str) -> None:
    """Stop where one folder holds classes by its name, `labeled`, and all others nothing but images."""
    inner = {name: image_folders(tree, place) for name, place in own.items()}
    nested = [name for name in own if inner[name]]
    others = [name for name in own if not inner[name]]
    if len(nested) == 1 and others and label_of(nested[0]) in _KEPT and len(labels_in(tree, own[nested[0]])) > 1:
        name = nested[0]
        raise UserError(
            f"{tree.base / folder}: {name} holds {listed(inner[name], ' and ')}, and {listed(others, ' and ')} only images. If "
            f"those are the classes: {_one_of_them(tree, folder, own[name], used)}; if {listed(list(own), ' and ')} are: "
            f"{as_they_are}"
        )


def _one_of_them(tree: Tree, folder: str, place: str, used: Mapping[str, str]) -> str:
    """The overrides that take the folders in one of the folders for the classes, in all splits."""
    if list(used) == [""]:
        return override("dataset.root", str(tree.base / place))
    below = place[len(folder) :].lstrip("/")
    deeper = {
        f"dataset.{split}": join(own, below) for own, split in used.items() if own == folder or _is_there(tree, own, below)
    }
    return overrides(deeper)


def _or_splits(names: Sequence[str]) -> str:
    if len(names) != 2:
        return ""
    splits = overrides({"dataset.train": names[0], "dataset.test": names[1]})
    return f"; if they are the training and the test split: {splits}, or the other way round"


def _is_there(tree: Tree, folder: str, name: str) -> bool:
    return join(folder, name) in tree.folders
