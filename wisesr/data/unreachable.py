"""Folders that would be splits or classes and cannot be reached: links to a disk that is not mounted, closed folders. No torch.

Taken for absent, such a test folder would be drawn from the training images instead, and such a class would be missing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from wisesr.data.folder_tree import Tree, join
from wisesr.data.image_formats import is_image
from wisesr.data.overrides import leave_out
from wisesr.data.split_words import meant
from wisesr.errors import UserError
from wisesr.wording import count_of

_SHOWN = 20
"""Names that an override lists."""
_FILE = re.compile(
    r"\.(txt|md|rst|csv|tsv|jsonl?|xml|ya?ml|toml|pdf|html?|docx?|xlsx?|zip|tar|t?gz|bz2|xz|7z|rar|py|ipynb|sh|m|mat|log|np[yz]"
    r"|h5|hdf5|pkl|pt|parquet|db|mp4|avi|mov)$",
    re.IGNORECASE,
)
"""Endings of what is no folder, beside images'."""


def refuse_unreachable_splits(tree: Tree, declined: Collection[str]) -> None:
    """Raise UserError for entries of the root that are called like splits; `declined` are splits that the user does without."""
    _refuse(tree, {name: why for name, why in _entries(tree, "").items() if meant(name) not in (None, *declined)})


def refuse_unreachable_classes(tree: Tree, used: Mapping[str, str]) -> None:
    """Raise UserError for what would be classes in the splits' folders, and for what cannot be read anywhere below them."""
    _refuse(tree, {join(folder, name): why for folder in used for name, why in _entries(tree, folder).items()})
    _refuse(tree, {path: _closed(why) for folder in used for path, why in tree.unreadable(folder).items()})


def refuse_unreachable(tree: Tree, path: str) -> None:
    """Raise UserError where a path below the root, or a folder that it leads through, cannot be reached."""
    parts = path.split("/")
    for count, name in enumerate(parts):
        parent = "/".join(parts[:count])
        if parent in tree.folders and (why := _entries(tree, parent, of_any_ending=True).get(name)):
            _refuse(tree, {join(parent, name): why})


def _entries(tree: Tree, folder: str, of_any_ending: bool = False) -> dict[str, str]:
    """Name -> why it cannot be reached."""
    own = tree.folders[folder]
    found = {name: f"a link to {target}, which is not there: mount or fetch that" for name, target in own.dangling.items()}
    found |= {name: _closed(why) for name, why in own.unreadable.items()}
    return {name: why for name, why in sorted(found.items()) if of_any_ending or not _is_file(name)}


def _is_file(name: str) -> bool:
    return _FILE.search(name) is not None or is_image(name)


def _closed(why: str) -> str:
    return f"not readable ({why}): see to permissions"


def _refuse(tree: Tree, found: Mapping[str, str]) -> None:
    """Raise UserError for entries, by their path below the root, that cannot be reached, if there are any."""
    if not found:
        return
    path, why = next(iter(found.items()))
    more = f" ({count_of(len(found) - 1, 'other')} likewise)" if len(found) > 1 else ""
    without = leave_out(tree.left_out, list(found)) if len(found) <= _SHOWN else "dataset.leave_out"
    raise UserError(f"{tree.base / path} is {why}{more}; {without} does without {'it' if len(found) == 1 else 'them'}")
