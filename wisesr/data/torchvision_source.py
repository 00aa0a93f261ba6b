"""The classification datasets of torchvision, with its splits, its download and its places below a root.

torchvision, and torch with it, is imported where the images are listed: some 4 s, in a command that skips finished cells too
where the manifest is not kept. Which datasets there are is in `wisesr.data.torchvision_table`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from wisesr.data.folder_tree import Folder, Tree
from wisesr.data.listing import Listing, Row, to_manifest
from wisesr.data.manifest import Manifest
from wisesr.data.parts import Part, PixelArray, join, with_images
from wisesr.data.torchvision_opening import known_source, open_part, parts_of
from wisesr.data.tree import scan
from wisesr.errors import UserError
from wisesr.wording import natural_key, some_of


class _Part(NamedTuple):
    """A part of a dataset with the names of its classes."""

    split: str
    name: str
    images: Any
    """A list of paths, or pixels."""
    labels: Sequence[str]


def torchvision(
    *,
    source: str,
    root: str,
    variant: str | int | None = None,
    download: bool = False,
    on_bad_image: Literal["error", "skip"] = "error",
) -> Manifest:
    """A dataset of torchvision.

    Args:
        source: the name of its class in torchvision.datasets.
        root: the folder below which torchvision looks for it, in a place that each has of its own.
        variant: which of its label sets, partitions, sizes or versions, where it has several; None for torchvision's default.
        download: whether torchvision may download it where it is not there.
        on_bad_image: as of `wisesr.data.folder.folder`, where the images are files.

    Raises:
        UserError: no dataset, or none of classification, has this name; no such variant; its files are not there, or cannot be
            read or downloaded.
    """
    parts, known = _parts(source, Path(root), variant, download)
    if _in_files(parts):
        return _of_files(source, _listing(Path(root), parts), known, on_bad_image)
    return join(source, [_array_part(source, part) for part in parts], known)


def listed(*, source: str, root: str, variant: str | int | None = None, download: bool = False) -> Listing:
    """The files of a dataset. Arguments and errors as of `torchvision`, but files that its lists name may be missing.

    Raises:
        UserError: its images lie in arrays.
    """
    parts, _ = _parts(source, Path(root), variant, download)
    if not _in_files(parts):
        raise UserError(f"the images of {source} are no files: there is nothing to check")
    return _listing(Path(root), parts)


def _parts(source: str, root: Path, variant: str | int | None, download: bool) -> tuple[list[_Part], list[str]]:
    """The parts of a dataset, and its classes in the order of the first one."""
    known = known_source(source)
    parts = parts_of(source, known, variant)
    found = [known.find(open_part(source, known, part, root, download=download)) for part in parts]
    made = [
        _Part(part.split, part.name, own.images, [own.names[at] if own.names else str(int(at)) for at in own.labels])
        for part, own in zip(parts, found, strict=True)
    ]
    if not found[0].names:
        return made, sorted({label for part in made for label in part.labels}, key=natural_key)
    return made, list(dict.fromkeys(name for own in found for name in own.names or ()))


def _of_files(source: str, listing: Listing, known: Sequence[str], on_bad_image: Literal["error", "skip"]) -> Manifest:
    """The manifest of files, its classes in the order of `known`, which is that of torchvision's labels."""
    if listing.missing:
        lost = [str(listing.base / row.path) for row in listing.missing]
        raise UserError(f"dataset.source={source} lists what is not there: {some_of(lost, 1)}")
    manifest = to_manifest(listing, on_bad_image)
    names, words = with_images(source, known, manifest.class_names)
    number = np.array([names.index(name) for name in manifest.class_names], np.int32)
    notes = replace(manifest.notes, hints=[*manifest.notes.hints, *words])
    return replace(manifest, labels=number[np.asarray(manifest.labels)], class_names=names, notes=notes)


def _in_files(parts: Sequence[_Part]) -> bool:
    return isinstance(parts[0].images, list)


def _array_part(source: str, part: _Part) -> Part:
    count = len(part.labels)
    ids = [f"{source}/{part.name}/{index:06d}" for index in range(count)]
    return Part(PixelArray(part.images), ids, part.labels, [part.split] * count)


def _listing(root: Path, parts: Sequence[_Part]) -> Listing:
    base = root
    rows = [
        Row(_below(base, str(path)), label, part.split)
        for part in parts
        for path, label in zip(part.images, part.labels, strict=True)
    ]
    tops = sorted({row.path.partition("/")[0] for row in rows})
    folders = {"": Folder(folders=tops)}
    for top in tops:
        folders |= {f"{top}/{path}" if path else top: folder for path, folder in scan(base / top).folders.items()}
    tree = Tree(base, folders)
    there = tree.states
    return Listing(tree, [row for row in rows if row.path in there], [row for row in rows if row.path not in there])


def _below(base: Path, path: str) -> str:
    start = f"{base}{os.sep}"
    return (path[len(start) :] if path.startswith(start) else os.path.relpath(path, base)).replace(os.sep, "/")
