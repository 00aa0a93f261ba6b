"""What lies below a folder: images, folders of images, and where the folders of classes are. No torch."""

from __future__ import annotations

from collections.abc import Collection

from wisesr.data.folder_tree import Tree, join, same_name
from wisesr.data.image_formats import is_image
from wisesr.data.split_words import is_split_word
from wisesr.wording import natural_key, some_of

_SHOWN = 5


def has_images(tree: Tree, folder: str) -> bool:
    """Whether an image lies directly in a folder."""
    return any(map(is_image, tree.folders[folder].files))


def holds_images(tree: Tree, folder: str) -> bool:
    """Whether an image lies in or below a folder."""
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        if has_images(tree, path):
            return True
        waiting += [join(path, name) for name in reversed(tree.folders[path].folders)]
    return False


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


def unwrapped(tree: Tree, folder: str) -> str:
    """The folder in or below this one that holds more than one folder, as `images` in `amazon/images/mug`; a split is none."""
    while not has_images(tree, folder):
        inner = image_folders(tree, folder)
        if len(inner) != 1 or is_split_word(inner[0]):
            break
        folder = join(folder, inner[0])
    return folder


def listed(names: Collection[str], separator: str = ", ") -> str:
    """Some names in their natural order; empty for none."""
    return some_of(sorted(names, key=natural_key), _SHOWN, separator) if names else ""
