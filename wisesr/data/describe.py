"""A manifest with what its images hold: their digests, and what is to be said of them before anything is trained. No torch."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import cast

import numpy as np
from numpy.typing import NDArray

from wisesr.data.contents import Contents, read_contents
from wisesr.data.file_images import FileImages
from wisesr.data.image_file import problem_of
from wisesr.data.images import HUGE
from wisesr.data.manifest import DIGEST, SPLITS, Manifest
from wisesr.data.notes import Notes
from wisesr.data.packed import Names
from wisesr.data.range_notes import RangeNotes


def describe(manifest: Manifest, *, contents: bool = True) -> Manifest:
    """The manifest with digests and notes.

    Args:
        manifest: with all its splits.
        contents: whether files are read, to hash and compare them; else the fingerprint knows their sizes alone.

    Files that cannot be read stop nothing here: they are told by `Notes.broken`.
    """
    bad = np.zeros(len(manifest), bool)
    files = manifest.load if isinstance(manifest.load, FileImages) else None
    if files is not None and contents:
        found = read_contents(files, cast(Names, manifest.ids))
        manifest = replace(manifest, digests=found.digests, notes=_of_contents(manifest, files, found))
        bad = found.bad
    counts = manifest.counts()
    absent = {
        split: tuple(name for name, count in zip(manifest.class_names, row, strict=True) if not count)
        for split, row in zip(SPLITS, counts, strict=True)
        if row.any()
    }
    notes = replace(
        manifest.notes,
        compared=manifest.hashed,
        shared=_shared(manifest, bad) if manifest.hashed else {},
        sides={split: int(row.sum()) for split, row in zip(SPLITS, counts, strict=True)},
        absent={split: names for split, names in absent.items() if names},
    )
    return replace(manifest, notes=notes)


def _shared(manifest: Manifest, bad: NDArray[np.bool_]) -> dict[str, int]:
    """Images of a split whose bytes another split has, too: the test split first. Empty files are no images."""
    digests = np.ascontiguousarray(manifest.digests).view(f"V{DIGEST}").ravel()
    rows = {split: [at for at in manifest.indices(split) if not bad[at]] for split in SPLITS}
    found = {}
    for other, split in sorted(combinations(SPLITS, 2), key=lambda pair: SPLITS[::-1].index(pair[1])):
        known = {digest.tobytes() for digest in digests[rows[other]]}
        if images := sum(digest.tobytes() in known for digest in digests[rows[split]]):
            found[f"{split} in {other}"] = images
    return found


def _of_contents(manifest: Manifest, files: FileImages, found: Contents) -> Notes:
    good = ~found.bad
    return replace(
        manifest.notes,
        turned=int((found.orientations[good] > 1).sum()),
        upright=files.rules.upright,
        huge=int((found.pixels[good] > HUGE).sum()),
        grey=tuple(RangeNotes(found, np.asarray(manifest.labels), manifest.class_names, files.rules.range).sentences()),
        broken=_broken(files, np.flatnonzero(found.bad)),
    )


def _broken(files: FileImages, rows: NDArray[np.int64]) -> str:
    """What is to be said of files that could not be read: of the first why, in the words of a second try."""
    if not len(rows):
        return ""
    path = files.base / files.names[int(rows[0])]
    problem = problem_of(path) or "it could not be read at first, and now can"
    if len(rows) == 1:
        return f"{path} cannot be read: {problem}"
    return f"{len(rows):,} files cannot be read, such as {path}: {problem}"
