"""The classification datasets of torchvision, with its splits, its download and its places below a root.

torchvision, and torch with it, is imported where the images are listed: some 4 s, in a command that skips finished cells too
where the manifest is not kept. Which datasets there are is in `wisesr.data.torchvision_table`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import URLError

import numpy as np

from wisesr.data import torchvision_table as table
from wisesr.data.file_images import FileImages
from wisesr.data.listing import Listing, Row
from wisesr.data.manifest import Manifest
from wisesr.data.notes import Notes
from wisesr.data.parts import Part, PixelArray, join, with_images
from wisesr.data.tree import Folder, Tree, scan
from wisesr.errors import UserError, unknown
from wisesr.wording import natural_key, some_of

_ADVICE = (
    *("Dataset not found or corrupted", "Dataset not found"),
    *("You can use download=True to download it", "You can set download=True to download it"),
)
"""What torchvision says where files are missing, which is said here in other words."""


class _Part(NamedTuple):
    """A part of a dataset with the names of its classes."""

    split: str
    name: str
    images: Any
    """A list of paths, or pixels."""
    labels: Sequence[str]


def torchvision(*, source: str, root: str, variant: str | int | None = None, download: bool = False) -> Manifest:
    """A dataset of torchvision.

    Args:
        source: the name of its class in torchvision.datasets.
        root: the folder below which torchvision looks for it, in a place that each has of its own.
        variant: which of its label sets, partitions, sizes or versions, where it has several; None for torchvision's default.
        download: whether torchvision may download it where it is not there.

    Raises:
        UserError: no dataset, or none of classification, has this name; no such variant; its files are not there, or cannot be
            read or downloaded.
    """
    parts, known = _parts(source, Path(root), variant, download)
    if _in_files(parts):
        return _of_files(source, _listing(Path(root), parts), known)
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
    known = _source(source)
    parts = _variant(source, known, variant)
    found = [known.find(_open(source, known, part, root, download)) for part in parts]
    made = [
        _Part(part.split, part.name, own.images, [own.names[at] if own.names else str(int(at)) for at in own.labels])
        for part, own in zip(parts, found, strict=True)
    ]
    if not found[0].names:
        return made, sorted({label for part in made for label in part.labels}, key=natural_key)
    return made, list(dict.fromkeys(name for own in found for name in own.names or ()))


def _of_files(source: str, listing: Listing, known: Sequence[str]) -> Manifest:
    if listing.missing:
        lost = [str(listing.base / row.path) for row in listing.missing]
        raise UserError(f"dataset.source={source} lists what is not there: {some_of(lost, 1)}")
    names, words = with_images(source, known, (row.label for row in listing.rows))
    number = {name: label for label, name in enumerate(names)}
    ids = [row.path for row in listing.rows]
    sizes, changed = np.array([listing.tree.states[name] for name in ids], np.int64).reshape(-1, 2).T
    return Manifest(
        ids=ids,
        labels=[number[row.label] for row in listing.rows],
        class_names=names,
        splits=[row.split for row in listing.rows],
        load=FileImages(listing.base, ids, sizes=sizes, changed=changed),
        sizes=sizes,
        notes=Notes(hints=words),
    )


def _in_files(parts: Sequence[_Part]) -> bool:
    return isinstance(parts[0].images, list)


def _array_part(source: str, part: _Part) -> Part:
    count = len(part.labels)
    ids = [f"{source}/{part.name}/{index:06d}" for index in range(count)]
    return Part(PixelArray(part.images), ids, part.labels, [part.split] * count)


def _listing(root: Path, parts: Sequence[_Part]) -> Listing:
    base = root.expanduser()
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


def _source(name: str) -> table.Source:
    if name in table.SOURCES:
        return table.SOURCES[name]
    if name in table.REFUSED:
        raise UserError(f"dataset.source={name} cannot be taken: {table.REFUSED[name]}")
    alike = {known.lower(): known for known in (*table.REFUSED, *table.SOURCES)}.get(name.lower())
    if alike:
        raise UserError(f"dataset.source={name}: torchvision calls it {alike}: dataset.source={alike}")
    raise UserError(unknown("classification dataset of torchvision", name, table.SOURCES))


def _variant(name: str, source: table.Source, variant: str | int | None) -> tuple[table.Part, ...]:
    choices = list(source.variants)
    if variant is None and not source.must_choose:
        return source.variants[choices[0]]
    if choices == [""]:
        raise UserError(f"dataset.variant: {name} has no variants: leave it out, not {variant!r}")
    if str(variant) not in source.variants:
        given = "must be given" if variant is None else f"must be one of these, not {variant!r}"
        raise UserError(f"dataset.variant of {name} {given}: {', '.join(choices)}")
    return source.variants[str(variant)]


def _open(name: str, source: table.Source, part: table.Part, root: Path, download: bool) -> Any:
    """The part as torchvision has it; downloaded only where it is not there."""
    given = {"root": str(root), "download": False}
    arguments = {**{key: given[key] for key in source.takes}, **part.arguments}
    made = getattr(import_module("torchvision.datasets"), name, None)
    if made is None:
        raise UserError(
            f"dataset.source={name}: the torchvision that is installed has no such dataset: pip install -U torchvision"
        )
    try:
        return made(**arguments)
    except ImportError as error:
        raise _needs(name, error) from error
    except (RuntimeError, OSError) as error:
        if isinstance(error.__context__, ImportError):
            raise _needs(name, error.__context__) from error
        if not download or "download" not in source.takes:
            raise UserError(_absent(name, source, root, error)) from error
    except Exception as error:  # whatever a damaged file makes of it
        raise UserError(f"dataset.source={name}: its files below {root} cannot be read ({_told(error)})") from error
    try:
        root.mkdir(parents=True, exist_ok=True)
        return made(**{**arguments, "download": True})
    except Exception as error:  # of a network, an archive, a disk
        if isinstance(error.__context__, ImportError):
            raise _needs(name, error.__context__) from error
        raise UserError(
            f"dataset.source={name}: torchvision could not download it to {root} ({_told(error)}). Without a network, put its "
            "files there as torchvision lays them out on another machine"
        ) from error


def _needs(name: str, error: ImportError) -> UserError:
    return UserError(f"dataset.source={name} needs the package {error.name}: pip install {error.name}")


def _absent(name: str, source: table.Source, root: Path, error: Exception) -> str:
    reason = f" ({told})" if (told := _told(error)) else ""
    start = f"dataset.source={name}: its files are not, or not whole, below {root}{reason}"
    if "download" not in source.takes:
        return f"{start}. torchvision cannot download it: {source.by_hand}"
    return f"{start}: add dataset.download=true, or dataset.root=FOLDER if they lie elsewhere"


def _told(error: Exception) -> str:
    """What torchvision says, without what is said otherwise here."""
    if isinstance(error, URLError):
        return f"no connection: {getattr(error.reason, 'strerror', None) or error.reason}"
    text = str(error)
    for advice in _ADVICE:
        text = text.replace(advice, "")
    return " ".join(text.split()).strip(" .") or ("" if isinstance(error, RuntimeError) else type(error).__name__)
