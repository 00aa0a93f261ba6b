"""What the page shows of heads ranked over datasets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from wisesr.report.figures import Figure
from wisesr.report.ranking import Ranking, rankings
from wisesr.report.tables.ranking_sentences import notes, verdict
from wisesr.report.whole_study import Study


class RankingPart(NamedTuple):
    """A ranking, or in its place the reason why there is none."""

    ranking: Ranking
    verdict: str
    notes: tuple[str, ...]
    figures: tuple[Figure, ...]


def ranking_parts(study: Study, figures: Iterable[Figure]) -> tuple[RankingPart, ...]:
    """A part for each ranking of the study, with its figure out of all figures."""
    drawn = [figure for figure in figures if figure.section == "ranks"]
    return tuple(
        RankingPart(ranking, verdict(ranking), notes(ranking), tuple(figure for figure in drawn if figure.table == ranking.key))
        for ranking in rankings(study)
    )
