"""A user's own images: a folder for each class, split folders, or a CSV file. No torch."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from typing import Literal

from wisesr.data.image_list import read_list
from wisesr.data.images import PixelRules
from wisesr.data.listing import Listing, Row, listing_of_folders, listing_of_lists, to_manifest
from wisesr.data.manifest import SPLITS, TEST, VAL, Manifest
from wisesr.data.missing_files import missing_hint
from wisesr.data.overrides import override
from wisesr.data.root_problems import folder_of
from wisesr.data.split_folders import SplitNames, find_splits, left_out
from wisesr.data.split_lists import refuse_no_lists, refuse_other_lists
from wisesr.data.tree import scan
from wisesr.errors import UserError
from wisesr.wording import some_of


def folder(
    *,
    root: str,
    csv: str | None = None,
    columns: dict[str, str | None] | None = None,
    train: str | None = "train",
    val: str | None = "val",
    test: str | None = "test",
    leave_out: list[str] | None = None,
    range: Literal["auto", 8, 12, 16, "float"] = "auto",
    on_bad_image: Literal["error", "skip"] = "error",
) -> Manifest:
    """Images below `root`.

    Args:
        root: the folder.
        csv: a file below it with columns filename, class and optionally split (train, val, test) and group; None to
            read folders: `<class>/*`, or the split folders.
        columns: what its columns are called where not so: {filename: image, class: label}.
        train: name of the folder of the training split; nested ones too, `seg_train/seg_train`. The default is found by any
            usual name, `Training` for instance; "." is the root but for the folders of the other splits; None where there are
            no splits, and all folders are classes. Written with `./` before it, it is taken without a question about what
            lies in it.
        val: of the validation split; without a test folder it is the test split. None does without.
        test: of the test split. None does without: it is drawn from the training images.
        leave_out: folders, links or files below the root that are not read, `extra` or `train/cow`; None for none. With
            `csv`, lists beside that, `test.csv`, which would be asked about.
        range: which grey value of images deeper than 8 bits is white: of 8, 12 or 16 bits, "float" 1.0, "auto" by the
            file's type. Never by what lies in an image.
        on_bad_image: "error" to stop at files that cannot be read; "skip" to decode all beforehand and leave those out.

    Raises:
        UserError: nothing there, a class without images, a split or column missing, a listed file missing, a folder that
            looks like a split and is none of these.
    """
    listing = listed(root=root, csv=csv, columns=columns, train=train, val=val, test=test, leave_out=leave_out, range=range)
    if listing.missing:
        names = [str(listing.base / row.path) for row in listing.missing]
        hint = missing_hint(listing.base, listing.missing, list(listing.tree.files()), csv, columns)
        raise UserError(f"listed, but there is no such file: {some_of(names, 1)}{'; ' + hint if hint else ''}")
    return to_manifest(listing, on_bad_image)


def listed(
    *,
    root: str,
    csv: str | None = None,
    columns: dict[str, str | None] | None = None,
    train: str | None = "train",
    val: str | None = "val",
    test: str | None = "test",
    leave_out: list[str] | None = None,
    range: Literal["auto", 8, 12, 16, "float"] = "auto",
) -> Listing:
    """The files below `root`. Arguments and errors as of `folder`, but listed files may be missing, classes empty."""
    base = folder_of(root)
    tree, rules = scan(base), PixelRules(range=range)
    names = SplitNames(train, val, test)
    if csv is not None:
        _refuse_folders(names)
        refuse_no_lists(base, csv, leave_out or ())
        own = posixpath.relpath(base / csv, base)
        table = read_list(base, csv, columns=columns)
        refuse_other_lists(base, csv, table, columns=columns, without=leave_out or ())
        listing = listing_of_lists(tree, table.rows, [own], rules)._replace(unread=table.unread)
    else:
        if columns is not None:
            raise UserError("dataset.columns names the columns of a list: give dataset.csv, too")
        rest = tree.leaving_out(left_out(tree, leave_out or ()))
        folders = find_splits(rest, names)
        listing = listing_of_folders(rest, folders, rules, whole=tree)._replace(folders=folders)
    splits = {row.split for row in (*listing.rows, *listing.missing)}
    return _val_as_test(listing) if TEST not in splits and VAL in splits else listing


def _refuse_folders(names: SplitNames) -> None:
    """Raise UserError for settings that are about folders, where a list names the images."""
    for split, name, default in zip(SPLITS, names, SplitNames(), strict=True):
        if name != default:
            raise UserError(
                f"dataset.{split} is about folders, and dataset.csv lists the images: its column split says which are which. "
                f"To leave that unread: {override('dataset.columns', {'split': None})}"
            )


def _val_as_test(listing: Listing) -> Listing:
    def turned(rows: Sequence[Row]) -> list[Row]:
        return [row._replace(split=TEST) if row.split == VAL else row for row in rows]

    return listing._replace(
        rows=turned(listing.rows),
        missing=turned(listing.missing),
        empty=turned(listing.empty),
        folders={folder: TEST if split == VAL else split for folder, split in listing.folders.items()},
    )
