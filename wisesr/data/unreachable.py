"""Folders that would be splits or classes and cannot be reached: links to a disk that is not mounted, closed folders. No torch.

Taken for absent, such a test folder would be drawn from the training images instead, and such a class would be missing.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Mapping

from wisesr.data.folder_tree import Tree, join
from wisesr.data.images import endings
from wisesr.data.overrides import override
from wisesr.data.split_words import meant
from wisesr.errors import UserError

_FILE = re.compile(
    r"\.(txt|md|rst|csv|tsv|jsonl?|xml|ya?ml|toml|pdf|html?|docx?|xlsx?|zip|tar|t?gz|bz2|xz|7z|rar|py|ipynb|sh|m|mat|log|np[yz]"
    r"|h5|hdf5|pkl|pt|parquet|db|mp4|avi|mov)$",
    re.IGNORECASE,
)
"""Endings of what is no folder, beside images'."""


def refuse_unreachable_splits(tree: Tree, declined: Collection[str]) -> None:
    """Raise UserError for an entry of the root that is called like a split; `declined` are splits that the user does without."""
    for name, why in _entries(tree, "").items():
        split = meant(name)
        if split is not None and split not in declined:
            raise UserError(_sentence(tree, name, why))


def refuse_unreachable_classes(tree: Tree, used: Mapping[str, str]) -> None:
    """Raise UserError for what would be a class in a split's folder, and for what cannot be read anywhere below it."""
    for folder in used:
        for name, why in _entries(tree, folder).items():
            raise UserError(_sentence(tree, join(folder, name), why))
        for path, why in tree.unreadable(folder).items():
            raise UserError(_sentence(tree, path, why))


def refuse_unreachable(tree: Tree, path: str) -> None:
    """Raise UserError where a path below the root, or a folder that it leads through, cannot be reached."""
    parts = path.split("/")
    for count in range(1, len(parts) + 1):
        parent, name = "/".join(parts[: count - 1]), parts[count - 1]
        if parent in tree.folders and (why := _entries(tree, parent, of_any_ending=True).get(name)):
            raise UserError(_sentence(tree, join(parent, name), why))


def _entries(tree: Tree, folder: str, of_any_ending: bool = False) -> dict[str, str]:
    """Name -> why it cannot be reached."""
    own = tree.folders[folder]
    found = {name: f"a link to {target}, which is not there: mount or fetch that" for name, target in own.dangling.items()}
    found |= {name: f"not readable ({why}): see to permissions" for name, why in own.unreadable.items()}
    return {name: why for name, why in sorted(found.items()) if of_any_ending or not _is_file(name)}


def _is_file(name: str) -> bool:
    return _FILE.search(name) is not None or posixpath.splitext(name)[1].lower() in endings()


def _sentence(tree: Tree, path: str, why: str) -> str:
    return f"{tree.base / path} is {why}, or do without it: {override('dataset.leave_out', [path])}"
