"""Another folder with classes of a run: laid out as those of `dataset=folder`, matched by name, complete or a part of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from wisesr.data.contents import read_contents
from wisesr.data.file_images import FileImages
from wisesr.data.folder import listed
from wisesr.data.images import RULES, PixelRules
from wisesr.data.listing import Listing, Row, notes_of
from wisesr.data.manifest import SPLITS, TEST, TRAIN
from wisesr.data.overrides import leave_out
from wisesr.data.packed import Names
from wisesr.data.progress import Progress, shown_by
from wisesr.errors import UserError
from wisesr.inference.evaluation.pictures import ALL, Pictures, Source, logit_of
from wisesr.inference.run import Run
from wisesr.wording import natural_key, some_of

_SHOWN = 8


def folder_pictures(
    run: Run,
    root: Path,
    *,
    split: str | None = None,
    layout: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Pictures:
    """The images of a folder. They are read as the run's were: upright or not, and with the same white.

    Args:
        run: whose classes they are.
        root: the folder.
        split: train, val, test or all; None for the test split where the folder has one, else all.
        layout: settings of `dataset=folder` on how it is laid out and read; it finds those that are missing by itself.
        progress: shows how far the first reading of the files is.

    Raises:
        UserError: no such folder, layout or split; no image; a class that the run does not have.
    """
    given = dict(layout or {})
    if given.get("range", "auto") == "auto":
        given["range"] = run.rules.range
    try:
        listing = listed(root=str(root), **given)
    except (UserError, OSError) as error:
        raise UserError(f"--data: {error}") from error
    rows, chosen = _of_split(listing, split, root)
    names = sorted({row.label for row in rows}, key=natural_key)
    logits = logit_of(names, run.class_names, str(root), partial(_way, listing, given))
    files = _files(listing, rows, PixelRules(run.rules.upright, given["range"]))
    with shown_by(progress):
        digests = read_contents(files, Names(files.names)).digests
    labels = np.array([logits[row.label] for row in rows], np.int64)
    return Pictures(
        Source(
            "folder",
            root.resolve().name,
            str(root.resolve()),
            chosen,
            _fingerprint(files, labels, digests, run),
            None,
            tuple(notes_of(listing).remarks()),
        ),
        files.names,
        labels,
        np.arange(len(rows)),
        files,
    )


def _of_split(listing: Listing, split: str | None, root: Path) -> tuple[list[Row], str]:
    """The images of a split, those that cannot be found too, which are told like others that cannot be read."""
    everything = [*listing.rows, *listing.missing]
    everything += [row for row in _links(listing) if row.path not in {own.path for own in everything}]
    there = {row.split for row in everything}
    if split is None:
        split = TEST if TEST in there else ALL
    if split not in (*SPLITS, ALL):
        raise UserError(f"--split must be one of {', '.join((*SPLITS, ALL))}, not {split!r}")
    rows = [row for row in everything if split in (ALL, row.split)]
    if split == TRAIN and there == {TRAIN}:
        raise UserError(f"--split=train: {root} has no splits: --split=all takes all of it")
    if not rows:
        has = some_of(sorted(there), _SHOWN)
        raise UserError(f"--data: {root} has no image" + (f" of the {split} split, only of {has}" if there else ""))
    if twice := [path for path, count in Counter(row.path for row in rows).items() if count > 1]:
        raise UserError(f"--data: {root}: images are listed twice: {some_of(twice, _SHOWN)}")
    return rows, split


def _links(listing: Listing) -> list[Row]:
    """Links to nothing among the images of folders of classes, as rows of the class and split of their neighbours."""
    beside = {row.path.rpartition("/")[0]: row for row in listing.rows}
    return [
        beside[path.rpartition("/")[0]]._replace(path=path) for path in listing.dangling if path.rpartition("/")[0] in beside
    ]


def _way(listing: Listing, given: Mapping[str, Any], strange: Sequence[str]) -> str:
    """How to do without classes that the run does not have."""
    if given.get("csv"):
        return "Name them in the list as the run does, or leave their rows out"
    wanted = set(strange)
    if wanted >= {row.label for row in listing.rows}:
        return "Rename the folders as the run calls its classes"
    folders = {_class_folder(listing, row) for row in listing.rows if row.label in wanted}
    return f"Rename them, or do without: {leave_out(listing.tree.left_out, sorted(folders, key=natural_key))}"


def _class_folder(listing: Listing, row: Row) -> str:
    """The folder of a row's class, below the root."""
    holding = [f"{folder}/" for folder in listing.folders if folder and row.path.startswith(f"{folder}/")]
    start = max(holding, key=len, default="")
    return start + row.path[len(start) :].partition("/")[0]


def _files(listing: Listing, rows: Sequence[Row], rules: PixelRules) -> FileImages:
    """What reads them; sizes and times of files that cannot be looked at are 0."""
    states = np.array([_state(listing, row.path) for row in rows], np.int64).reshape(-1, 3)
    return FileImages(listing.base, [row.path for row in rows], rules, *states.T)


def _state(listing: Listing, path: str) -> Sequence[int]:
    if known := listing.tree.states.get(path):
        return known
    try:
        state = (listing.base / path).stat()
    except OSError:
        return 0, 0, 0
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns


def _fingerprint(files: FileImages, labels: Any, digests: Any, run: Run) -> str:
    """64 hexadecimal digits over names, contents, classes, and the rules by which files become images."""
    digest = hashlib.sha256(f"folder {RULES} {files.rules.text}".encode())
    names = [[path, run.class_names[label]] for path, label in zip(files.names, labels.tolist(), strict=True)]
    digest.update(repr(names).encode("utf-8", "surrogateescape"))
    digest.update(np.ascontiguousarray(digests).tobytes())
    return digest.hexdigest()
