"""Rankings over datasets as grids of texts: the heads, and the tests of their pairs."""

from __future__ import annotations

from wisesr.report.ranking import Ranking
from wisesr.report.tables.grid import Column, Grid, Text
from wisesr.report.tables.numbers import p_value
from wisesr.report.tables.sentences import STAR


def heads_grid(ranking: Ranking) -> Grid:
    """A row a head, the best first: its mean rank, and its mean over datasets."""
    columns = (
        Column("head", "head"),
        Column("rank", "mean rank"),
        Column("mean", ranking.mean_title),
    )
    digits = ranking.metric.decimals
    rows = tuple((Text(one.head), Text(f"{one.rank:.2f}"), Text(f"{one.mean:.{digits}f}")) for one in ranking.heads)
    return Grid(columns, rows, 1)


def pairs_grid(ranking: Ranking) -> Grid:
    """A row a pair, those that differ marked: on how many datasets either is ahead, p, p after Holm."""
    titles = {"first": "head", "second": "against", "ahead": "ahead", "behind": "behind", "p": "p", "p_holm": "p after Holm"}
    apart = set(ranking.apart)
    rows = tuple(
        (
            Text(ranking.heads[pair.first].head),
            Text(ranking.heads[pair.second].head),
            *map(Text, (str(pair.higher), str(pair.lower), p_value(pair.p))),
            Text(p_value(pair.p_holm) + STAR * (pair in apart)),
        )
        for pair in ranking.pairs
    )
    return Grid(tuple(Column(*item) for item in titles.items()), rows, 2)
