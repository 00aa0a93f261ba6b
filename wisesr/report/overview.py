"""The study at a glance: every difference to the baseline with its interval, backbone by backbone and size by size.

What a forest plot shows, as plain data, which `overview_forests` makes: the page and the figures draw it each in its way.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from wisesr.report.tested_metrics import Metric

TOGETHER = "all backbones"
"""In the place of a backbone's name."""
IN_COLOUR = "In colour, with a star"
"""How the page marks what is significant."""
_PAD = 0.04
"""Share of the scale that is left free at either end."""
Kind = Literal["significant", "tested", "images", "untested"]
"""significant: has a star. tested: over seeds, without one. images: between single trained models; untested: a mean alone."""


class Mark(NamedTuple):
    """A difference to the baseline, in the metric's unit."""

    kind: Kind
    mean: float
    low: float | None
    """95 % interval; None where there is none."""
    high: float | None
    seeds: int
    over_images: bool
    """Whether the interval is for other test images, too, and not for other seeds alone."""


class ForestRow(NamedTuple):
    """A head."""

    head: str
    mark: Mark | None
    """None where there is no difference."""


class ForestGroup(NamedTuple):
    """A backbone with settings at one size, or all of them together."""

    name: str
    baseline: str
    """The baseline's own figure: `72.90`; empty where it has none, and of all together."""
    rows: tuple[ForestRow, ...]
    """The same heads for every backbone."""


class ForestPanel(NamedTuple):
    """A size, or a number of the dataset's classes at a size."""

    size: int
    """px"""
    table: str
    """Key of the table that it is of; empty where it is of several."""
    groups: tuple[ForestGroup, ...]
    classes: int | None = None
    """Where the dataset has several numbers of them in this study."""

    @property
    def title(self) -> str:
        """`224 px`, `224 px, 10 classes`."""
        return f"{self.size} px" + (f", {self.classes:,} classes" if self.classes is not None else "")


class Forest(NamedTuple):
    """All differences on one dataset under one protocol, or what is known over several datasets."""

    key: str
    """Unique, fit for a file's name."""
    study: str
    """As of `study.Place`: empty where one study is reported."""
    title: str
    """`indoor`, `indoor, protocol=paper`."""
    baseline: str
    metric: Metric
    heads: tuple[str, ...]
    """In their order, without the baseline."""
    panels: tuple[ForestPanel, ...]
    """By size, and then by number of classes."""
    tests: int
    """Comparisons over which stars are corrected."""
    protocol: str = "holdout"

    @property
    def marks(self) -> tuple[Mark, ...]:
        """All that there are."""
        rows = (row for panel in self.panels for group in panel.groups for row in group.rows)
        return tuple(row.mark for row in rows if row.mark is not None)

    @property
    def backbones(self) -> tuple[str, ...]:
        """Names of backbones, with settings."""
        return tuple(name for name in self._names() if name != TOGETHER)

    @property
    def by_classes(self) -> bool:
        """Whether there are several numbers of the dataset's classes."""
        return len({panel.classes for panel in self.panels}) > 1

    @property
    def together(self) -> tuple[str, ...]:
        """The name of all backbones together, where anything is known of them."""
        return tuple(name for name in self._names() if name == TOGETHER)

    def _names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(group.name for panel in self.panels for group in panel.groups))

    @property
    def ends(self) -> tuple[float, float]:
        """Of a scale with 0 and all intervals on it."""
        marks = self.marks
        known = [0.0, *(end for mark in marks for end in (mark.mean, mark.low, mark.high) if end is not None)]
        pad = _PAD * (max(known) - min(known)) or 1.0
        return min(known) - pad, max(known) + pad

    def only(self, heads: Iterable[str]) -> Forest:
        """With these heads alone."""
        kept = set(heads)

        def narrowed(group: ForestGroup) -> ForestGroup:
            return group._replace(rows=tuple(row for row in group.rows if row.head in kept))

        panels = (panel._replace(groups=tuple(map(narrowed, panel.groups))) for panel in self.panels)
        return self._replace(heads=tuple(head for head in self.heads if head in kept), panels=tuple(panels))


def forest_caption(forest: Forest, significant: str = IN_COLOUR) -> str:
    """What is drawn, in sentences.

    Args:
        forest: that is drawn.
        significant: how what is significant is marked.
    """
    kinds = {mark.kind for mark in forest.marks}
    metric = forest.metric
    unit = f"{metric.points.capitalize()} of {metric.words}, head less {forest.baseline}"
    sentences = [f"{unit}{_intervals(forest.marks)}"]
    if not metric.higher_is_better:
        sentences.append("Below 0 is better")
    if forest.protocol == "paper":
        sentences.append("Each of the epoch that is best on the test images; a claim takes the mean of the last epochs")
    if forest.backbones and kinds & {"significant", "tested"}:
        over = f" over {forest.tests} comparisons" if forest.tests > 1 else ""
        sentences.append(f"{significant}: significant at 5 % after Holm{over}")
    if forest.together:
        sentences.append(f"{TOGETHER.capitalize()}: the estimate of the claim, whose verdict is corrected over the claims")
    if "untested" in kinds:
        sentences.append("A ring alone: no interval can be had, as where all seeds differ by the same")
    if "images" in kinds:
        sentences.append(
            "Dashed: fewer than three seeds, so the interval is between these trained models over the test images, and says "
            "nothing about the heads"
        )
    return "".join(f"{sentence}. " for sentence in sentences).strip()


def _intervals(marks: Iterable[Mark]) -> str:
    """`, with 95 % intervals for other seeds and test images, not corrected`: which intervals are drawn."""
    known = [mark for mark in marks if mark.low is not None]
    tested = [mark for mark in known if mark.kind != "images"]
    if not tested:
        return ", with 95 % intervals" if known else ""
    images = {mark.over_images for mark in tested}
    drawn = " and test images" if images == {True} else " on these test images"
    if len(images) > 1:
        drawn = ", and for other test images where predictions can be read"
    return f", with 95 % intervals for other seeds{drawn}, not corrected"


def slope_caption(forest: Forest) -> str:
    """What is drawn, in a sentence."""
    at = "with each number of classes" if forest.by_classes else "at each image size"
    return (
        f"{forest.metric.points.capitalize()} of {forest.metric.words}, head less {forest.baseline}, {at} "
        "(logarithmic axis); intervals stand in the forest plot."
    )
