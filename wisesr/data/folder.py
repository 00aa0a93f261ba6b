"""A user's own images: a folder for each class, split folders, or a CSV file. No torch."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from wisesr.data.listing import Listing, Row, class_rows, csv_rows, look_up, to_manifest
from wisesr.data.manifest import TEST, TRAIN, VAL, Manifest
from wisesr.errors import UserError
from wisesr.wording import some_of


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
    listing = listed(root=root, csv=csv, train=train, val=val, test=test)
    if listing.missing:
        names = [str(listing.base / row.path) for row in listing.missing]
        raise UserError(f"listed, but there is no such file: {some_of(names, 1)}")
    return to_manifest(listing, on_bad_image)


def listed(*, root: str, csv: str | None = None, train: str = "train", val: str = "val", test: str = "test") -> Listing:
    """The files below `root`. Arguments and errors as of `folder`, but listed files may be missing, classes empty."""
    base = Path(root)
    if not base.is_dir():
        raise UserError(f"dataset.root: there is no folder {base}")
    rows, empty = (csv_rows(base, csv), []) if csv is not None else _from_folders(base, train, val, test)
    if TEST not in (splits := {row.split for row in rows}) and VAL in splits:
        rows = [row._replace(split=TEST) if row.split == VAL else row for row in rows]
    return look_up(base, rows, empty)


def _from_folders(base: Path, train: str, val: str, test: str) -> tuple[list[Row], list[Row]]:
    if not (base / train).is_dir():
        present = [name for name in (val, test) if (base / name).is_dir()]
        if present:
            raise UserError(f"{base} holds {', '.join(present)} but no {train}: name it with dataset.train=FOLDER")
        return class_rows(base, "", TRAIN)
    rows, empty = class_rows(base, train, TRAIN)
    for name in ("valid", "validation", "dev"):
        if (base / name).is_dir() and name not in (val, test):
            raise UserError(f"{base / name} would be left out: say what it is, with dataset.val={name} or dataset.test={name}")
    for name, split in ((val, VAL), (test, TEST)):
        if (base / name).is_dir():
            more, none = class_rows(base, name, split)
            rows, empty = rows + more, empty + none
    return rows, empty
