"""Which folders below a root are splits, and whether what is left over is another one that nobody named. No torch.

A test folder that is dropped, or a split that is taken for a class, gives a plausible number that means nothing: whatever looks
like a split and is not used as one stops, with the override that says what it is.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from wisesr.data.images import endings
from wisesr.data.manifest import SPLITS, TEST, TRAIN, VAL
from wisesr.data.tree import Tree
from wisesr.errors import UserError
from wisesr.wording import count_of, natural_key, some_of

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    TRAIN: ("train", "training"),
    VAL: ("val", "valid", "validation", "eval"),
    TEST: ("test", "testing"),
}
"""Names of a split's folder, in any case; the first is the setting's default."""
_MEANT = {
    **{word: split for split, words in SYNONYMS.items() for word in words},
    **{"trn": TRAIN, "dev": VAL, "devel": VAL, "evaluation": VAL, "holdout": TEST, "heldout": TEST, "tst": TEST, "tests": TEST},
}
"""Words in the name of a folder that looks like a split."""
_FILLERS = frozenset(
    [
        "set",
        "sets",
        "data",
        "dataset",
        "images",
        "image",
        "imgs",
        "img",
        "pictures",
        "photos",
        "photographs",
        "split",
        "splits",
        "seg",
        "part",
        "folder",
        "files",
    ]
)
_PARTS = frozenset(["fold", "folds", "split", "part", "partition"])
_SHOWN = 5


class SplitNames(NamedTuple):
    """What the user calls the splits' folders: a path below the root; None where there is none of the kind."""

    train: str | None = "train"
    val: str | None = "val"
    test: str | None = "test"


def find_splits(tree: Tree, names: SplitNames, leave_out: Sequence[str] = ()) -> dict[str, str]:
    """Folder below the root -> its split; the root alone, "", as the training split where there are no split folders.

    Args:
        tree: of the root.
        names: of the folders.
        leave_out: folders at the root that are not used, and not asked about.

    Raises:
        UserError: folders that look like splits and are not used; a named folder that is not there; splits without classes;
            classes that lie deeper than the root.
    """
    for name in leave_out:
        if posixpath.normpath(name) not in tree.folders:
            raise UserError(f"dataset.leave_out: {tree.base} has no folder {name}")
    if names.train is None:
        return _whole_root(tree, leave_out)
    found = {split: _find(tree, split, name, leave_out) for split, name in zip(SPLITS, names, strict=True) if name is not None}
    used = {folder: split for split, folder in found.items() if folder is not None}
    others = [name for name in tree.folders[""].folders if name not in leave_out and not _is_used(name, used)]
    if TRAIN not in used.values():
        _ask_for_train(tree, used, others)
        return _whole_root(tree, leave_out)
    _ask_about_others(tree, used, others, names)
    for folder, split in used.items():
        _check_classes(tree, folder, split)
    _check_labels(tree, used)
    return used


def _is_used(name: str, used: Iterable[str]) -> bool:
    return any(folder == name or folder.startswith(f"{name}/") for folder in used)


def _find(tree: Tree, split: str, name: str, leave_out: Sequence[str]) -> str | None:
    """The folder of a split: as it is named, or where the name is the default, one that is called likewise."""
    path = posixpath.normpath(name.replace("\\", "/"))
    default = SYNONYMS[split][0]
    if name != default:
        if path not in tree.folders:
            raise UserError(
                f"dataset.{split}: {tree.base} has no folder {name}; it holds {_listed(tree.folders[''].folders) or 'none'}"
            )
        return path
    alike = [own for own in tree.folders[""].folders if own.lower() in SYNONYMS[split] and own not in leave_out]
    if len(alike) > 1:
        choices = " or ".join(f"dataset.{split}={own} dataset.leave_out=[{','.join(set(alike) - {own})}]" for own in alike)
        raise UserError(f"{tree.base} holds {' and '.join(alike)}: which one is the {split} split? {choices}")
    return alike[0] if alike else None


def _ask_for_train(tree: Tree, used: Mapping[str, str], others: Sequence[str]) -> None:
    """Stop where there is no training split and some folders look like splits."""
    classes = "dataset.train=null takes all folders for classes"
    if used:
        present = list(used)
        likely = [name for name in others if _meant(name) == TRAIN] or others
        raise UserError(
            f"{tree.base} holds {_listed(present)} but no train: "
            f"{'say dataset.train=' + likely[0] if len(likely) == 1 else 'name it with dataset.train=FOLDER'}; or {classes}"
        )
    if alike := _alike(others):
        named = " ".join(f"dataset.{split}={name}" for split in SPLITS for name, own in alike.items() if own == split)
        raise UserError(
            f"{tree.base}: {_listed(list(alike))} look like splits and not like classes: "
            f"{named or 'dataset.train=FOLDER dataset.test=FOLDER'}; or {classes}"
        )


