"""Files below a dataset's root that are not taken, counted by kind, so that nothing is left out in silence. No torch."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from wisesr.data.images import ending_hint, endings
from wisesr.data.tree import Tree, is_below

BESIDE = "images beside the class folders"
_NO_ENDING = "without an ending"


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
) -> Ignored:
    """Every file of a tree that is not taken.

    Args:
        tree: of the root.
        taken: paths of images below the root.
        parents: folders that hold the folders of classes.
        lists: the files that name the images, where any do: they are used, and are not counted.
        dangling: links to nothing that are told otherwise.
    """
    kinds: Counter[str] = Counter()
    used = {*taken, *lists}
    readable, lost = endings(), 0
    for path in tree.files():
        if path not in used:
            kinds[_kind(path, readable, parents, lists)] += 1
    for folder in tree.folders.values():
        kinds["neither files nor folders"] += len(folder.special)
    lost = len(set(tree.dangling()) - set(dangling))
    kinds["dangling links"] += lost
    found = {kind: count for kind, count in kinds.items() if count}
    return Ignored(found, tuple(_hints(found)))


def _kind(path: str, readable: Collection[str], parents: Collection[str], lists: Collection[str]) -> str:
    ending = posixpath.splitext(path)[1].lower()
    if ending not in readable:
        return ending or _NO_ENDING
    folder = posixpath.dirname(path)
    if lists:
        return "images that no list names" if len(lists) > 1 else f"images that {next(iter(lists))} does not name"
    if folder in parents:
        return BESIDE
    inside = max((parent for parent in parents if is_below(folder, parent)), key=len, default="")
    below = folder[len(inside) :].lstrip("/") if inside else folder
    top = below.partition("/")[0]
    return f"images in {inside}/{top}" if inside else f"images in {top}"


def _hints(kinds: Iterable[str]) -> Iterable[str]:
    """Of endings, what to do to have them read; one that holds for several endings is said once."""
    by_hint: dict[str, list[str]] = {}
    for kind in sorted(kinds):
        if kind.startswith(".") and (hint := ending_hint(kind)):
            by_hint.setdefault(hint, []).append(kind)
    return (f"to read {' and '.join(of)}: {hint}" for hint, of in by_hint.items())
