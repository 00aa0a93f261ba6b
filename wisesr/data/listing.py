"""Listed image files to a manifest: what the datasets that live in files have in common. No torch."""

from __future__ import annotations

import posixpath
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from wisesr.data.file_images import FileImages
from wisesr.data.ignored import Ignored, find_ignored
from wisesr.data.images import AS_A_VIEWER, PixelRules, ending_hint, endings, open_rgb
from wisesr.data.manifest import TRAIN, Manifest
from wisesr.data.notes import Notes
from wisesr.data.packed import Names
from wisesr.data.progress import show
from wisesr.data.tree import State, Tree
from wisesr.errors import UserError
from wisesr.wording import count_of, natural_key

AS_STORED = PixelRules(upright=False)
"""How the paper's datasets are read: Keras' `load_img` leaves EXIF's orientation alone (docs/paper.md)."""


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

    tree: Tree
    """Of the folder that all paths are below."""
    rows: Sequence[Row]
    """Images that are there."""
    missing: Sequence[Row] = ()
    """Images that a list names and that are not there."""
    empty: Sequence[Row] = ()
    """Folders of classes that hold no images."""
    dangling: Mapping[str, str] = {}
    """Links that stand where images would, to nothing: path -> where they point to."""
    ignored: Ignored = Ignored({}, ())
    unread: Sequence[str] = ()
    """Columns of the list that are not used."""
    merged: Sequence[str] = ()
    """Classes whose folders' names are written in several ways that Unicode calls equal."""
    refused: str = ""
    """Why no training takes these images, where the manifest or its splits object to them."""
    rules: PixelRules = AS_A_VIEWER

    @property
    def base(self) -> Path:
        """The folder that all paths are below."""
        return self.tree.base


class ClassFolders(NamedTuple):
    """What lies below a folder that holds a folder for each class."""

    rows: list[Row]
    empty: list[Row]
    """The folders themselves of classes that hold no images."""


def listing_of_lists(tree: Tree, listed: Iterable[Row], lists: Collection[str], rules: PixelRules = AS_A_VIEWER) -> Listing:
    """Which of the images that lists name are there; `lists` are the lists' own paths below the root."""
    rows: list[Row] = []
    missing: list[Row] = []
    known = tree.states
    for row in listed:
        (rows if row.path in known or _is_file(tree.base / row.path) else missing).append(row)
    links = tree.dangling()
    dangling = {row.path: links[row.path] for row in missing if row.path in links}
    missing = [row for row in missing if row.path not in dangling]
    ignored = find_ignored(tree, {row.path for row in rows}, lists=lists, dangling=dangling)
    return Listing(tree, rows, missing, dangling=dangling, ignored=ignored, rules=rules)


def _is_file(path: Path) -> bool:
    """Whether a file is there that the walk did not see, as in a hidden folder."""
    try:
        return path.is_file()
    except OSError:  # its name is longer than a name can be
        return False


def listing_of_folders(
    tree: Tree, splits: Mapping[str, str], rules: PixelRules = AS_A_VIEWER, leave_out: Collection[str] = ()
) -> Listing:
    """The images of folders that each hold a folder a class.

    Args:
        tree: of the root.
        splits: folder below the root -> split.
        rules: by which the images are read.
        leave_out: folders at the root that are no classes.
    """
    found = {folder: class_folders(tree, folder, split, leave_out) for folder, split in splits.items()}
    rows = [row for own in found.values() for row in own.rows]
    empty = [row for own in found.values() for row in own.empty]
    readable = endings()
    dangling = {
        path: target
        for folder in splits
        for path, target in tree.dangling(folder).items()
        if posixpath.dirname(path) != folder and posixpath.splitext(path)[1].lower() in readable
    }
    ignored = find_ignored(tree, {row.path for row in rows}, parents=set(splits), dangling=dangling)
    return Listing(tree, rows, empty=empty, dangling=dangling, ignored=ignored, merged=_merged(tree, splits), rules=rules)


