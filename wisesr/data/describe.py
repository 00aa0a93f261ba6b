"""A manifest with what its images hold: their digests, and what is to be said of them before anything is trained. No torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import cast

import numpy as np

from wisesr.data.contents import DEPTHS, Contents, read_contents
from wisesr.data.file_images import FileImages
from wisesr.data.images import HUGE, PixelRules, range_top
from wisesr.data.manifest import DIGEST, SPLITS, Manifest
from wisesr.data.notes import Notes
from wisesr.data.packed import Names
from wisesr.wording import count_of

_DARK = 1 / 8
"""Of the range: what lies below it as a whole was most likely stored with fewer bits."""
_FAINT = 1 / 32
"""Of a range: values that all lie below it were hardly stored for it."""
_RANGES = (("float", 1.0), (8, 255.0), (12, 4095.0), (16, 65535.0))


def describe(manifest: Manifest, *, contents: bool = True) -> Manifest:
    """The manifest with digests and notes.

    Args:
        manifest: with all its splits.
        contents: whether files are read, to hash and compare them; else the fingerprint knows their sizes alone.

    Raises:
        UserError: a file cannot be opened.
    """
    files = manifest.load if isinstance(manifest.load, FileImages) else None
    if files is not None and contents:
        found = read_contents(files, cast(Names, manifest.ids))
        manifest = replace(manifest, digests=found.digests, notes=_of_contents(manifest.notes, found, files.rules))
    counts = manifest.counts()
    absent = {
        split: tuple(name for name, count in zip(manifest.class_names, row, strict=True) if not count)
        for split, row in zip(SPLITS, counts, strict=True)
        if row.any()
    }
    notes = replace(
        manifest.notes,
        compared=manifest.hashed,
        shared=_shared(manifest) if manifest.hashed else {},
        sides={split: int(row.sum()) for split, row in zip(SPLITS, counts, strict=True)},
        absent={split: names for split, names in absent.items() if names},
    )
    return replace(manifest, notes=notes)


def _shared(manifest: Manifest) -> dict[str, int]:
    """Images of a split whose bytes another split has, too: the test split first."""
    digests = np.ascontiguousarray(manifest.digests).view(f"V{DIGEST}").ravel()
    found = {}
    for other, split in sorted(combinations(SPLITS, 2), key=lambda pair: SPLITS[::-1].index(pair[1])):
        known = {digest.tobytes() for digest in digests[manifest.indices(other)]}
        if images := sum(digest.tobytes() in known for digest in digests[manifest.indices(split)]):
            found[f"{split} in {other}"] = images
    return found


def _of_contents(notes: Notes, found: Contents, rules: PixelRules) -> Notes:
    return replace(
        notes,
        turned=int((found.orientations > 1).sum()),
        upright=rules.upright,
        huge=int((found.pixels > HUGE).sum()),
        grey=tuple(_grey(found, rules)),
    )


def _grey(found: Contents, rules: PixelRules) -> Iterator[str]:
    """What is odd about deep grey values, for each depth: all of them dark, or some beyond white."""
    for number, depth in enumerate(DEPTHS, start=1):
        deep = (found.depths == number) & ~np.isnan(found.peaks)
        peaks = found.peaks[deep]
        if depth == "8" or not len(peaks):
            continue
        tops = found.whites[deep] if rules.range == "auto" else np.full(len(peaks), range_top(depth, rules.range))
        images = f"{count_of(len(peaks), 'grey image')} of {'floats' if depth == 'float' else f'{depth} bits'}"
        highest, brightest = float(peaks.max()), int((peaks / tops).argmax())
        if 0 < peaks[brightest] < tops[brightest] * _DARK:
            yield (
                f"all {images} are darker than an eighth of their range, at most {highest:,.6g} where "
                f"{float(tops[brightest]):,.6g} is white{_say(highest)}"
            )
        elif above := int((peaks > tops).sum()):
            top = float(tops[peaks > tops][0])
            yield f"{above:,} of {images} have values above {top:,.6g}, up to {highest:,.6g}, which become white{_say(highest)}"


def _say(highest: float) -> str:
    """Which setting has room for the highest value."""
    fitting = [name for name, top in _RANGES if top * _FAINT <= highest <= top]
    return f": dataset.range={fitting[0]}, if that is what they hold" if fitting else ""
