"""A manifest with what its images hold: their digests, and what is to be said of them before anything is trained. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import cast

import numpy as np
from numpy.typing import NDArray

from wisesr.data.contents import Contents, read_contents
from wisesr.data.file_images import FileImages
from wisesr.data.image_file import problem_of
from wisesr.data.images import AS_A_VIEWER, HUGE, PixelRules
from wisesr.data.manifest import DIGEST, SPLITS, Manifest
from wisesr.data.notes import Notes
from wisesr.data.packed import Names
from wisesr.data.range_notes import RangeNotes
from wisesr.errors import UserError

_UNREAD = "the files were not read (dataset.fingerprint=listing): damage, leaks, orientation and range are not known"


def describe(manifest: Manifest, *, contents: bool = True, splits: Sequence[str] = SPLITS) -> Manifest:
    """The manifest with digests and notes.

    Args:
        manifest: with all its splits.
        contents: whether files are read, to hash and compare them; else the fingerprint knows their sizes alone.
        splits: those that are used.

    Files that cannot be read stop nothing here: they are told by `Notes.broken`.
    """
    found = _look(manifest, contents=contents)
    bad = np.zeros(len(manifest), bool) if found is None else found.bad
    if found is not None:
        manifest = replace(manifest, digests=found.digests, notes=_of_contents(manifest, found))
    elif isinstance(manifest.load, FileImages):
        manifest = replace(manifest, notes=replace(manifest.notes, hints=[*manifest.notes.hints, _UNREAD]))
    counts = manifest.counts()
    absent = {
        split: tuple(name for name, count in zip(manifest.class_names, row, strict=True) if not count)
        for split, row in zip(SPLITS, counts, strict=True)
        if row.any() and split in splits
    }
    notes = replace(
        manifest.notes,
        compared=manifest.hashed,
        shared=_shared(manifest, bad, splits) if manifest.hashed else {},
        sides={split: int(row.sum()) for split, row in zip(SPLITS, counts, strict=True)},
        absent={split: names for split, names in absent.items() if names},
    )
    return replace(manifest, notes=notes)


def _look(manifest: Manifest, *, contents: bool) -> Contents | None:
    """What lies in the images; None where they are no files, or are not to be read."""
    if isinstance(manifest.load, FileImages):
        return read_contents(manifest.load, cast(Names, manifest.ids)) if contents else None
    known: Contents | None = getattr(manifest.load, "known", None)
    return known


def _shared(manifest: Manifest, bad: NDArray[np.bool_], splits: Sequence[str]) -> dict[str, int]:
    """Images of a split whose bytes another split has, too: the test split first. Empty files are no images."""
    digests = np.ascontiguousarray(manifest.digests).view(f"V{DIGEST}").ravel()
    rows = {split: [at for at in manifest.indices(split) if not bad[at]] for split in SPLITS}
    found = {}
    for other, split in sorted(
        combinations([split for split in SPLITS if split in splits], 2), key=lambda pair: SPLITS[::-1].index(pair[1])
    ):
        known = {digest.tobytes() for digest in digests[rows[other]]}
        if images := sum(digest.tobytes() in known for digest in digests[rows[split]]):
            found[f"{split} in {other}"] = images
    return found


def _of_contents(manifest: Manifest, found: Contents) -> Notes:
    good = ~found.bad
    rules: PixelRules = getattr(manifest.load, "rules", None) or AS_A_VIEWER
    return replace(
        manifest.notes,
        turned=int((found.orientations[good] > 1).sum()),
        upright=rules.upright,
        huge=int((found.pixels[good] > HUGE).sum()),
        grey=tuple(RangeNotes(found, np.asarray(manifest.labels), manifest.class_names, rules.range).sentences()),
        broken=_broken(manifest, np.flatnonzero(found.bad)),
    )


def _broken(manifest: Manifest, rows: NDArray[np.int64]) -> str:
    """What is to be said of files that could not be read: of the first why, in the words of a second try."""
    if not len(rows):
        return ""
    first = int(rows[0])
    path = manifest.load.base / manifest.ids[first] if isinstance(manifest.load, FileImages) else manifest.ids[first]
    problem = _problem(manifest, first) or "it could not be read at first, and now can"
    if len(rows) == 1:
        return f"{path} cannot be read: {problem}"
    return f"{len(rows):,} files cannot be read, such as {path}: {problem}"


def _problem(manifest: Manifest, index: int) -> str:
    if isinstance(manifest.load, FileImages):
        return problem_of(manifest.load.base / manifest.ids[index])
    try:
        manifest.load(index)
    except UserError as error:
        return str(error)
    return ""
