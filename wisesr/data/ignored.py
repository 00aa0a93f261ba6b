"""Files below a dataset's root that are not taken, counted by kind, so that nothing is left out in silence. No torch."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from wisesr.data.folder_tree import Tree, is_below
from wisesr.data.image_formats import ending_hint, ending_of, endings
from wisesr.data.overrides import leave_out

BESIDE = "images beside the class folders"
_BESIDE_SPLITS = "images beside the split folders"
_NO_ENDING = "without an ending"
_SHOWN = 5
"""Files that an override names."""
_SINGULAR = {
    "images": "image",
    "pipes, sockets or devices": "pipe, socket or device",
    "links": "link",
    "dangling links": "dangling link",
    "folders or links": "folder or link",
}
"""How a kind begins where there is one of it."""


class Ignored(NamedTuple):
    """What is not taken."""

    kinds: Mapping[str, int]
    """`.txt`, `images in extra` or `dangling links` -> files."""
    hints: tuple[str, ...]
    """What would make some of them be read, a sentence each."""


def find_ignored(
    tree: Tree,
    taken: Collection[str],
    *,
    parents: Collection[str] = (),
    lists: Collection[str] = (),
    dangling: Collection[str] = (),
    left_out: Collection[str] = (),
) -> Ignored:
    """Every file of a tree that is not taken.

    Args:
        tree: of the root.
        taken: paths of images below the root.
        parents: folders that hold the folders of classes.
        lists: the files that name the images, where any do: they are used, and are not counted.
        dangling: links to nothing that are told otherwise.
        left_out: files and folders that the user leaves out, below the root.
    """
    kinds: Counter[str] = Counter()
    used = {*taken, *lists}
    readable = endings()
    stray = []
    for path in tree.files():
        if path not in used:
            kind = _kind(path, readable, parents, lists, left_out)
            kinds[kind] += 1
            if kind in (BESIDE, _BESIDE_SPLITS):
                stray.append(path)
    for folder in tree.folders.values():
        kinds["pipes, sockets or devices"] += len(folder.special)
        kinds["links to a folder above"] += len(folder.loops)
        kinds["links not followed again, as links lead round in circles"] += len(folder.too_often)
        kinds["folders or links that cannot be read"] += len(folder.unreadable)
    kinds["dangling links"] = len(set(tree.dangling()) - set(dangling))
    found = {_named(kind, count): count for kind, count in kinds.items() if count}
    return Ignored(found, (*_hints(found), *_of_stray(stray, left_out)))


def _named(kind: str, count: int) -> str:
    """`images in extra`, and of one, `image in extra`."""
    several = next((start for start in _SINGULAR if kind == start or kind.startswith(f"{start} ")), None)
    if count > 1 or several is None:
        return kind
    return _SINGULAR[several] + kind[len(several) :]


def _kind(
    path: str, readable: Collection[str], parents: Collection[str], lists: Collection[str], left_out: Collection[str]
) -> str:
    ending = ending_of(path)
    if ending not in readable:
        return ending or _NO_ENDING
    folder = posixpath.dirname(path)
    if lists:
        return "images that no list names" if len(lists) > 1 else f"images that {next(iter(lists))} does not name"
    if path in left_out:
        return "images left out by name"
    if gone := next((gone for gone in left_out if is_below(folder, gone)), ""):
        return f"images in {gone}"
    if folder in parents:
        return BESIDE
    if not folder:
        return _BESIDE_SPLITS
    inside = max((parent for parent in parents if is_below(folder, parent)), key=len, default="")
    below = folder[len(inside) :].lstrip("/") if inside else folder
    top = below.partition("/")[0]
    return f"images in {inside}/{top}" if inside else f"images in {top}"


def _of_stray(paths: Sequence[str], left_out: Collection[str]) -> Iterable[str]:
    """Of images that lie beside folders, the ways out: the override where it is short enough to be read."""
    if paths:
        named = f", or say that they are left out: {leave_out(list(left_out), paths)}" if len(paths) <= _SHOWN else ""
        yield f"what lies beside the folders belongs to no class: move it into one{named}"


def _hints(kinds: Iterable[str]) -> Iterable[str]:
    """Of endings, what to do to have them read; one that holds for several endings is said once."""
    by_hint: dict[str, list[str]] = {}
    for kind in sorted(kinds):
        if kind.startswith(".") and (hint := ending_hint(kind)):
            by_hint.setdefault(hint, []).append(kind)
    return (f"to read {' and '.join(of)}: {hint}" for hint, of in by_hint.items())
