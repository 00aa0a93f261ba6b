"""What stands beside the figures of a section: numbers as tables, test images on which heads disagree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Literal, NamedTuple

from wisesr.report.costs import Costs, table_costs
from wisesr.report.disagreement import Case, Disagreement
from wisesr.report.evidence.block import DrawnEvidence
from wisesr.report.figures.figure import seed_list
from wisesr.report.prediction_analysis import PredictionAnalysis
from wisesr.report.speed import Speed, speeds
from wisesr.report.study import Entry
from wisesr.report.tries import RowTries, table_tries
from wisesr.report.whole_study import Study


class Block(NamedTuple):
    """A part of a section, which names its template: `block_SECTION.html`."""

    table: str
    """Key of the table that it belongs to."""
    section: Literal["tries", "convergence", "cost", "disagreement", "evidence"]
    group: str
    """Backbone and settings that it is of; empty for all of its table."""
    head: str
    content: RowTries | tuple[Speed, ...] | Costs | Disagreement | DrawnEvidence


def blocks(
    study: Study, analyses: Sequence[PredictionAnalysis], evidence: Mapping[str, Sequence[DrawnEvidence]] | None = None
) -> Iterator[Block]:
    """All of a study; `evidence` by the keys of tables."""
    for table in study.tables:
        for row in table_tries(table):
            yield Block(table.key, "tries", row.group, "", row)
        for group, of_group in groupby(speeds(table), lambda speed: speed.entry.group):
            yield Block(table.key, "convergence", group, "", tuple(of_group))
        costs = table_costs(table)
        if costs.costs:
            yield Block(table.key, "cost", "", "", costs)
        own = (analysis for analysis in analyses if analysis.table == table.key)
        for disagreement in (disagreement for analysis in own for disagreement in analysis.disagreements):
            entry = disagreement.entry
            yield Block(table.key, "disagreement", entry.group, entry.head, disagreement)
        for drawn in (evidence or {}).get(table.key, ()):
            yield Block(table.key, "evidence", drawn.entry.group, drawn.entry.head, drawn)


def cases(disagreement: Disagreement) -> tuple[tuple[str, tuple[Case, ...]], ...]:
    """Titles and images of the two sides."""
    head, baseline, seeds = disagreement.entry.head, disagreement.baseline, seed_list(disagreement.seeds)
    over = f"probabilities of {seeds}" if len(disagreement.seeds) == 1 else f"mean over {seeds}"
    return (
        (f"{head} is more confident in the true class than {baseline}; {over}", disagreement.better),
        (f"{baseline} is more confident in the true class than {head}", disagreement.worse),
    )


def shown_images(analyses: Iterable[PredictionAnalysis]) -> Iterator[tuple[str, Entry, tuple[str, ...]]]:
    """The images that the page shows: of each disagreement the table's key, the entry and their names."""
    for analysis in analyses:
        for disagreement in analysis.disagreements:
            images = (case.id for case in (*disagreement.better, *disagreement.worse))
            yield analysis.table, disagreement.entry, tuple(images)
