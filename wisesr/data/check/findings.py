"""What is to be said of a copy of a dataset, a row each: its counts, its files, pictures that it has twice. No torch."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, combinations, islice
from typing import NamedTuple

from wisesr.data.check.decode import Seen
from wisesr.data.legible import legible
from wisesr.data.listing import Listing, Row
from wisesr.data.manifest import SPLITS, TEST
from wisesr.data.published import Published, counts

_TWINS = {"leak": "split", "two-labels": "label"}
"""Kind of finding -> in what the images of one picture differ."""

_SHOWN = 3
"""Twins of a picture that its row names."""


class Kind(NamedTuple):
    """A kind of finding."""

    words: str
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
    "empty-class": Kind("classes without images", "complete or remove the folder"),
    "count": Kind("other counts", "complete, or dataset.partial=true"),
    "duplicate": Kind("twice in a class", "each counts as often as it is there"),
    "format": Kind("not as its ending", "harmless: read by its content"),
    "mode": Kind("unusual pixels", "see it as it is read: wisesr data show"),
    "orientation": Kind("not upright", "turn it, if that matters"),
    "huge": Kind("huge", "harmless but slow: scale it down"),
    "tiny": Kind("below 32 px", "blown up: see it with wisesr data show"),
}
"""Name in the report -> what it is, the most important first."""

UNREADABLE, INCOMPLETE = ("corrupt", "unopened"), ("missing", "count")
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


def find(its: Listing, seen: Sequence[Seen], facts: Published | None = None) -> list[Finding]:
    """All that is to be said, in the order of `KINDS`.

    Args:
        its: the files.
        seen: each of its rows after decoding.
        facts: what is published of it, where anything is.
    """
    found = [*_listed_twice(its.rows), *_twins(its.rows, seen)]
    for row, one in zip(its.rows, seen, strict=True):
        found += [Finding(name, row.path, row.split, row.label, detail) for name, detail in one.notes]
    found += [Finding("missing", row.path, row.split, row.label, "") for row in its.missing]
    found += [Finding("empty-class", row.path, row.split, row.label, "") for row in its.empty]
    if facts is not None:
        found += _counts(facts, its)
    order = {name: index for index, name in enumerate(KINDS)}
    return sorted(found, key=lambda finding: order[finding.problem])


def _counts(facts: Published, its: Listing) -> Iterator[Finding]:
    for split, label, here, published in counts(facts, its.rows, its.missing):
        if here != published:
            yield Finding("count", "", split, label, f"{here} here, {published} published")
    if (classes := len({row.label for row in its.rows})) != facts.classes:
        yield Finding("count", "", "", "", f"{classes} classes here, {facts.classes} published")


def _listed_twice(rows: Sequence[Row]) -> Iterator[Finding]:
    """A finding for each path that has more than one row."""
    by_path = defaultdict(list)
    for row in rows:
        by_path[row.path].append(row)
    for path, its in by_path.items():
        if len(its) > 1:
            where = [f"{row.place} ({row.split}, {row.label})" if row.place else f"{row.split}, {row.label}" for row in its]
            yield Finding("listed-twice", path, its[0].split, its[0].label, f"in {' and '.join(where)}")


def _twins(rows: Sequence[Row], seen: Sequence[Seen]) -> Iterator[Finding]:
    """A finding for each image of each picture that more than one file holds; two where both splits and classes differ."""
    same = defaultdict(list)
    for row, one in zip(rows, seen, strict=True):
        if one.digest:
            same[one.digest].append(row)
    for group in same.values():
        if len({row.path for row in group}) == 1:  # one file, however often it is listed
            continue
        kinds = [(name, by) for name, by in _TWINS.items() if len({getattr(row, by) for row in group}) > 1]
        for name, by in kinds or [("duplicate", "split")]:
            yield from (Finding(name, row.path, row.split, row.label, _others(row, group, by)) for row in group)


def _others(row: Row, group: Sequence[Row], by: str) -> str:
    """The twins of an image, those of another split (or label) first."""
    mine = getattr(row, by)
    foreign = (one for one in group if getattr(one, by) != mine)
    alike = (one for one in group if getattr(one, by) == mine and one is not row)
    shown = [f"{one.path} ({one.split}, {one.label})" for one in islice(chain(foreign, alike), _SHOWN)]
    more = len(group) - 1 - len(shown)
    return f"as {', '.join(shown)}" + (f" and {more:,} more" if more else "")


def overlaps(rows: Sequence[Row], seen: Sequence[Seen]) -> list[Overlap]:
    """Which splits share pictures, the test split first."""
    digests = {split: [one.digest for row, one in zip(rows, seen, strict=True) if row.split == split] for split in SPLITS}
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
