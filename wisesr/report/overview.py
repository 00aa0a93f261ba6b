"""The study at a glance: every difference to the baseline with its interval, backbone by backbone and size by size.

What a forest plot shows, as plain data: the page and the figures draw it each in its way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from wisesr.report.claims.judge import Answer, Verdict
from wisesr.report.difference import Difference
from wisesr.report.study import Entry, ReportTable
from wisesr.report.tested_metrics import Metric
from wisesr.report.whole_study import Study
from wisesr.results.head_order import in_order

TOGETHER = "all backbones"
"""In the place of a backbone's name."""
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
    """A size."""

    size: int
    """px"""
    table: str
    """Key of the table that it is of."""
    groups: tuple[ForestGroup, ...]


class Forest(NamedTuple):
    """All differences on one dataset under one protocol."""

    key: str
    """Unique, fit for a file's name."""
    title: str
    """`indoor`, `indoor, protocol=paper`."""
    baseline: str
    metric: Metric
    heads: tuple[str, ...]
    """In their order, without the baseline."""
    panels: tuple[ForestPanel, ...]
    """By size."""
    tests: int
    """Comparisons over which stars are corrected."""

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


def forests(study: Study) -> tuple[Forest, ...]:
    """One for each dataset, protocol and study that has anything to compare, its sizes beside one another."""
    together: dict[tuple[str, str, str], list[ReportTable]] = {}
    for table in study.tables:
        if any(entry.difference is not None for entry in table.entries):
            place = table.entries[0].place
            together.setdefault((place.study, place.dataset, place.protocol), []).append(table)
    studies = Counter(name for name, _, _ in together)
    made = []
    for (name, dataset, protocol), tables in together.items():
        alone = studies[name] == 1 and protocol == "holdout"
        pooled = _pooled(study, name, tables[0].metric, tables[0].baseline) if alone else []
        made.append(_forest(tables, f"{name}: " * (len(studies) > 1) + dataset, protocol, pooled))
    return tuple(made)


def _forest(tables: Sequence[ReportTable], name: str, protocol: str, pooled: Sequence[Answer]) -> Forest:
    tables = sorted(tables, key=lambda table: table.entries[0].place.size)
    first = tables[0]
    heads = in_order((entry.head for table in tables for entry in table.entries), first.baseline)
    heads = tuple(head for head in heads if head != first.baseline)
    groups = list(dict.fromkeys(entry.group for table in tables for entry in table.entries))
    return Forest(
        key=first.key if len(tables) == 1 else first.key.replace(f"-{first.entries[0].place.size}", "", 1),
        title=name + ", protocol=paper" * (protocol == "paper"),
        baseline=first.baseline,
        metric=first.metric,
        heads=heads,
        panels=tuple(_panel(table, groups, heads, pooled) for table in tables),
        tests=first.tests,
    )


def _panel(table: ReportTable, groups: Sequence[str], heads: Sequence[str], pooled: Sequence[Answer]) -> ForestPanel:
    entries = {(entry.group, entry.head): entry for entry in table.entries}
    size = table.entries[0].place.size
    shown = [_group(name, table, entries, heads) for name in groups]
    own = {answer.claim.head: answer for answer in pooled if {size} == {one for row in answer.rows for one in row.sizes}}
    if own and len(groups) > 1:
        rows = tuple(ForestRow(head, _of_answer(own[head])) for head in heads if head in own)
        shown.append(ForestGroup(TOGETHER, "", rows))
    return ForestPanel(size, table.key, tuple(shown))


def _group(name: str, table: ReportTable, entries: dict[tuple[str, str], Entry], heads: Sequence[str]) -> ForestGroup:
    baseline = entries.get((name, table.baseline))
    figure = "" if baseline is None else f"{baseline.mean:.{table.metric.decimals}f}"
    own = (entries.get((name, head)) for head in heads)
    marks = (_mark(entry.difference) if entry is not None and entry.difference is not None else None for entry in own)
    return ForestGroup(name, figure, tuple(ForestRow(head, mark) for head, mark in zip(heads, marks, strict=True)))


def _mark(difference: Difference) -> Mark:
    kind: Kind = "images" if difference.kind == "images" else "tested"
    if difference.significant:
        kind = "significant"
    elif difference.low is None:
        kind = "untested"
    return Mark(kind, difference.mean, difference.low, difference.high, len(difference.seeds))


def _pooled(study: Study, name: str, metric: Metric, baseline: str) -> list[Answer]:
    """What claims say of a head and the baseline over several rows, in the very figure that the rows show."""
    answers = [answer for block in study.claims if block.study == name for answer in block.answers]
    return [
        answer
        for answer in answers
        if answer.pooled is not None
        and len(answer.rows) > 1
        and (answer.claim.baseline, answer.claim.slope, answer.protocol) == (baseline, "", "holdout")
        and answer.claim.measure.title == f"test {metric.words}"
    ]


def _of_answer(answer: Answer) -> Mark:
    assert answer.found is not None
    found = answer.found
    sure = answer.verdict in (Verdict.SUPPORTED, Verdict.CONTRADICTED) and answer.claim.expected in ("higher", "lower")
    seeds = min(len(row.seeds) for row in answer.rows)
    return Mark("significant" if sure else "tested", found.mean, found.low, found.high, seeds)


def forest_caption(forest: Forest) -> str:
    """What is drawn, in sentences."""
    kinds = {mark.kind for mark in forest.marks}
    metric = forest.metric
    unit = f"{metric.points.capitalize()} of {metric.words}, head less {forest.baseline}, with 95 % intervals"
    sentences = [f"{unit} for other seeds and test images, not corrected" if kinds - {"images", "untested"} else unit]
    if kinds & {"significant", "tested"}:
        over = f" over {forest.tests} comparisons" if forest.tests > 1 else ""
        sentences.append(f"In colour, with a star: significant at 5 % after Holm{over}")
    if forest.together:
        sentences.append(f"{TOGETHER.capitalize()}: the verdict of the claim, corrected over the claims")
    if "images" in kinds:
        sentences.append(
            "Dashed: fewer than three seeds, so the interval is between these trained models over the test images, and says "
            "nothing about the heads"
        )
    return "".join(f"{sentence}. " for sentence in sentences).strip()


def slope_caption(forest: Forest) -> str:
    """What is drawn, in a sentence."""
    return (
        f"Difference to {forest.baseline} in {forest.metric.unit} of {forest.metric.words} at each image size, on a "
        "logarithmic axis; intervals stand in the forest plot."
    )
