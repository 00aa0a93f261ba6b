"""Critical-difference diagrams: heads at their mean ranks over datasets, and bars over those that no test sets apart.

The form is that of Demsar 2006 (JMLR 7:1-30, figure 1): the axis above, the better half of the heads named at the left, the
others at the right, so that no line crosses another. The bars are of tests of pairs, so there is no one critical difference to
draw.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from wisesr.report.figures.figure import Figure, Spec, file_name
from wisesr.report.figures.style import by_head
from wisesr.report.ranking import Ranking
from wisesr.report.tables.ranking_sentences import caption
from wisesr.wording import count_of

_WIDTH = 440
"""Of the axis, px; names stand beside it."""
_STEP, _LANE, _GAP = 21, 9, 13
"""Height of a name and of a bar, and what is free above and below the bars, px."""
_ASIDE = 11
"""px between the axis' ends and the names: a mark may stand at either end."""
_OVER = 5
"""px that a bar goes beyond its heads."""


def rank_figures(rankings: Iterable[Ranking], order: Sequence[str]) -> Iterator[Figure]:
    """One for each ranking that is not refused; `order` is of the study's heads, as of `style.head_order`."""
    for ranking in rankings:
        if not ranking.refused:
            key = file_name(ranking.key, "critical-difference")
            yield Figure(key, ranking.key, "ranks", ranking.title, caption(ranking), _spec(ranking, order), "", "")


def _spec(ranking: Ranking, order: Sequence[str]) -> Spec:
    bars = _bars(ranking)
    top = 2 * _GAP + _LANE * (1 + max((bar["lane"] for bar in bars), default=-1))
    rows = _rows(ranking, top)
    height = max(row["y"] for row in rows) + _GAP
    heads = by_head(order, [head.head for head in ranking.heads], _WIDTH)
    return {
        "width": _WIDTH,
        "height": height,
        "data": {"values": rows},
        "layer": [*_lines(ranking, height), *_joined(bars, ranking, height), *_names(ranking, height, heads)],
    }


def _rows(ranking: Ranking, top: int) -> list[dict[str, Any]]:
    """A row a head: the better half from the top down at the left, the others from the bottom up at the right."""
    half = (len(ranking.heads) + 1) // 2
    rows = []
    for place, head in enumerate(ranking.heads):
        left = place < half
        down = place if left else len(ranking.heads) - 1 - place
        name = f"{head.head}  {head.rank:.2f}" if left else f"{head.rank:.2f}  {head.head}"
        y = top + _STEP * down + _STEP // 2
        figures = {"rank": round(head.rank, 3), "mean": round(head.mean, ranking.metric.decimals)}
        rows.append({"head": head.head, "name": name, "side": "left" if left else "right", "top": 0, "y": y} | figures)
    return rows


def _bars(ranking: Ranking) -> list[dict[str, Any]]:
    """A row a bar; those that would touch lie below one another."""
    over = _OVER * _span(ranking) / _WIDTH
    ends: list[float] = []
    rows = []
    for bar in ranking.bars:
        low, high = ranking.heads[bar[0]].rank - over, ranking.heads[bar[-1]].rank + over
        lane = next((lane for lane, end in enumerate(ends) if end + over < low), len(ends))
        ends[lane : lane + 1] = [high]
        rows.append({"low": round(low, 3), "high": round(high, 3), "lane": lane, "y": _GAP + _LANE * lane})
    return rows


def _span(ranking: Ranking) -> int:
    """From the first rank to the last."""
    return len(ranking.heads) - 1


def _axes(ranking: Ranking, height: int) -> tuple[Spec, Spec]:
    """Encodings of x, the rank, and of y, px from the axis down; without their fields."""
    title = f"Mean rank over {count_of(len(ranking.of.datasets), 'dataset')} (1 is the best)"
    ticks = list(range(1, len(ranking.heads) + 1))
    axis = {"orient": "top", "title": title, "values": ticks, "format": "d", "grid": False}
    x = {"type": "quantitative", "scale": {"domain": [1, len(ranking.heads)], "nice": False, "zero": False}, "axis": axis}
    y = {"type": "quantitative", "scale": {"domain": [height, 0], "nice": False, "zero": False}, "axis": None}
    return x, y


def _lines(ranking: Ranking, height: int) -> list[Spec]:
    """From the axis down to each head, and aside to its name."""
    x, y = _axes(ranking, height)
    at, row = {"x": x | {"field": "rank"}}, y | {"field": "y"}
    down: Spec = {"mark": {"type": "rule"}, "encoding": at | {"y": row, "y2": {"field": "top"}}}
    aside: list[Spec] = [
        {
            "transform": [{"filter": f"datum.side == '{side}'"}],
            "mark": {"type": "rule"},
            "encoding": at | {"x2": {"value": edge}, "y": row},
        }
        for side, edge in (("left", 0), ("right", _WIDTH))
    ]
    return [down, *aside]


def _joined(bars: Sequence[dict[str, Any]], ranking: Ranking, height: int) -> list[Spec]:
    """The bars; none where every pair is apart."""
    if not bars:
        return []
    x, y = _axes(ranking, height)
    encoding = {"x": x | {"field": "low"}, "x2": {"field": "high"}, "y": y | {"field": "y"}}
    return [{"data": {"values": list(bars)}, "mark": {"type": "rule", "style": "joined", "clip": False}, "encoding": encoding}]


def _names(ranking: Ranking, height: int, heads: Spec) -> list[Spec]:
    """Names at the sides, marks at the ranks."""
    x, y = _axes(ranking, height)
    row = {"y": y | {"field": "y"}}
    texts: list[Spec] = [
        {
            "transform": [{"filter": f"datum.side == '{side}'"}],
            "mark": {"type": "text", "align": align, "fontSize": 12},
            "encoding": row | {"x": {"value": edge}, "text": {"field": "name", "type": "nominal"}},
        }
        for side, align, edge in (("left", "right", -_ASIDE), ("right", "left", _WIDTH + _ASIDE))
    ]
    unlabelled = {channel: encoding | {"legend": None} for channel, encoding in heads.items()}
    point: Spec = {
        "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
        "encoding": row | {"x": x | {"field": "rank"}} | unlabelled | {"tooltip": _tooltip(ranking)},
    }
    return [*texts, point]


def _tooltip(ranking: Ranking) -> list[dict[str, str]]:
    mean = {
        "field": "mean",
        "title": ranking.mean_title,
        "format": f".{ranking.metric.decimals}f",
    }
    rank = {"field": "rank", "title": "mean rank", "format": ".2f"}
    return [{"field": "head", "type": "nominal"}, *(each | {"type": "quantitative"} for each in (rank, mean))]
