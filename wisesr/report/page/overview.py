"""The overview as the page shows it: a forest plot of rows that are text, so that it is there before any script, and in print.

`figures.overview_figures` draws the same for papers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from wisesr.report.figures import Figure
from wisesr.report.overview import TOGETHER, Forest, ForestGroup, ForestPanel, Mark, forest_caption
from wisesr.report.overview_forests import forests
from wisesr.report.page.formatting import html_name
from wisesr.report.tables.numbers import signed, typographic
from wisesr.report.whole_study import Study

ROWS = 24
"""Rows of a size that are shown at first: with more, the heads after the first ones are folded."""
_TICKS = 5
"""Of the axis, about."""
_LETTERS = 18
"""Of a head's name, for which its column has room."""


class Drawn(NamedTuple):
    """A difference with its places on the scale, from 0, the left end, to 100."""

    kind: str
    mean: float
    low: float | None
    high: float | None
    text: str
    """`+4.60`."""
    interval: str
    """`+3.63 to +5.57`; empty where there is none."""
    seeds: int


class DrawnRow(NamedTuple):
    """A head."""

    head: str
    drawn: Drawn | None


class DrawnGroup(NamedTuple):
    """A backbone, or all of them."""

    name: str
    baseline: str
    """`gap 72.90 %`; empty where there is none."""
    together: bool
    rows: tuple[DrawnRow, ...]


class DrawnPanel(NamedTuple):
    """A size of the images."""

    title: str
    link: str
    """The id of its table on the page; empty where there is none."""
    groups: tuple[DrawnGroup, ...]


class ForestPart(NamedTuple):
    """Some heads of a forest: those that are shown at first, or the others."""

    panels: tuple[DrawnPanel, ...]
    heads: tuple[str, ...]


class OverviewPart(NamedTuple):
    """A forest with its figures."""

    study: str
    """Whose claims it stands with."""
    title: str
    """Empty where the page has one forest."""
    shown: ForestPart
    folded: ForestPart | None
    zero: float
    """Place of 0 on the scale."""
    ticks: tuple[tuple[float, str, bool], ...]
    """Places on the scale, what stands there, and whether it goes where room is short: not 0 and what is farthest from it."""
    letters: int
    """Of the longest name of a head, or as many as there is room for."""
    digits: int
    """Of the longest figure, sign and point included."""
    caption: str
    slopes: tuple[Figure, ...]
    key: str
    """Of the figure that is a file."""


def overview_parts(study: Study, figures: Sequence[Figure]) -> tuple[OverviewPart, ...]:
    """A part for each forest of the study; none where nothing can be compared."""
    found = forests(study)
    return tuple(_part(forest, figures, among=len(found)) for forest in found)


def _part(forest: Forest, figures: Sequence[Figure], *, among: int) -> OverviewPart:
    """Args: among: how many forests there are, which share the rows that are shown at first."""
    own = [figure for figure in figures if (figure.section, figure.table) == ("overview", forest.key)]
    first = max(1, ROWS // max(1, len(forest.backbones) * among))
    # One more is not worth a fold.
    heads = forest.heads if len(forest.heads) <= first + 1 else forest.heads[:first]
    rest = forest.heads[len(heads) :]
    low, high = forest.ends
    ticks = nice_ticks(low, high)

    def place(value: float) -> float:
        return round(100 * (value - low) / (high - low), 2)

    def part(names: Sequence[str]) -> ForestPart:
        kept = forest.only(names)
        panels = (
            DrawnPanel(panel.title, _link(panel), tuple(_group(one, kept, place) for one in panel.groups))
            for panel in kept.panels
        )
        return ForestPart(tuple(panels), tuple(names))

    return OverviewPart(
        study=forest.study,
        title=forest.title if among > 1 else "",
        shown=part(heads),
        folded=part(rest) if rest else None,
        zero=place(0.0),
        ticks=tuple(
            (place(tick), typographic(f"{tick:+g}" if tick else "0"), tick not in (0.0, max(ticks, key=abs))) for tick in ticks
        ),
        letters=min(_LETTERS, max(map(len, forest.heads)) + 1),  # some are wider than others
        digits=max(len(signed(mark.mean, forest.metric.decimals)) for mark in forest.marks),
        caption=forest_caption(forest),
        slopes=tuple(own[1:]),
        key=own[0].key if own else "",
    )


def _link(panel: ForestPanel) -> str:
    """The id of a size's table; none over several datasets, which have a table each."""
    return f"table-{html_name(panel.table)}" if panel.table else ""


def _group(group: ForestGroup, forest: Forest, place: Callable[[float], float]) -> DrawnGroup:
    digits = forest.metric.decimals
    rows = (DrawnRow(row.head, _drawn(row.mark, digits, place) if row.mark else None) for row in group.rows)
    percent = " %" * (forest.metric.image_unit == 100.0)
    baseline = f"{forest.baseline} {group.baseline}{percent}" if group.baseline else ""
    return DrawnGroup(group.name, baseline, group.name == TOGETHER, tuple(rows))


def _drawn(mark: Mark, digits: int, place: Callable[[float], float]) -> Drawn:
    text, interval, low, high = typographic(signed(mark.mean, digits)), "", None, None
    if mark.low is not None and mark.high is not None:
        interval = " to ".join(typographic(signed(end, digits)) for end in (mark.low, mark.high))
        low, high = place(mark.low), place(mark.high)
    return Drawn(mark.kind, place(mark.mean), low, high, text, interval, mark.seeds)


def nice_ticks(low: float, high: float) -> list[float]:
    """About five round numbers between two ends, 0 among them."""
    step = 10.0 ** math.floor(math.log10((high - low) / _TICKS))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (factor * step) <= _TICKS + 1)
    return [round(number * step, 10) for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