def class_folders(tree: Tree, below: str, split: str, leave_out: Collection[str] = ()) -> ClassFolders:
    """The images of a folder that holds a folder for each class, but for those that are left out.

    `below` is the folder's path below the root; empty for the root itself. Names that are equal after Unicode normalisation
    (an umlaut in one or in two characters) are one class.
    """
    found = ClassFolders([], [])
    readable = endings()
    for name in tree.folders[below].folders:
        label, place = same_name(name), f"{below}/{name}" if below else name
        if place in leave_out:
            continue
        before = len(found.rows)
        for path in tree.files(place):
            if posixpath.splitext(path)[1].lower() in readable:
                found.rows.append(Row(path, label, split))
        if len(found.rows) == before:
            found.empty.append(Row(place, label, split))
    return found


def same_name(name: str) -> str:
    """A class's name as it is compared: in Unicode's normal form C."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def _merged(tree: Tree, folders: Iterable[str]) -> list[str]:
    written = defaultdict(set)
    for folder in folders:
        for name in tree.folders[folder].folders:
            written[same_name(name)].add(name)
    return sorted(label for label, names in written.items() if len(names) > 1)


def to_manifest(listing: Listing, on_bad_image: Literal["error", "skip"]) -> Manifest:
    """The manifest of the files that are there, classes in alphabetical order, numbers in them by their value.

    `on_bad_image`: "error" to stop at the first unreadable image; "skip" to decode all beforehand and leave those out.

    Raises:
        UserError: a class has no images, or no readable ones; a link leads nowhere; a file has vanished.
    """
    _refuse_empty(listing)
    if listing.dangling and on_bad_image == "error":
        raise UserError(dangling_problem(listing))
    rows, bad = list(listing.rows), sorted(listing.dangling)
    if on_bad_image == "skip":
        unreadable = set(_unreadable(listing))
        bad += [row.path for row in rows if row.path in unreadable]
        rows = [row for row in rows if row.path not in unreadable]
        if lost := sorted({row.label for row in listing.rows} - {row.label for row in rows}, key=natural_key):
            raise UserError(f"class {lost[0]!r} has no readable images below {listing.base}")
    class_names = sorted({row.label for row in rows}, key=natural_key)
    number = {name: index for index, name in enumerate(class_names)}
    names = Names(row.path for row in rows)
    states = np.array([_state(listing.tree, row.path) for row in rows], np.int64).reshape(-1, 3)
    return Manifest(
        ids=names,
        labels=[number[row.label] for row in rows],
        class_names=class_names,
        splits=[row.split for row in rows],
        load=FileImages(listing.base, names, listing.rules, *states.T),
        sizes=states[:, 0],
        groups=[row.group for row in rows] if any(row.group for row in rows) else (),
        left_out=bad,
        notes=notes_of(listing),
    )


def notes_of(listing: Listing) -> Notes:
    """What the listing alone knows."""
    ignored = listing.ignored
    return Notes(ignored=ignored.kinds, hints=ignored.hints, unread=listing.unread, merged=listing.merged)


def _refuse_empty(listing: Listing) -> None:
    if not listing.empty:
        return
    row = listing.empty[0]
    others = sorted({posixpath.splitext(path)[1].lower() for path in listing.tree.files(row.path)})
    hints = [f"; {ending}: {hint}" for ending in others if (hint := ending_hint(ending))]
    seen = f", only files that end in {' '.join(others)}" if any(others) else ""
    raise UserError(f"class {row.label!r} has no images: {listing.base / row.path}{seen}{hints[0] if hints else ''}")


def dangling_problem(listing: Listing) -> str:
    """What is to be said of links to nothing, in a sentence."""
    path, target = next(iter(sorted(listing.dangling.items())))
    count = count_of(len(listing.dangling), "dangling link")
    return (
        f"{count} below {listing.base}, such as {path} -> {target}: fetch the files, or leave such links out with "
        "dataset.on_bad_image=skip"
    )


def _state(tree: Tree, path: str) -> State:
    """Of a file; it is looked at anew where the walk did not see it, as in a hidden folder."""
    if known := tree.states.get(path):
        return known
    try:
        state = (tree.base / path).stat()
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{tree.base / path} is listed, but there is no such file") from None
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns


def _unreadable(listing: Listing) -> list[str]:
    """Paths of the images that do not decode."""

    def bad(row: Row) -> bool:
        try:
            open_rgb(listing.base / row.path, listing.rules)
        except UserError:
            return True
        return False

    with ThreadPoolExecutor() as pool:
        verdicts = show(pool.map(bad, listing.rows), len(listing.rows), "decoding images once")
        return [row.path for row, is_bad in zip(listing.rows, verdicts, strict=True) if is_bad]
