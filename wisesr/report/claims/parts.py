"""The parts of a study of which a claim is asked by themselves: sizes, numbers of a dataset's classes, draws of these.

Numbers of classes are never averaged: tasks of 10 and of 67 classes have no accuracy in common. Nor are draws of classes
(`dataset.classes_seed`). Subsets share test images, so that the error of a mean over them would be larger than it looks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from wisesr.report.claims.declared import Claim
from wisesr.report.scores import Scoring
from wisesr.report.study import ReportTable

_CLASSES = re.compile(r"(?:^| )classes=\S+")
_DRAW = re.compile(r"(?:^| )(classes_seed=\S+)")


class Part(NamedTuple):
    """Some tables of a study and protocol."""

    size: int | None
    """Of the images, px; None where the claim is asked once over all sizes."""
    classes: int | None
    """Of their dataset, where it has several numbers of them in this study and the claim is not about their growth."""
    draw: str
    """`classes_seed=1`, where the study has several; else empty."""
    tables: tuple[ReportTable, ...]


def parts(claim: Claim, tables: Sequence[ReportTable], scoring: Scoring) -> list[Part]:
    """Every part of which a claim is asked, by size, number of classes and draw; at least one.

    Args:
        claim: that is asked. What is counted, as parameters are, is told as a range over rows: no part of it is averaged.
        tables: of one study and protocol.
        scoring: tells how many classes a cell has.
    """
    groups: dict[tuple[int | None, str], list[ReportTable]] = {}
    for table in tables:
        number = None if claim.slope == "classes" or claim.measure.exact else number_of_classes(table, scoring)
        groups.setdefault((number, "" if claim.measure.exact else _draw(table)), []).append(table)
    found = [Part(size, *group, tuple(own)) for group, own in groups.items() for size in sizes(claim, own)]
    return sorted(found, key=lambda part: (part.size or 0, part.classes or 0, part.draw))


def sizes(claim: Claim, tables: Sequence[ReportTable]) -> list[int | None]:
    """The sizes for each of which a claim is asked; one None where it is asked once."""
    if claim.sizes != "each":
        return [None]
    there = sorted({table.entries[0].place.size for table in tables if table.entries})
    return [*there] or [None]


def number_of_classes(table: ReportTable, scoring: Scoring) -> int | None:
    """Of a dataset that has several in this study, as its label tells; None of others."""
    if not _CLASSES.search(_dataset(table)):
        return None
    found = (scoring(cell) for entry in table.entries for cell in entry.cells)
    return next((scores.classes for scores in found if not isinstance(scores, str)), None)


def without_number(dataset: str) -> str:
    """The label of a dataset without its number of classes: `indoor classes_seed=1`."""
    return _CLASSES.sub("", dataset).strip()


def number_in(dataset: str) -> int | None:
    """The number of classes in the label of a dataset that has several; None without one, and where all are taken (null)."""
    found = _CLASSES.search(dataset)
    number = found[0].rpartition("=")[2] if found else ""
    return int(number) if number.isdecimal() else None


def _draw(table: ReportTable) -> str:
    found = _DRAW.search(_dataset(table))
    return found[1] if found else ""


def _dataset(table: ReportTable) -> str:
    return table.entries[0].place.dataset if table.entries else ""
