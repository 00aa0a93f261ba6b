"""A user's own images: a folder for each class, split folders, or a CSV file. No torch."""

from __future__ import annotations

import csv as csv_module
import os
import posixpath
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

from PIL import Image

from wisesr.data.images import EXTENSIONS, open_rgb
from wisesr.data.manifest import SPLITS, TEST, TRAIN, VAL, Manifest
from wisesr.errors import UserError, unknown


class Row(NamedTuple):
    """One image of a listing."""

    path: str
    """Below the root, with forward slashes."""
    label: str
    split: str = TRAIN
    group: str = ""


def folder(
    *,
    root: str,
    csv: str | None = None,
    train: str = "train",
    val: str = "val",
    test: str = "test",
    on_bad_image: Literal["error", "skip"] = "error",
) -> Manifest:
    """Images below `root`.

    Args:
        root: the folder.
        csv: a file below it with columns filename, class and optionally split (train, val, test) and group; None to
            read folders: `<class>/*`, or the split folders.
        train: name of the folder of the training split; nested ones too, `seg_train/seg_train`.
        val: of the validation split; without a test folder it is the test split.
        test: of the test split.
        on_bad_image: "error" to stop at the first unreadable image; "skip" to decode all beforehand and leave those out.

    Raises:
        UserError: nothing there, a class without images, a split or column missing, a listed file missing.
    """
    base = Path(root)
    if not base.is_dir():
        raise UserError(f"dataset.root: there is no folder {base}")
    rows = _from_csv(base, csv) if csv is not None else _from_folders(base, train, val, test)
    if TEST not in (splits := {row.split for row in rows}) and VAL in splits:
        rows = [row._replace(split=TEST) if row.split == VAL else row for row in rows]
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


def _load(base: Path, paths: Sequence[str], index: int) -> Image.Image:
    return open_rgb(base / paths[index])


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{path} is listed, but there is no such file") from None


def _from_folders(base: Path, train: str, val: str, test: str) -> list[Row]:
    if not (base / train).is_dir():
        present = [name for name in (val, test) if (base / name).is_dir()]
        if present:
            raise UserError(f"{base} holds {', '.join(present)} but no {train}: name it with dataset.train=FOLDER")
        return _classes(base, "", TRAIN)
    rows = _classes(base, train, TRAIN)
    for name in ("valid", "validation", "dev"):
        if (base / name).is_dir() and name not in (val, test):
            raise UserError(f"{base / name} would be left out: say what it is, with dataset.val={name} or dataset.test={name}")
    for name, split in ((val, VAL), (test, TEST)):
        if (base / name).is_dir():
            rows += _classes(base, name, split)
    return rows


def _classes(base: Path, below: str, split: str) -> list[Row]:
    parent = base / below
    folders = sorted(entry.name for entry in os.scandir(parent) if entry.is_dir() and not entry.name.startswith("."))
    if not folders:
        raise UserError(f"{parent} holds no folders: there must be one for each class, or a CSV file (dataset.csv)")
    rows: list[Row] = []
    for name in folders:
        files = sorted(_files(parent / name))
        if not files:
            hint = ""
            if any((parent / name).iterdir()):
                hint = f"; image files end in {' '.join(EXTENSIONS)}"
            raise UserError(f"class {name!r} has no images: {parent / name}{hint}")
        rows += [Row(path.relative_to(base).as_posix(), name, split) for path in files]
    return rows


def _files(folder: Path) -> Iterator[Path]:
    """Images at any depth; what begins with a dot (.ipynb_checkpoints, macOS' ._1.jpg) is not the user's."""

    def refuse(error: OSError) -> None:
        raise error

    for place, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith(".") and name.lower().endswith(EXTENSIONS):
                yield Path(place, name)


def _from_csv(base: Path, name: str) -> list[Row]:
    path = base / name
    if not path.is_file():
        raise UserError(f"dataset.csv: there is no file {path}")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv_module.DictReader(file)
            columns = reader.fieldnames or []
            for column in ("filename", "class"):
                if column not in columns:
                    raise UserError(f"{path}: " + unknown("column", column, columns))
            rows = [_csv_row(path, number, row) for number, row in enumerate(reader, start=2)]
    except (csv_module.Error, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read as a CSV file in UTF-8: {error}") from error
    if not rows:
        raise UserError(f"{path} lists no images")
    return rows


def _csv_row(path: Path, number: int, row: dict[str, str | None]) -> Row:
    filename, label = (row["filename"] or "").strip(), (row["class"] or "").strip()
    split = (row.get("split") or TRAIN).strip()
    if not filename or not label:
        raise UserError(f"{path}, line {number}: filename and class must both be given")
    if split not in SPLITS:
        raise UserError(f"{path}, line {number}: " + unknown("split", split, SPLITS))
    return Row(posixpath.normpath(filename.replace("\\", "/")), label, split, (row.get("group") or "").strip())


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
