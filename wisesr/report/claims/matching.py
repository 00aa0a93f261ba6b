"""Which cells answer a claim: rows of the tables that have both heads, and rows that differ in size or classes alone."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from wisesr.report.claims.chains import Both, Candidate, chains
from wisesr.report.claims.declared import Claim
from wisesr.report.claims.parts import sizes, without_number
from wisesr.report.claims.rows import Matched
from wisesr.report.head_options import is_like
from wisesr.report.scores import Scoring
from wisesr.report.study import Entry, ReportTable
from wisesr.report.tested_metrics import TOP1
from wisesr.wording import some_of


class Candidates(NamedTuple):
    """All of a claim."""

    rows: tuple[Candidate, ...]
    why_not: str
    """Why there is none; empty where there is one."""


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
    accuracy = claim.measure.title == f"test {TOP1.words}"
    if claim.slope == "size":
        found = chains(rows, _but_size, _by_size, "px", accuracy)
        return Candidates(found, "" if found else _ONE_SIZE)
    if claim.slope == "classes":
        found = chains(rows, _but_classes, lambda row: _classes(row, scoring), "classes", accuracy)
        return Candidates(found, "" if found else _ONE_NUMBER)
    return Candidates(tuple(Candidate(_label(row), (Matched(row.head, row.baseline),)) for row in rows), "")


_SHOWN = 6
_ONE_SIZE = "no backbone has both heads on one dataset at two sizes"
_ONE_NUMBER = (
    "no backbone has both heads on one dataset with two numbers of classes (other datasets differ in more than their classes)"
)


def _asked(claim: Claim, size: int, one: int | None) -> bool:
    if one is not None:
        return size == one
    return isinstance(claim.sizes, str) or size in claim.sizes


def _both(claim: Claim, entries: Sequence[Entry]) -> Both | None:
    head, baseline = _entry(claim.head, entries), _entry(claim.baseline, entries)
    return Both(head, baseline) if head is not None and baseline is not None and head is not baseline else None


def _entry(name: str, entries: Sequence[Entry]) -> Entry | None:
    """The entry that a table prints by this name; else the only one that is called so, or has that option's settings."""
    printed = [entry for entry in entries if entry.head == name]
    called = [entry for entry in entries if entry.cells[0].config["head"]["name"] == name]
    like = [entry for entry in called or entries if is_like(entry.cells[0].config["head"], name)]
    return next((found[0] for found in (printed, called, like) if len(found) == 1), None)


def _label(row: Both) -> str:
    return f"{row.head.group}, {row.place.dataset} {row.place.size} px"


def _but_size(row: Both) -> Hashable:
    return row.place.dataset, row.place.backbone, row.place.settings


def _by_size(row: Both) -> float:
    return float(row.place.size)


def _but_classes(row: Both) -> Hashable:
    """All but the number of classes, which is in the dataset's label where it varies: other settings there must be the same."""
    return without_number(row.place.dataset), row.place.size, row.place.backbone, row.place.settings


def _classes(row: Both, scoring: Scoring) -> float | None:
    scores = scoring(row.head.cells[0])
    return None if isinstance(scores, str) else float(scores.classes)
