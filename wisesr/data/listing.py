"""Listed image files to a manifest: what the datasets that live in files have in common. No torch."""

from __future__ import annotations

import posixpath
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from wisesr.data.class_names import hardly_different, strangers
from wisesr.data.file_images import FileImages
from wisesr.data.folder_tree import State, Tree, is_below, join, same_name
from wisesr.data.ignored import Ignored, find_ignored
from wisesr.data.image_formats import ending_of, is_image
from wisesr.data.images import AS_A_VIEWER, PixelRules, ending_hint, open_rgb
from wisesr.data.manifest import TRAIN, Manifest
from wisesr.data.notes import Notes
from wisesr.data.overrides import leave_out
from wisesr.data.packed import Names
from wisesr.data.progress import show
from wisesr.errors import UserError
from wisesr.wording import count_of, natural_key, some_of

AS_STORED = PixelRules(upright=False)
"""How the paper's datasets are read: Keras' `load_img` leaves EXIF's orientation alone (docs/paper.md)."""
_LEFT_OUT = 20
"""Folders that an override lists."""


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
    folders: Mapping[str, str] = {}
    """Folders below the root that hold the folders of classes -> split, where the user may leave some of these out."""
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
    tree: Tree,
    splits: Mapping[str, str],
    rules: PixelRules = AS_A_VIEWER,
    *,
    whole: Tree | None = None,
) -> Listing:
    """The images of folders that each hold a folder a class.

    Args:
        tree: of the root, without what is left out.
        splits: folder below the root -> split. One that lies in another is no part of that.
        rules: by which the images are read.
        whole: the tree with what is left out, which is counted; None where nothing is.
    """
    found = {folder: class_folders(tree, folder, split, _inner(splits, folder)) for folder, split in splits.items()}
    rows = [row for own in found.values() for row in own.rows]
    empty = [row for own in found.values() for row in own.empty]
    dangling = {
        path: target
        for folder in splits
        for path, target in tree.dangling(folder).items()
        if posixpath.dirname(path) not in splits and is_image(path)
    }
    taken = {row.path for row in rows}
    ignored = find_ignored(whole or tree, taken, parents=set(splits), dangling=dangling, left_out=tree.left_out)
    return Listing(tree, rows, empty=empty, dangling=dangling, ignored=ignored, merged=_merged(tree, splits), rules=rules)


def _inner(splits: Collection[str], folder: str) -> list[str]:
    return [other for other in splits if other != folder and is_below(other, folder)]


def class_folders(tree: Tree, below: str, split: str, others: Collection[str] = ()) -> ClassFolders:
    """The images of a folder that holds a folder for each class.

    `below` is the folder's path below the root; empty for the root itself. `others` are folders in it that are splits of their
    own. Names that are equal after Unicode normalisation (an umlaut in one or in two characters) are one class.
    """
    found = ClassFolders([], [])
    own = tree.without(others)
    for name in own.folders[below].folders:
        label, place = same_name(name), join(below, name)
        before = len(found.rows)
        for path in own.files(place):
            if is_image(path):
                found.rows.append(Row(path, label, split))
        if len(found.rows) == before and not any(is_below(other, place) for other in others):
            found.empty.append(Row(place, label, split))
    return found


def _merged(tree: Tree, folders: Iterable[str]) -> list[str]:
    written = defaultdict(set)
    for folder in folders:
        for name in tree.folders[folder].folders:
            written[same_name(name)].add(name)
    return sorted(label for label, names in written.items() if len(names) > 1)


def to_manifest(listing: Listing, on_bad_image: Literal["error", "skip"]) -> Manifest:
    """The manifest of the files that are there, classes in alphabetical order, numbers in them by their value.

    `on_bad_image`: "skip" to decode all beforehand and leave out those that cannot be read; "error" decodes none here.

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
    alike = hardly_different({row.label for row in listing.rows})
    hints = (*ignored.hints, alike) if alike else ignored.hints
    return Notes(ignored=ignored.kinds, hints=hints, unread=listing.unread, merged=listing.merged)


def _refuse_empty(listing: Listing) -> None:
    """Raise UserError for a class without images, or one that the training split has not."""
    if not listing.empty:
        _refuse_strangers(listing)
        return
    row, more = listing.empty[0], len(listing.empty) - 1
    others = f" ({count_of(more, 'other class has', 'other classes have')} none either)" if more else ""
    way = ""
    if listing.folders and len({row.label for row in listing.rows}) > 1:
        way = f". {_without(listing, [row.path for row in listing.empty])}"
    seen = _seen(listing.tree, row.path)
    raise UserError(f"class {row.label!r} has no images: {listing.base / row.path}{seen}{others}{way}")


def _seen(tree: Tree, folder: str) -> str:
    """What lies in a folder in the stead of images, and what would have it read."""
    kinds = Counter(ending_of(path) for path in tree.files(folder))
    phrases = [f"{count_of(kinds[''], 'file')} without an ending, and an image must have one, as .jpg"] if kinds[""] else []
    if ends := sorted(ending for ending in kinds if ending):
        phrases.append(f"files that end in {some_of(ends, 5, ' ')}")
    if links := len(tree.dangling(folder)):
        phrases.append(count_of(links, "dangling link"))
    hint = next((f"; {ending}: {hint}" for ending in sorted(kinds) if (hint := ending_hint(ending))), "")
    return f" holds only {', '.join(phrases)}{hint}" if phrases else " is empty"


def _refuse_strangers(listing: Listing) -> None:
    """Classes of another split that the training split has not, where folders are the classes."""
    known = {row.label for row in listing.rows if row.split == TRAIN}
    for folder, split in listing.folders.items():
        labels = {row.label for row in listing.rows if row.split == split} - known
        if labels and known:
            names = [name for name in listing.tree.folders[folder].folders if same_name(name) in labels]
            some = len(names) < len(listing.tree.folders[folder].folders)
            way = _without(listing, [join(folder, name) for name in names]) if some else "Give the folders the same names"
            raise UserError(f"{strangers(split, sorted(labels, key=natural_key), known)}. {way}")


def _without(listing: Listing, paths: Sequence[str]) -> str:
    if len(paths) > _LEFT_OUT:
        return "dataset.leave_out does without such folders"
    return f"{leave_out(listing.tree.left_out, paths)} does without {'it' if len(paths) == 1 else 'them'}"


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
