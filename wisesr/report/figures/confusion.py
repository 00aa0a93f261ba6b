"""Confusion matrices; of many classes the pairs that are confused most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from wisesr.report.confusion import Confusion
from wisesr.report.figures.figure import Figure, Spec, group_name, seed_words, slug
from wisesr.report.study import ReportTable

CLASSES = 40
"""A matrix of more is not legible, and large."""
_PAIRS = 40
_WRITTEN = 12
"""Up to so many classes, figures stand in the matrix."""
_SIDE = 440
"""Of a matrix, px."""
_STRONG = 30
"""Share whose colour asks for the other ink, %."""
_CUT = 16
"""Letters of a long name at either end."""


def confusion_figures(table: ReportTable, confusions: Iterable[Confusion]) -> Iterator[Figure]:
    """One for each entry.

    Args:
        table: that they are of.
        confusions: of its entries.
    """
    for one in confusions:
        group, head = group_name(one.entry), one.entry.head
        small = len(one.classes) <= CLASSES
        if not small and not one.pairs():
            continue  # all are right: there is nothing to list
        title = f"{'Confusion' if small else 'Most confused classes'} of {head}, {group} on {table.title}"
        key = slug(table.key, "confusion", group, head)
        spec = _matrix(one) if small else _pairs(one)
        yield Figure(key, table.key, "confusion", title, _caption(one, small), spec, group, head)


def _caption(one: Confusion, small: bool) -> str:
    total = int(one.counts.sum())
    together = " together" if len(one.seeds) > 1 else ""
    whose = f"{total:,} answers on the test split, {seed_words(one.seeds)}{together}."
    if small:
        return f"Share of each true class (row) that was taken for each class (column), %, coloured by its root. {whose}"
    wrong = total - int(np.trace(one.counts))
    return (
        f"{whose} {wrong:,} are wrong; of {len(one.pairs()):,} pairs of classes that were confused, the {_PAIRS} with the most "
        "images: the true class, and what it was taken for. At the bars, the share of the true class's images."
    )


def _names(one: Confusion) -> list[str]:
    """Of the classes, long ones without their middle, as an axis would cut the end, which tells them apart more often."""
    short = [
        f"{name[:_CUT]}\N{HORIZONTAL ELLIPSIS}{name[-_CUT:]}" if len(name) > 2 * _CUT + 2 else name for name in one.classes
    ]
    return short if len(set(short)) == len(short) else list(one.classes)


def _matrix(one: Confusion) -> Spec:
    shares = 100 * one.shares()
    number = len(one.classes)
    step = max(11, min(44, _SIDE // number))
    names = _names(one)
    rows = [
        {"true": names[true], "said": [names[said] for said in row], "images": one.counts[true, row].tolist()}
        | {"share": [round(value, 1) for value in shares[true, row]]}
        for true, row in ((true, np.flatnonzero(one.counts[true])) for true in range(number))
        if len(row)
    ]
    size = min(12, max(8, step - 2))
    axis = {"labelFontSize": size, "labelLimit": 200, "labelOverlap": False, "grid": False, "domain": False, "ticks": False}
    angle = 0 if step > 20 and max(map(len, names)) < 5 else -45 if step > 20 else -90
    band = {"type": "nominal", "sort": names, "scale": {"domain": names, "padding": 0}}
    x = {"field": "said", "title": "Said"} | band | {"axis": axis | {"labelAngle": angle}}
    place = {"x": x, "y": {"field": "true", "title": "True class"} | band | {"axis": axis}}
    # Roots, or the few images off the diagonal would not be seen beside it.
    scale = {"type": "sqrt", "domain": [0, 100], "range": "heatmap", "interpolate": "rgb"}
    legend = {"title": "%", "gradientLength": min(160, step * number), "gradientThickness": 10, "values": [0, 5, 20, 50, 100]}
    color = {"field": "share", "type": "quantitative", "scale": scale, "legend": legend}
    ground: Spec = {"data": {"values": [{}]}, "mark": {"type": "rect", "style": "matrix"}}  # shares of 0 are not in the data
    layers: list[Spec] = [ground, {"mark": "rect", "encoding": place | {"color": color, "tooltip": _tooltip()}}]
    if number <= _WRITTEN:
        text = {"field": "share", "type": "quantitative", "format": ".0f"}
        for style, test in (("on-weak", f"datum.share < {_STRONG}"), ("on-strong", f"datum.share >= {_STRONG}")):
            mark = {"type": "text", "style": style, "fontSize": min(11, step // 3 + 2)}
            told = place | {"text": text, "tooltip": _tooltip()}  # who points at a figure does not point at the ground below it
            layers.append({"transform": [{"filter": test}], "mark": mark, "encoding": told})
    return {
        "width": {"step": step},
        "height": {"step": step},
        "data": {"values": rows},
        "transform": [{"flatten": ["said", "images", "share"]}],
        "layer": layers,
    }


def _pairs(one: Confusion) -> Spec:
    totals, names = one.counts.sum(axis=1), _names(one)
    rows: list[dict[str, Any]] = [
        {
            "pair": f"{names[true]} \N{RIGHTWARDS ARROW} {names[said]}",
            "true": one.classes[true],
            "said": one.classes[said],
            "images": int(one.counts[true, said]),
            "share": round(100 * float(one.counts[true, said] / totals[true]), 1),
        }
        for true, said in one.pairs()[:_PAIRS]
    ]
    y = {
        "field": "pair",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"labelLimit": 360, "ticks": False, "grid": False},
    }
    most = min(6, max((row["images"] for row in rows), default=1))
    x = {
        "field": "images",
        "type": "quantitative",
        "title": "Images, all seeds",
        "axis": {"grid": True, "format": "d", "tickCount": most},
    }
    return {
        "width": 300,
        "height": {"step": 17},
        "data": {"values": rows},
        "encoding": {"y": y, "x": x},
        "layer": [
            {"mark": {"type": "bar", "height": 11, "style": "bar-plain"}, "encoding": {"tooltip": _tooltip()}},
            {
                "transform": [{"calculate": "format(datum.share, '.0f') + ' %'", "as": "told"}],
                "mark": {"type": "text", "align": "left", "dx": 4},
                "encoding": {"text": {"field": "told"}},
            },
        ],
    }


def _tooltip() -> list[dict[str, Any]]:
    return [
        {"field": "true", "title": "true class", "type": "nominal"},
        {"field": "said", "type": "nominal"},
        {"field": "images", "type": "quantitative"},
        {"field": "share", "title": "% of the true class", "type": "quantitative"},
    ]
