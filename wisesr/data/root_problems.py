"""What is to be said of a root that is no folder, or holds none. No torch."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from wisesr.data.folder_tree import Tree
from wisesr.data.image_formats import is_image
from wisesr.data.overrides import override, overrides
from wisesr.errors import UserError
from wisesr.wording import count_of, some_of

_ARCHIVE = re.compile(r"\.(zip|rar|7z|tar|tgz|tbz2?|txz|(tar\.)?(gz|bz2|xz|zst))$", re.IGNORECASE)
_LIST = re.compile(r"\.[ct]sv$", re.IGNORECASE)


def archives(names: Iterable[str]) -> list[str]:
    """Those of files' names that are archives'."""
    return [name for name in names if _ARCHIVE.search(name)]


def folder_of(root: str) -> Path:
    """The folder that `dataset.root` names; raises UserError for what is none, with what it is."""
    if not root.strip():
        raise UserError("dataset.root is empty: it must be the path of a folder, and . is the current one")
    base = Path(root)
    if base.is_dir():
        return base
    if base.is_symlink() and not base.exists():
        raise UserError(f"dataset.root: {base} is a link to {base.readlink()}, which is not there: mount or fetch that")
    if not base.is_file():
        raise UserError(f"dataset.root: there is no folder {base}")
    if _ARCHIVE.search(base.name):
        raise UserError(f"dataset.root: {base} is an archive: unpack it, and name the folder that comes of it")
    if _LIST.search(base.name):
        there = overrides({"dataset.root": str(base.parent), "dataset.csv": base.name})
        raise UserError(f"dataset.root: {base} is a file, and must be a folder: {there}")
    raise UserError(f"dataset.root: {base} is a file, and must be a folder")


def no_folders(tree: Tree) -> str:
    """What is to be said of a root without folders, in a sentence."""
    files = sorted(tree.folders[""].files)
    if tables := [name for name in files if _LIST.search(name)]:
        way = f", or a CSV file: {override('dataset.csv', tables[0])}"
    else:
        way = ", or a CSV file (dataset.csv)"
    there = ""
    if images := sum(map(is_image, files)):
        there = f", only {count_of(images, 'image')} side by side, and nothing says what they show"
    elif packed := archives(files):
        what = "an archive" if len(packed) == 1 else "archives"
        return f"{tree.base} holds no folders, only {what}, {some_of(packed, 3)}: unpack {'it' if len(packed) == 1 else 'them'}"
    return f"{tree.base} holds no folders{there}: there must be one for each class{way}"
