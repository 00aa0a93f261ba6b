"""What stands beside the figures of a section: numbers as tables, test images on which heads disagree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from wisesr.report.convergence import Reach, reaches
from wisesr.report.costs import Cost, Costs, table_costs
from wisesr.report.disagreement import Case, Disagreement
from wisesr.report.figures.figure import group_name, seed_words
from wisesr.report.prediction_analysis import PredictionAnalysis
from wisesr.report.study import Entry, Study


class Block(NamedTuple):
    """A part of a section; `kind` names its template, `block_KIND.html`."""

    kind: Literal["reach", "cost", "disagreement"]
    table: str
    """Key of the table that it belongs to."""
    section: str
    group: str
    """Backbone and settings that it is of; empty for all of its table."""
    head: str
    content: tuple[Reach, ...] | Costs | Disagreement


def blocks(study: Study, judged: Iterable[PredictionAnalysis]) -> Iterator[Block]:
    """All of a study.

    Args:
        study: that is reported.
        judged: of it, as of `prediction_analysis.analyse_predictions`.
    """
    judged = tuple(judged)
    for table in study.tables:
        for group, own in _by_group(reaches(table)).items():
            yield Block("reach", table.key, "convergence", group, "", own)
        costs = table_costs(table)
        if costs.costs:
            yield Block("cost", table.key, "cost", "", "", costs)
        for one in (one for its in judged if its.table == table.key for one in its.disagreements):
            yield Block("disagreement", table.key, "disagreement", group_name(one.entry), one.entry.head, one)


def _by_group(found: Sequence[Reach]) -> dict[str, tuple[Reach, ...]]:
    groups: dict[str, tuple[Reach, ...]] = {}
    for one in found:
        name = group_name(one.entry)
        groups[name] = (*groups.get(name, ()), one)
    return groups


def cases(one: Disagreement) -> tuple[tuple[str, tuple[Case, ...]], ...]:
    """Titles and images of the two sides."""
    head, baseline, seeds = one.entry.head, one.baseline, seed_words(one.seeds)
    over = f"probabilities of {seeds}" if len(one.seeds) == 1 else f"probabilities averaged over {seeds}"
    return (
        (f"{head} gives the true class more than {baseline} ({over})", one.better),
        (f"{baseline} gives the true class more than {head}", one.worse),
    )


def shown_images(judged: Iterable[PredictionAnalysis]) -> Iterator[tuple[str, Entry, tuple[str, ...]]]:
    """Of each disagreement the table's key, the entry and the images that the page shows."""
    for its in judged:
        for one in its.disagreements:
            yield its.table, one.entry, tuple(case.id for case in (*one.better, *one.worse))


def accuracy(cost: Cost) -> str:
    """`93.21 ± 0.41`."""
    entry = cost.entry
    return f"{entry.mean:.2f}" + (f" ± {entry.std:.2f}" if entry.std is not None else "")
