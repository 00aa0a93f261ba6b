"""Rows that are the same but for their size or number of classes: the slope of a difference along it, and what else grew."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import NamedTuple

from wisesr.report.claims.rows import Matched
from wisesr.report.study import Entry, Place

_CEILING = 80.0
"""Percent of the baseline from which on points are few to gain, and the ratio of errors is told."""


class Candidate(NamedTuple):
    """What may be a row of a claim."""

    label: str
    """`resnet50, intel 224 px`."""
    places: tuple[Matched, ...]
    beside: str = ""
    """What else is to be known of a slope: `718 to 4,824 training images, 15,200 to 16,080 steps`."""


class Both(NamedTuple):
    """A row of a table that has both heads."""

    head: Entry
    baseline: Entry

    @property
    def place(self) -> Place:
        """That of the head; the baseline's differs in the head alone."""
        return self.head.place


def chains(
    rows: Sequence[Both], same: Callable[[Both], Hashable], along: Callable[[Both], float | None], unit: str, accuracy: bool
) -> tuple[Candidate, ...]:
    """A candidate for every set of rows that are the same but for where they lie along something: the slope per doubling.

    Args:
        rows: that have both heads.
        same: what must be equal.
        along: where a row lies; None where that is not known.
        unit: of it, behind numbers: `px`, `classes`.
        accuracy: whether the figures of entries are accuracies in percent.
    """
    found: dict[Hashable, dict[float, Both]] = defaultdict(dict)
    for row in rows:
        if (at := along(row)) is not None:
            found[same(row)].setdefault(at, row)
    return tuple(
        Candidate(_label(chain, unit), _weighted(chain), _beside(chain, accuracy)) for chain in found.values() if len(chain) > 1
    )


def _label(chain: Mapping[float, Both], unit: str) -> str:
    """`resnet50, indoor at 10, 20, 40 classes`."""
    first = next(iter(chain.values()))
    return f"{first.head.group}, {first.place.dataset.split(' ')[0]} at {', '.join(f'{at:g}' for at in sorted(chain))} {unit}"


def _beside(chain: Mapping[float, Both], accuracy: bool) -> str:
    """How much each was trained, where that is not alike, and the ratio of errors where accuracies are near their ceiling."""
    rows = [row for _, row in sorted(chain.items())]
    records = [row.head.cells[0].finished_record for row in rows]
    images = _range([record.provenance.data.images.get("train", 0) for record in records], "training images")
    steps = _range([record.budget.steps for record in records], "steps")
    return "; ".join(filter(None, (", ".join(filter(None, (images, steps))), _errors(chain) if accuracy else "")))


def _range(counts: Sequence[int], what: str) -> str:
    """`718 to 4,824 training images`, from the first to the last; empty where all are alike."""
    return f"{counts[0]:,} to {counts[-1]:,} {what}" if len(set(counts)) > 1 else ""


def _errors(chain: Mapping[float, Both]) -> str:
    """`errors of wise by those of gap: 0.87 at 10, 0.93 at 67`, as a share that has no ceiling."""
    if not any(_CEILING <= row.baseline.mean < 100 for row in chain.values()):
        return ""
    ratios = [
        f"{(100 - row.head.mean) / (100 - row.baseline.mean):.2f} at {at:g}"
        for at, row in sorted(chain.items())
        if row.baseline.mean < 100
    ]
    first = next(iter(chain.values()))
    return f"errors of {first.head.head} by those of {first.baseline.head}: {', '.join(ratios)}"


def _weighted(chain: Mapping[float, Both]) -> tuple[Matched, ...]:
    """The least-squares slope on the logarithm to base 2, as weights of its rows."""
    logs = {at: math.log2(at) for at in chain}
    middle = sum(logs.values()) / len(logs)
    spread = sum((log - middle) ** 2 for log in logs.values())
    return tuple(Matched(row.head, row.baseline, (logs[at] - middle) / spread) for at, row in sorted(chain.items()))