def _ask_about_others(tree: Tree, used: Mapping[str, str], others: Sequence[str], names: SplitNames) -> None:
    """Stop where a folder beside the training split looks like another one."""
    declined = {split for split, name in zip(SPLITS, names, strict=True) if name is None}
    for name in others:
        meant = _meant(name)
        if meant is None or meant in declined or not _holds_images(tree, name):
            continue
        free = [split for split in (VAL, TEST) if split not in used.values()]
        say = [f"dataset.{split}={name}" for split in sorted(free, key=lambda split: split != meant)]
        say.append(f"dataset.leave_out=[{name}] does without it")
        raise UserError(f"{tree.base / name} would be left out: say what it is, with {', or '.join(say)}")


def _alike(names: Sequence[str]) -> dict[str, str | None]:
    """Folders whose names say split, and nothing but that, or differ in nothing else: folder -> which one, if that is clear."""
    found: dict[str, str | None] = {}
    rests: dict[tuple[str, ...], dict[str, str]] = {}
    for name in names:
        words = _words(name)
        meant = _meant(name)
        rest = tuple(word for word in words if word not in _MEANT and word not in _FILLERS)
        if meant and not rest:
            found[name] = meant
        elif meant:
            rests.setdefault(rest, {})[name] = meant
        elif words and words[0] in _PARTS and len(rest) <= 1 and re.search(r"\d", name):
            found[name] = None
    for same in rests.values():
        if len(set(same.values())) > 1:
            found |= same
    return found


def _meant(name: str) -> str | None:
    """The split that a folder's name speaks of."""
    return next((_MEANT[word] for word in _words(name) if word in _MEANT), None)


def _words(name: str) -> list[str]:
    """Of a name: `Train_Set2` is train, set; `flowersTest` is flowers, test."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return re.findall(r"[^\W\d_]+", apart.lower())


def _check_classes(tree: Tree, folder: str, split: str) -> None:
    """Stop where a split holds no folders of classes."""
    inner = [name for name in tree.folders[folder].folders if _holds_images(tree, f"{folder}/{name}")]
    if len(inner) > 1:
        return
    place = f"{folder}/{inner[0]}" if inner else folder
    if inner and len([name for name in tree.folders[place].folders if _holds_images(tree, f"{place}/{name}")]) > 1:
        raise UserError(f"{tree.base / folder} holds one folder, and the classes lie in it: dataset.{split}={place}")
    if inner or tree.folders[folder].folders:
        return  # one class, or empty ones: the manifest says so
    count = sum(_is_image(name) for name in tree.folders[folder].files)
    what = f"holds {count_of(count, 'image')} and no folders of classes, so nothing says what they show"
    if split == TRAIN:
        raise UserError(
            f"{tree.base / folder} {what}: a CSV file can (dataset.csv); if {folder} is itself a class, dataset.train=null"
        )
    drawn = "draws a test split from the training images" if split == TEST else "draws one from the training images"
    raise UserError(f"{tree.base / folder} {what}: dataset.{split}=null leaves it out and {drawn}")


def _check_labels(tree: Tree, used: Mapping[str, str]) -> None:
    """Stop where a split has none of the training split's classes: test/unknown/*.jpg has no labels either."""
    train = next(folder for folder, split in used.items() if split == TRAIN)
    known = {name.casefold() for name in tree.folders[train].folders}
    for folder, split in used.items():
        names = tree.folders[folder].folders
        if split != TRAIN and names and not known & {name.casefold() for name in names}:
            raise UserError(
                f"{tree.base / folder} has no class of the training split, only {_listed(names)}: dataset.{split}=null leaves "
                "it out, and the split is drawn from the training images"
            )


def _whole_root(tree: Tree, leave_out: Sequence[str]) -> dict[str, str]:
    """The root itself, whose folders are the classes."""
    folders = tree.folders[""].folders
    with_images = [name for name in folders if _holds_images(tree, name)]
    if not folders:
        raise UserError(_no_folders(tree))
    if len(with_images) == 1 and (deeper := _classes_below(tree, with_images[0])):
        raise UserError(f"{tree.base} has no classes: they lie in {tree.base / deeper}: dataset.root={tree.base / deeper}")
    return {"": TRAIN}


def _classes_below(tree: Tree, folder: str) -> str | None:
    """The folder in or below this one that holds two folders of images or more; None where images come first."""
    while not any(_is_image(name) for name in tree.folders[folder].files):
        inner = [f"{folder}/{name}" for name in tree.folders[folder].folders if _holds_images(tree, f"{folder}/{name}")]
        if len(inner) != 1:
            return folder if inner else None
        folder = inner[0]
    return None


def _no_folders(tree: Tree) -> str:
    lists = sorted(name for name in tree.folders[""].files if name.lower().endswith((".csv", ".tsv", ".txt")))
    tables = [name for name in lists if not name.lower().endswith(".txt")]
    named = f"dataset.csv={tables[0]}" if tables else "dataset.csv"
    return f"{tree.base} holds no folders: there must be one for each class, or a CSV file ({named})"


def _holds_images(tree: Tree, folder: str) -> bool:
    """Whether an image lies in or below a folder."""
    own = tree.folders[folder]
    return any(map(_is_image, own.files)) or any(_holds_images(tree, f"{folder}/{name}") for name in own.folders)


def _is_image(name: str) -> bool:
    return posixpath.splitext(name)[1].lower() in endings()


def _listed(names: Sequence[str]) -> str:
    return some_of(sorted(names, key=natural_key), _SHOWN) if names else ""
