"""A table of the report as the page shows it: the matrix of backbones and heads, the differences with their intervals drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from wisesr.report.differences import FEW_SEEDS
from wisesr.report.page.words import fixed, last_top1, signed
from wisesr.report.statistics import mean_std
from wisesr.report.study import Difference, Entry, ReportTable
from wisesr.report.tables.content import legend, tested

_LAST = (
    'The epoch was chosen on the test images, the highest of all: "last epoch" is the test top-1 after the last one, '
    "which was not chosen."
)
_PAD = 0.06
"""Of the scale, left free at either end."""


class Row(NamedTuple):
    """Of the matrix."""

    backbone: str
    settings: str
    entries: tuple[Entry | None, ...]
    """In the order of the heads; None where there is none."""
    absent: tuple[str, ...]
    """Of each head, what else would stand there: `2 failed, 1 missing`."""


class Bar(NamedTuple):
    """Where an interval lies on the scale that all of a table's share, from 0 to 100."""

    zero: float
    mean: float
    low: float | None
    high: float | None


class Compared(NamedTuple):
    """A row of the differences."""

    entry: Entry
    difference: Difference | None
    """None where only the published figure is to be told."""
    bar: Bar | None


class Tried(NamedTuple):
    """Learning rates of an entry."""

    entry: Entry
    rates: tuple[tuple[str, float, int], ...]
    """Name, mean validation top-1 (percent), seeds."""

    def chosen(self, rate: str) -> int:
        """Seeds whose cell has this rate."""
        return sum(cell.place.rate == rate for cell in self.entry.cells)


class Accuracy(NamedTuple):
    """What the page tells of a table."""

    table: ReportTable
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    verdict: str
    compared: tuple[Compared, ...]
    zero: float
    """Where no difference lies on the bars' scale."""
    tried: tuple[Tried, ...]

    @property
    def has_settings(self) -> bool:
        """Whether anything but backbones and heads varies."""
        return any(row.settings for row in self.rows)

    @property
    def legend(self) -> str:
        """What stands at a place of the matrix."""
        told = legend(self.table)
        if self.compared:
            told.append(f"Below: the difference to {self.table.baseline} in points.")
        if self.table.protocol == "paper" and self.table.entries:
            told.append(_LAST)
        return " ".join(told)

    @property
    def tested(self) -> tuple[str, ...]:
        """What the differences are."""
        return tuple(sentence.replace("* p", "★ p") for sentence in tested(self.table))

    @property
    def has_backbones(self) -> bool:
        """Whether there are several."""
        return len({row.backbone for row in self.rows}) > 1

    @property
    def has_published(self) -> bool:
        """Whether published.csv has a figure for any entry."""
        return any(entry.published is not None for entry in self.table.entries)

    @property
    def other_protocol(self) -> bool:
        """Whether the published figures' epochs were chosen in another way than these."""
        return self.has_published and self.table.protocol != "paper"

    def last(self, entry: Entry) -> str:
        """`82.10 ± 0.33`: under protocol=paper the test top-1 after the last epoch; empty elsewhere, and without it."""
        if self.table.protocol != "paper":
            return ""
        values = [value for cell in entry.cells if (value := last_top1(cell)) is not None]
        if len(values) < len(entry.cells):
            return ""
        mean, std = mean_std(values)
        return fixed(mean) + (f" ± {fixed(std)}" if std is not None else "")


def arrange(table: ReportTable) -> Accuracy:
    """A table for the page."""
    absent = _absent(table)
    names = {entry.head for entry in table.entries} | {head for _, _, head in absent}
    heads = tuple(sorted(names, key=lambda head: (head != table.baseline, head)))
    groups = table.groups()
    rows = []
    for backbone, settings in dict.fromkeys([*groups, *(place[:2] for place in absent)]):
        its = {entry.head: entry for entry in groups.get((backbone, settings), ())}
        states = tuple(_tally(absent.get((backbone, settings, head), ())) for head in heads)
        rows.append(Row(backbone, settings, tuple(its.get(head) for head in heads), states))
    tried = tuple(Tried(entry, entry.tried) for entry in table.entries if entry.tried)
    return Accuracy(table, heads, tuple(rows), verdict(table), *_compared(table), tried)


def _absent(table: ReportTable) -> dict[tuple[str, str, str], list[str]]:
    """States of cells that have no place in the means, by backbone, settings and head."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for one in table.left_out:
        if one.place is not None and one.state != "done":
            found.setdefault((one.place.backbone, one.place.settings, one.place.head), []).append(one.state)
    return found


def _tally(states: Sequence[str]) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(Counter(states).items()))


def verdict(table: ReportTable) -> str:
    """What the differences say, in a sentence or two; empty where nothing was compared."""
    found = [(entry, entry.difference) for entry in table.entries if entry.difference is not None]
    judged = [(entry, difference) for entry, difference in found if difference.p_holm is not None]
    if not found:
        return ""
    if not judged:
        if any(difference.kind == "seeds" for _, difference in found):
            return f"No comparison with {table.baseline} could be tested: over seeds, all differences of a head are equal."
        return f"No head shares three seeds with {table.baseline}: nothing here says whether a head is better or worse."
    marked = [(entry, difference) for entry, difference in judged if difference.significant]
    told = ", ".join(f"{_where(table, entry)} {signed(difference.mean)}" for entry, difference in marked)
    few = min((len(difference.seeds) for _, difference in judged if not difference.significant), default=FEW_SEEDS)
    weak = f" With {few} seeds there is little power: an effect may well be missed." if few < FEW_SEEDS else ""
    if len(judged) == 1:
        words = f"is significant at 5 %: {told} points" if marked else "is not significant at 5 %"
        return f"The one comparison with {table.baseline} over seeds {words}.{'' if marked else weak}"
    count = f"{len(judged)} comparisons with {table.baseline} over seeds"
    if not marked:
        return f"None of the {count} is significant at 5 % after Holm.{weak}"
    if len(marked) == len(judged):
        return f"All {count} are significant at 5 % after Holm: {told} points."
    return (
        f"Of {count}, {len(marked)} {'is' if len(marked) == 1 else 'are'} significant at 5 % after Holm: {told} points.{weak}"
    )


def _where(table: ReportTable, entry: Entry) -> str:
    return entry.label if len(table.groups()) > 1 else entry.head


def _compared(table: ReportTable) -> tuple[tuple[Compared, ...], float]:
    shown = [entry for entry in table.entries if entry.difference is not None or entry.published is not None]
    place = _scale([entry.difference for entry in shown if entry.difference is not None])
    return tuple(Compared(entry, entry.difference, _bar(entry.difference, place)) for entry in shown), place(0.0)


class _Scale(NamedTuple):
    low: float
    high: float

    def __call__(self, value: float) -> float:
        return round(100 * (value - self.low) / (self.high - self.low), 2)


def _scale(differences: Sequence[Difference]) -> _Scale:
    """Of points, with 0 and all intervals on it."""
    ends = [0.0] + [end for one in differences for end in (one.mean, one.low, one.high) if end is not None]
    low, high = min(ends), max(ends)
    pad = _PAD * (high - low) or 1.0
    return _Scale(low - pad, high + pad)


def _bar(difference: Difference | None, place: _Scale) -> Bar | None:
    if difference is None:
        return None
    low, high = (None if end is None else place(end) for end in (difference.low, difference.high))
    return Bar(place(0.0), place(difference.mean), low, high)
