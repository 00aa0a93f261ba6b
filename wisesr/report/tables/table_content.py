"""What a table of a report shows, arranged once; the terminal, Markdown, LaTeX and the page only render it."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from wisesr.report.study import Entry, ReportTable
from wisesr.report.tables import sentences
from wisesr.report.tables.verdict import verdict
from wisesr.results.head_order import in_order
from wisesr.results.state import State

_BESIDE = 9
"""Heads side by side on the page, at most, where backbones are fewer."""


class MatrixPlace(NamedTuple):
    """Where the row of a backbone meets the column of a head."""

    entry: Entry | None
    """None where no cell is finished."""
    absent: str
    """Cells that are not part of the entry's mean: `2 failed, 1 missing`; empty where there is none."""


class MatrixRow(NamedTuple):
    """A backbone with settings."""

    backbone: str
    settings: str
    places: tuple[MatrixPlace, ...]
    """In the order of the heads."""


class Matrix(NamedTuple):
    """Backbones, with the settings that vary, by heads."""

    heads: tuple[str, ...]
    """In the order of `results.head_order`."""
    rows: tuple[MatrixRow, ...]

    @property
    def has_settings(self) -> bool:
        """Whether anything but backbones and heads varies."""
        return any(row.settings for row in self.rows)

    @property
    def is_tall(self) -> bool:
        """Whether the page shows heads below one another: where many stand side by side, most are out of sight."""
        return len(self.heads) > _BESIDE and len(self.rows) < len(self.heads)

    @property
    def has_backbones(self) -> bool:
        """Whether there are several."""
        return len({row.backbone for row in self.rows}) > 1


class Comparison(NamedTuple):
    """An entry beside the baseline, beside its published figure, or both."""

    entry: Entry
    name: str
    """Its head, with backbone and settings where the table has several of these."""

    @property
    def distance(self) -> float | None:
        """Measured minus published, points; None without a published figure."""
        return None if self.entry.published is None else self.entry.mean - self.entry.published

    @property
    def remark(self) -> str:
        """What is to be said of the difference beside its figures."""
        return sentences.remark(self.entry.difference)


class TriedRate(NamedTuple):
    """A learning rate that an entry was trained at."""

    entry: Entry
    rate: str
    top1: float
    """Mean validation top-1, percent."""
    seeds: int
    chosen: int
    """Seeds whose cell has this rate."""


class TableContent(NamedTuple):
    """All that a table shows."""

    table: ReportTable
    matrix: Matrix
    comparisons: tuple[Comparison, ...]
    rates: tuple[TriedRate, ...]
    """Empty where no head was tried at several."""
    left_out: dict[str, list[str]]
    """Names of cells that the table does not show, by the reason with the state: `waiting: not started yet`."""
    verdict: str
    """What the differences show; empty where nothing was compared."""

    @property
    def has_published(self) -> bool:
        """Whether any entry has a published figure."""
        return any(entry.published is not None for entry in self.table.entries)

    @property
    def other_protocol(self) -> bool:
        """Whether the published figures' epochs were chosen in another way than these: the paper's, on the test images."""
        return self.has_published and self.table.protocol != "paper"


def table_content(table: ReportTable) -> TableContent:
    """Arrange a table."""
    compared = [entry for entry in table.entries if entry.difference is not None or entry.published is not None]
    return TableContent(
        table=table,
        matrix=_matrix(table),
        comparisons=tuple(Comparison(entry, sentences.entry_name(table, entry)) for entry in compared),
        rates=tuple(
            TriedRate(entry, rate, top1, seeds, sum(cell.place.rate == rate for cell in entry.cells))
            for entry in table.entries
            for rate, top1, seeds in entry.tried
        ),
        left_out=_left_out(table),
        verdict=verdict(table),
    )


def _matrix(table: ReportTable) -> Matrix:
    absent = _absent(table)
    groups = table.groups()
    names = {entry.head for entry in table.entries} | {head for _, _, head in absent}
    heads = in_order(names, table.baseline)
    rows = []
    for backbone, settings in dict.fromkeys([*groups, *((backbone, settings) for backbone, settings, _ in absent)]):
        entries = {entry.head: entry for entry in groups.get((backbone, settings), ())}
        places = (MatrixPlace(entries.get(head), absent.get((backbone, settings, head), "")) for head in heads)
        rows.append(MatrixRow(backbone, settings, tuple(places)))
    return Matrix(heads, tuple(rows))


def _absent(table: ReportTable) -> dict[tuple[str, str, str], str]:
    """`2 failed, 1 waiting`: cells without a record, by backbone, settings and head."""
    states: dict[tuple[str, str, str], Counter[State]] = {}
    for cell in table.left_out:
        if cell.place is not None and cell.state != State.DONE:
            place = (cell.place.backbone, cell.place.settings, cell.place.head)
            states.setdefault(place, Counter())[cell.state] += 1
    return {
        place: ", ".join(f"{number} {state}" for state, number in sentences.by_state(counts.elements()))
        for place, counts in states.items()
    }


def _left_out(table: ReportTable) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for cell in table.left_out:
        names.setdefault(f"{cell.state}: {' '.join(cell.reason.split())}", []).append(cell.name)
    return names
