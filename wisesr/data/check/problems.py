"""What is to be said of a copy of a dataset, a row each: its counts, its files, pictures that it has twice. No torch."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, combinations
from typing import NamedTuple

from wisesr.data.check.decode import Decoded
from wisesr.data.image_file import TINY
from wisesr.data.legible import legible
from wisesr.data.listing import Listing, Row
from wisesr.data.manifest import SPLITS, TEST, TRAIN
from wisesr.data.published_facts import Published, counts, whole_not_partial
from wisesr.wording import some_of

_TWINS = {"leak": "split", "two-labels": "label"}
"""Kind of finding -> in what the images of one picture differ."""

_SHOWN = 3
"""Twins of a picture that its row names."""


class Kind(NamedTuple):
    """A kind of finding."""

    description: str
    """What the files are."""
    advice: str
    """What to do about them."""


KINDS: Mapping[str, Kind] = {
    "listed-twice": Kind("listed twice", "strike out one of the lines"),
    "leak": Kind("in two splits", "remove one, or give both a group (CSV)"),
    "two-labels": Kind("in two classes", "look: is one label wrong?"),
    "corrupt": Kind("cannot be decoded", "replace, or dataset.on_bad_image=skip"),
    "unopened": Kind("cannot be opened", "see to permissions and disk, or skip"),
    "missing": Kind("listed, not there", "complete the copy, or mend the list"),
    "dangling": Kind("links to nothing", "fetch what they lead to, or skip"),
    "empty-class": Kind("classes without images", "complete or remove the folder"),
    "count": Kind("other counts", "complete, or dataset.partial=true"),
    "duplicate": Kind("twice in a class", "each counts as often as it is there"),
    "format": Kind("not as its ending", "harmless: read by its content"),
    "mode": Kind("unusual pixels", "see it as it is read: wisesr data show"),
    "orientation": Kind("stored turned", "see how it is read: wisesr data show"),
    "huge": Kind("huge", "harmless but slow: scale it down"),
    "tiny": Kind(f"below {TINY} px", "blown up: see it with wisesr data show"),
}
"""Name in the report -> what it is, the most important first."""

UNREADABLE, INCOMPLETE = ("corrupt", "unopened", "dangling"), ("missing", "count")
"""Kinds that stop a training, unless the user has said that such files are left out, or that this is a part of a dataset."""


class Finding(NamedTuple):
    """A row of the report."""

    problem: str
    """One of `KINDS`."""
    path: str
    split: str
    label: str
    detail: str


class Overlap(NamedTuple):
    """Images of a split that another split has too."""

    split: str
    other: str
    images: int
    of: int
    """All images of the split."""


def find_problems(listing: Listing, decoded: Sequence[Decoded], facts: Published | None = None) -> list[Finding]:
    """All that is to be said, in the order of `KINDS`.

    `decoded` are the rows of the listing; `facts` what is published of the dataset, where anything is.
    """
    found = [*_listed_twice(listing.rows), *_twins(listing.rows, decoded)]
    for row, image in zip(listing.rows, decoded, strict=True):
        found += [Finding(name, row.path, row.split, row.label, detail) for name, detail in image.notes]
    found += [Finding("missing", row.path, row.split, row.label, "") for row in listing.missing]
    found += [Finding("dangling", path, "", "", f"leads to {target}") for path, target in sorted(listing.dangling.items())]
    found += [Finding("empty-class", row.path, row.split, row.label, "") for row in listing.empty]
    if facts is not None:
        found += _counts(facts, listing)
    order = {name: index for index, name in enumerate(KINDS)}
    return sorted(found, key=lambda finding: order[finding.problem])


def _counts(facts: Published, listing: Listing) -> Iterator[Finding]:
    for split, label, here, published in counts(facts, listing.rows, listing.missing):
        if here != published:
            yield Finding("count", "", split, label, f"{here} here, {published} published")
    if (classes := len({row.label for row in listing.rows})) != facts.classes:
        yield Finding("count", "", "", "", f"{classes} classes here, {facts.classes} published")


def _listed_twice(rows: Sequence[Row]) -> Iterator[Finding]:
    """A finding for each path that has more than one row."""
    by_path = defaultdict(list)
    for row in rows:
        by_path[row.path].append(row)
    for path, same in by_path.items():
        if len(same) > 1:
            where = [f"{row.place} ({row.split}, {row.label})" if row.place else f"{row.split}, {row.label}" for row in same]
            yield Finding("listed-twice", path, same[0].split, same[0].label, f"in {' and '.join(where)}")


def _twins(rows: Sequence[Row], decoded: Sequence[Decoded]) -> Iterator[Finding]:
    """A finding for each image of each picture that more than one file holds; two where both splits and classes differ."""
    same = defaultdict(list)
    for row, image in zip(rows, decoded, strict=True):
        if image.digest:
            same[image.digest].append(row)
    for group in same.values():
        if len({row.path for row in group}) == 1:  # one file, however often it is listed
            continue
        kinds = [(name, by) for name, by in _TWINS.items() if len({getattr(row, by) for row in group}) > 1]
        for name, by in kinds or [("duplicate", "split")]:
            yield from (Finding(name, row.path, row.split, row.label, _others(row, group, by)) for row in group)


def _others(row: Row, group: Sequence[Row], by: str) -> str:
    """The twins of an image, those of another split (or label) first."""
    mine = getattr(row, by)
    foreign = (twin for twin in group if getattr(twin, by) != mine)
    alike = (twin for twin in group if getattr(twin, by) == mine and twin is not row)
    return f"as {some_of([f'{twin.path} ({twin.split}, {twin.label})' for twin in chain(foreign, alike)], _SHOWN)}"


def stopping(
    listing: Listing,
    decoded: Sequence[Decoded],
    findings: Iterable[Finding],
    facts: Published | None,
    *,
    partial: bool,
    skip: bool,
) -> list[str]:
    """What a training would stop at, a phrase each.

    `partial`: whether the user calls it a part of a dataset; `skip`: whether files that cannot be read are left out.
    """
    left_out = UNREADABLE if skip and (partial or facts is None) else ()
    stop = {"listed-twice", "empty-class", *UNREADABLE, *INCOMPLETE} - {*left_out, *(INCOMPLETE if partial else ())}
    found = Counter(finding.problem for finding in findings)
    phrases = [f"{KINDS[name].description} ({found[name]:,})" for name in KINDS if name in stop and found[name]]
    trained = [(row.label, bool(image.format)) for row, image in zip(listing.rows, decoded, strict=True) if row.split == TRAIN]
    if left_out and (lost := {label for label, _ in trained} - {label for label, readable in trained if readable}):
        phrases.append(f"class {min(lost)!r} has no readable images to train on")
    if facts is not None and partial and not any(found[name] for name in (*INCOMPLETE, *left_out)):
        phrases.append(whole_not_partial(facts))
    return phrases + ([listing.refused] if listing.refused else [])


def overlaps(rows: Sequence[Row], decoded: Sequence[Decoded]) -> list[Overlap]:
    """Which splits share pictures, the test split first."""
    digests = {
        split: [image.digest for row, image in zip(rows, decoded, strict=True) if row.split == split] for split in SPLITS
    }
    found = []
    for other, split in combinations(SPLITS, 2):
        known = set(digests[other]) - {b""}
        if images := sum(digest in known for digest in digests[split]):
            found.append(Overlap(split, other, images, len(digests[split])))
    return sorted(found, key=lambda overlap: overlap.split != TEST)


def as_csv(findings: Iterable[Finding]) -> str:
    """The report: problem, path, split, class, detail."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("problem", "path", "split", "class", "detail"))
    writer.writerows([legible(cell) for cell in finding] for finding in findings)
    return text.getvalue()
