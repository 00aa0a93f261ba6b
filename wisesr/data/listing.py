"""Listed image files to a manifest: what the datasets that live in files have in common. No torch."""

from __future__ import annotations

import csv
import os
import posixpath
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

from PIL import Image

from wisesr.data.images import EXTENSIONS, open_rgb
from wisesr.data.manifest import SPLITS, TRAIN, Manifest
from wisesr.errors import UserError, unknown


class Row(NamedTuple):
    """One image of a listing."""

    path: str
    """Below the root, with forward slashes."""
    label: str
    split: str = TRAIN
    group: str = ""
    place: str = ""
    """File and line of the list that names it; empty where no list does."""


class Listing(NamedTuple):
    """The files of a dataset's copy, as its module's `listed` finds them."""

    base: Path
    """The folder that all paths are below."""
    rows: Sequence[Row]
    """Images that are there."""
    missing: Sequence[Row] = ()
    """Images that a list names and that are not there."""
    empty: Sequence[Row] = ()
    """Folders of classes that hold no images."""
    refused: str = ""
    """Why no training takes these images, where the manifest or its splits object to them."""


def look_up(base: Path, listed: Iterable[Row], empty: Sequence[Row] = ()) -> Listing:
    """Which of the images that a list names are there."""
    rows: list[Row] = []
    missing: list[Row] = []
    for row in listed:
        (rows if (base / row.path).is_file() else missing).append(row)
    return Listing(base, rows, missing, empty)


def to_manifest(listing: Listing, on_bad_image: Literal["error", "skip"]) -> Manifest:
    """The manifest of the files that are there, classes in alphabetical order.

    `on_bad_image`: "error" to stop at the first unreadable image; "skip" to decode all beforehand and leave those out.

    Raises:
        UserError: a class has no images, or no readable ones; a file has vanished.
    """
    for row in listing.empty:
        hint = f"; image files end in {' '.join(EXTENSIONS)}" if any((listing.base / row.path).iterdir()) else ""
        raise UserError(f"class {row.label!r} has no images: {listing.base / row.path}{hint}")
    base, rows = listing.base, listing.rows
    sizes = {row.path: _size(base / row.path) for row in rows}  # a listed file that is missing is an error, not a bad image
    bad: list[str] = []
    if on_bad_image == "skip":
        bad = _unreadable(base, rows)
        readable = [row for row in rows if row.path not in set(bad)]
        if lost := sorted({row.label for row in rows} - {row.label for row in readable}):
            raise UserError(f"class {lost[0]!r} has no readable images below {base}")
        rows = readable
    names = sorted({row.label for row in rows})
    number = {name: index for index, name in enumerate(names)}
    return Manifest(
        ids=[row.path for row in rows],
        labels=[number[row.label] for row in rows],
        class_names=names,
        splits=[row.split for row in rows],
        load=partial(_load, base, [row.path for row in rows]),
        sizes=[sizes[row.path] for row in rows],
        groups=[row.group for row in rows] if any(row.group for row in rows) else (),
        left_out=bad,
    )


def class_rows(base: Path, below: str, split: str) -> tuple[list[Row], list[Row]]:
    """The images of a folder that holds a folder for each class; and those of these folders that hold none.

    `below` is the folder's path below the root, `base`; empty for the root itself.

    Raises:
        UserError: there are no classes.
    """
    parent = base / below
    folders = sorted(entry.name for entry in os.scandir(parent) if entry.is_dir() and not entry.name.startswith("."))
    if not folders:
        raise UserError(f"{parent} holds no folders: there must be one for each class, or a CSV file (dataset.csv)")
    rows: list[Row] = []
    empty: list[Row] = []
    for name in folders:
        files = sorted(_files(parent / name))
        in_class = [Row(path.relative_to(base).as_posix(), name, split) for path in files or [parent / name]]
        (rows if files else empty).extend(in_class)
    return rows, empty


def _files(folder: Path) -> Iterator[Path]:
    """Images at any depth; what begins with a dot (.ipynb_checkpoints, macOS' ._1.jpg) is not the user's."""

    def refuse(error: OSError) -> None:
        raise error

    for place, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith(".") and name.lower().endswith(EXTENSIONS):
                yield Path(place, name)


def csv_rows(base: Path, name: str, split: str = TRAIN) -> list[Row]:
    """The images of a CSV file with columns filename,class[,split][,group]; folders are separated by / or \\.

    `base` is the root, which the file's path and its filenames are below; `split` is of images that the file gives none.

    Raises:
        UserError: no such file, no such columns, a line that lacks something, no images.
    """
    path = base / name
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    with path.open(newline="", encoding="utf-8-sig") as file:
        return read_rows(file, path, split)


def read_rows(lines: Iterable[str], path: Path | str, split: str = TRAIN) -> list[Row]:
    """The images that the lines of a CSV file list, as by `csv_rows`; `path`: what errors call it."""
    try:
        reader = csv.DictReader(lines)
        columns = reader.fieldnames or []
        for column in ("filename", "class"):
            if column not in columns:
                raise UserError(f"{path}: " + unknown("column", column, columns))
        rows = [_csv_row(path, number, row, split) for number, row in enumerate(reader, start=2)]
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read as a CSV file in UTF-8: {error}") from error
    if not rows:
        raise UserError(f"{path} lists no images")
    return rows


def _csv_row(path: Path | str, number: int, row: dict[str, str | None], default: str) -> Row:
    filename, label = (row["filename"] or "").strip(), (row["class"] or "").strip()
    split = (row.get("split") or default).strip()
    if not filename or not label:
        raise UserError(f"{path}, line {number}: filename and class must both be given")
    if split not in SPLITS:
        raise UserError(f"{path}, line {number}: " + unknown("split", split, SPLITS))
    below = posixpath.normpath(filename.replace("\\", "/"))
    if below.startswith("/") or below in (".", "..") or below.startswith("../") or "\0" in below:
        raise UserError(f"{path}, line {number}: filename {filename!a} must be a relative path that stays below the root")
    return Row(below, label, split, (row.get("group") or "").strip(), f"{Path(path).name}, line {number}")


def _load(base: Path, paths: Sequence[str], index: int) -> Image.Image:
    return open_rgb(base / paths[index])


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{path} is listed, but there is no such file") from None


def _unreadable(base: Path, rows: Sequence[Row]) -> list[str]:
    """Paths of the images that do not decode."""

    def bad(row: Row) -> bool:
        try:
            open_rgb(base / row.path)
        except UserError:
            return True
        return False

    with ThreadPoolExecutor() as pool:
        return [row.path for row, is_bad in zip(rows, pool.map(bad, rows), strict=True) if is_bad]
