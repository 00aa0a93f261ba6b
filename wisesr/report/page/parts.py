"""What the page shows of each table: its content, and its figures and blocks by section."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from wisesr.report.figures import Figure
from wisesr.report.page.blocks import Block
from wisesr.report.page.formatting import html_name
from wisesr.report.study import ReportTable
from wisesr.report.tables.table_content import Comparison, TableContent, table_content

_SECTIONS = {
    "tries": "Best after k tried rates",
    "convergence": "Convergence",
    "cost": "Cost",
    "kernels": "Learned kernels",
    "confusion": "Confusion",
    "disagreement": "Where heads disagree",
    "evidence": "Evidence where heads disagree",
}
"""In the order of the page."""
_PAD = 0.06
"""Share of the scale of differences that is left free at either end."""


class PageSection(NamedTuple):
    """Figures and blocks below one heading."""

    id: str
    title: str
    figures: tuple[Figure, ...]
    blocks: tuple[Block, ...]

    @property
    def groups(self) -> tuple[str, ...]:
        """Backbones with settings to choose from."""
        groups = [*(figure.group for figure in self.figures), *(block.group for block in self.blocks)]
        return tuple(dict.fromkeys(filter(None, groups)))

    @property
    def heads(self) -> tuple[str, ...]:
        """Heads to choose from."""
        heads = [*(figure.head for figure in self.figures), *(block.head for block in self.blocks)]
        return tuple(dict.fromkeys(filter(None, heads)))


class IntervalScale(NamedTuple):
    """The scale of a table's differences, percentage points."""

    low: float
    """The left end."""
    high: float

    def place(self, value: float) -> float:
        """From 0, the left end, to 100."""
        return round(100 * (value - self.low) / (self.high - self.low), 2)


class PagePart(NamedTuple):
    """A table with all that belongs to it."""

    id: str
    content: TableContent
    scale: IntervalScale
    sections: tuple[PageSection, ...]


def page_part(table: ReportTable, figures: Sequence[Figure], blocks: Sequence[Block]) -> PagePart:
    """A table of the report with the figures and blocks that belong to it."""
    name = f"table-{html_name(table.key)}"
    sections = []
    for key, title in _SECTIONS.items():
        own = tuple(figure for figure in figures if (figure.table, figure.section) == (table.key, key))
        beside = tuple(block for block in blocks if (block.table, block.section) == (table.key, key))
        if own or beside:
            sections.append(PageSection(f"{name}-{key}", title, own, beside))
    content = table_content(table)
    return PagePart(name, content, interval_scale(content.comparisons), tuple(sections))


def interval_scale(comparisons: Sequence[Comparison]) -> IntervalScale:
    """A scale with 0 and all intervals on it."""
    differences = [comparison.entry.difference for comparison in comparisons if comparison.entry.difference is not None]
    ends = [0.0, *(end for each in differences for end in (each.mean, each.low, each.high) if end is not None)]
    low, high = min(ends), max(ends)
    pad = _PAD * (high - low) or 1.0
    return IntervalScale(low - pad, high + pad)
