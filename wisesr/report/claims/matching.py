"""Which cells answer a claim: rows of the tables that have both heads, and rows that differ in size or classes alone."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import NamedTuple

from wisesr.report.claims.declared import Claim
from wisesr.report.claims.rows import Matched
from wisesr.report.head_options import is_like
from wisesr.report.scores import Scoring
from wisesr.report.study import Entry, Place, ReportTable
from wisesr.wording import some_of


class Candidate(NamedTuple):
    """What may be a row of a claim."""

    label: str
    """`resnet50, intel 224 px`."""
    places: tuple[Matched, ...]


class Candidates(NamedTuple):
    """All of a claim."""

    rows: tuple[Candidate, ...]
    why_not: str
    """Why there is none; empty where there is one."""


class _Both(NamedTuple):
    """A row of a table that has both heads."""

    head: Entry
    baseline: Entry

    @property
    def place(self) -> Place:
        return self.head.place


def candidates(claim: Claim, tables: Sequence[ReportTable], size: int | None, scoring: Scoring) -> Candidates:
    """The rows that may answer a claim.

    Args:
        claim: that is asked.
        tables: of one study and protocol.
        size: of the images, px, if the claim is of one.
        scoring: tells how many classes a cell has.
    """
    kept = [table for table in tables if table.entries and _asked(claim, table.entries[0].place.size, size)]
    if not kept:
        there = some_of([str(one) for one in sizes(claim._replace(sizes="each"), tables)], _SHOWN)
        return Candidates((), f"no cell is of a size that is asked for: finished ones have {there} px")
    rows = [row for table in kept for entries in table.groups().values() if (row := _both(claim, entries)) is not None]
    if not rows:
        return Candidates((), f"no row has finished cells of both {claim.head} and {claim.baseline}")
    if claim.slope == "size":
        return _slopes(rows, lambda row: (row.place.dataset, row.place.backbone, row.place.settings), _by_size, _ONE_SIZE)
    if claim.slope == "classes":
        return _slopes(rows, _but_classes, lambda row: _classes(row, scoring), _ONE_NUMBER)
    return Candidates(tuple(Candidate(_label(row), (Matched(row.head, row.baseline),)) for row in rows), "")


_SHOWN = 6
_ONE_SIZE = "no backbone has both heads on one dataset at two sizes"
_ONE_NUMBER = (
    "no backbone has both heads on one dataset with two numbers of classes (other datasets differ in more than their classes)"
)


def sizes(claim: Claim, tables: Sequence[ReportTable]) -> list[int | None]:
    """The sizes for each of which a claim is asked; one None where it is asked once."""
    if claim.sizes != "each":
        return [None]
    there = sorted({table.entries[0].place.size for table in tables if table.entries})
    return [*there] or [None]


def _asked(claim: Claim, size: int, one: int | None) -> bool:
    if one is not None:
        return size == one
    return isinstance(claim.sizes, str) or size in claim.sizes


def _both(claim: Claim, entries: Sequence[Entry]) -> _Both | None:
    head, baseline = _entry(claim.head, entries), _entry(claim.baseline, entries)
    return _Both(head, baseline) if head is not None and baseline is not None and head is not baseline else None


def _entry(name: str, entries: Sequence[Entry]) -> Entry | None:
    """The entry that a table prints by this name; else the only one of a head that is called so, or has its option's settings."""
    printed = [entry for entry in entries if entry.head == name]
    called = [entry for entry in entries if entry.cells[0].config["head"]["name"] == name]
    like = [entry for entry in called or entries if is_like(entry.cells[0].config["head"], name)]
    return next((found[0] for found in (printed, called, like) if len(found) == 1), None)


def _label(row: _Both) -> str:
    return f"{row.head.group}, {row.place.dataset} {row.place.size} px"


def _by_size(row: _Both) -> float:
    return float(row.place.size)


def _but_classes(row: _Both) -> Hashable:
    """All but the number of classes, which is in the dataset's label where it varies: other settings there must be the same."""
    dataset = " ".join(part for part in row.place.dataset.split(" ") if not part.startswith("classes="))
    return dataset, row.place.size, row.place.backbone, row.place.settings


def _classes(row: _Both, scoring: Scoring) -> float | None:
    scores = scoring(row.head.cells[0])
    return None if isinstance(scores, str) else float(scores.classes)


def _slopes(
    rows: Sequence[_Both], same: Callable[[_Both], Hashable], along: Callable[[_Both], float | None], why_not: str
) -> Candidates:
    """A candidate for every set of rows that are the same but for where they lie along something: the slope per doubling."""
    chains: dict[Hashable, dict[float, _Both]] = defaultdict(dict)
    for row in rows:
        if (at := along(row)) is not None:
            chains[same(row)].setdefault(at, row)
    found = [Candidate(_chain_label(chain), _weighted(chain)) for chain in chains.values() if len(chain) > 1]
    return Candidates(tuple(found), "" if found else why_not)


def _chain_label(chain: Mapping[float, _Both]) -> str:
    first = next(iter(chain.values()))
    return f"{first.head.group}, {first.place.dataset.split(' ')[0]} at {', '.join(f'{at:g}' for at in sorted(chain))}"


def _weighted(chain: Mapping[float, _Both]) -> tuple[Matched, ...]:
    """The least-squares slope on the logarithm to base 2, as weights of its rows."""
    logs = {at: math.log2(at) for at in chain}
    middle = sum(logs.values()) / len(logs)
    spread = sum((log - middle) ** 2 for log in logs.values())
    return tuple(Matched(row.head, row.baseline, (logs[at] - middle) / spread) for at, row in sorted(chain.items()))
