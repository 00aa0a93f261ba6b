"""Of many classes the pairs that are confused most, and those whose share changed most from the baseline to a head."""

from __future__ import annotations

from typing import Any

from wisesr.report.confusion import Confusion, ConfusionPair
from wisesr.report.figures.class_axes import SIGNED, class_names
from wisesr.report.figures.figure import Spec

MOST = 40
"""Pairs of one head."""
CHANGED = 15
"""Pairs whose share fell most, and whose rose most."""
BESIDE = 20
"""Pairs of the head itself that are shown below these."""
_WIDTH = 300
_ROW = 17


def confused(confusion: Confusion, most: int = MOST) -> Spec:
    """The pairs with the most images, and their share of the true class."""
    totals = confusion.counts.sum(axis=1)
    rows = [
        _named(confusion, pair)
        | {
            "images": int(confusion.counts[pair]),
            "share": round(100 * float(confusion.counts[pair] / totals[pair[0]]), 1),
        }
        for pair in confusion.pairs()[:most]
    ]
    ticks = min(6, max((row["images"] for row in rows), default=1))
    axis = {"grid": True, "format": "d", "tickCount": ticks}
    x = {"field": "images", "type": "quantitative", "title": "Images, all seeds", "axis": axis}
    tooltip = [*_classes(), _number("images"), _number("share", "% of the true class")]
    return {
        "width": _WIDTH,
        "height": {"step": _ROW},
        "data": {"values": rows},
        "encoding": {"y": _y(), "x": x},
        "layer": [
            {"mark": {"type": "bar", "height": 11, "style": "bar-plain"}, "encoding": {"tooltip": tooltip}},
            {
                "transform": [{"calculate": "format(datum.share, '.0f') + ' %'", "as": "percentage"}],
                "mark": {"type": "text", "align": "left", "dx": 4},
                "encoding": {"text": {"field": "percentage"}},
            },
        ],
    }


def changed(pair: ConfusionPair) -> Spec:
    """The pairs whose share fell most, then those whose rose most; below them the most confused ones of the head."""
    below = confused(pair.head, BESIDE) | {"title": "Most confused by the head itself"}
    above = _changed(pair) | {"title": "Changed most"}
    return {"vconcat": [above, below] if pair.head.pairs() else [above], "resolve": {"scale": {"y": "independent"}}}


def _changed(pair: ConfusionPair) -> Spec:
    shares = [100 * one.shares() for one in (pair.head, pair.baseline)]
    fell, rose = pair.changed()
    rows = [
        _named(pair.head, at)
        | {"share": round(float(shares[0][at]), 1), "share_before": round(float(shares[1][at]), 1)}
        | {"change": round(float(shares[0][at] - shares[1][at]), 2)}
        | {"images": int(pair.head.counts[at]), "before": int(pair.baseline.counts[at])}
        for at in [*fell[:CHANGED], *reversed(rose[:CHANGED])]
    ]
    title = "Change of the true class's share (points)"
    axis = {"grid": True, "labelExpr": SIGNED, "tickCount": 6}
    x = {"field": "change", "type": "quantitative", "title": title, "axis": axis, "scale": {"padding": 62}}
    # Two tones of the colours that part at 0: less of a confusion is better.
    color = {"field": "tone", "type": "quantitative", "scale": {"domain": [-3, 3], "range": "diverging"}, "legend": None}
    return {
        "width": _WIDTH,
        "height": {"step": _ROW},
        "data": {"values": rows},
        "transform": [
            {"calculate": "datum.change < 0 ? 2 : -2", "as": "tone"},
            {
                "calculate": "format(datum.share_before, '.0f') + ' \N{RIGHTWARDS ARROW} ' + format(datum.share, '.0f') + ' %'",
                "as": "text",
            },
        ],
        "encoding": {"y": _y(), "x": x},
        "layer": [
            {"mark": {"type": "bar", "height": 11}, "encoding": {"color": color, "tooltip": _tooltip(pair)}},
            *(
                {
                    "transform": [{"filter": f"datum.change {sign} 0"}],
                    "mark": {"type": "text", "align": align, "dx": away},
                    "encoding": {"text": {"field": "text"}},
                }
                for sign, align, away, any_there in (("<", "right", -4, fell), (">", "left", 4, rose))
                if any_there
            ),
        ],
    }


def _named(confusion: Confusion, pair: tuple[int, int]) -> dict[str, Any]:
    names, (true, predicted) = class_names(confusion.classes), pair
    text = f"{names[true]} \N{RIGHTWARDS ARROW} {names[predicted]}"
    return {"pair": text, "true": confusion.classes[true], "predicted": confusion.classes[predicted]}


def _y() -> Spec:
    axis = {"labelLimit": 360, "ticks": False, "grid": False}
    return {"field": "pair", "type": "nominal", "sort": None, "title": None, "axis": axis}


def _classes() -> list[Spec]:
    return [{"field": name, "title": f"{name} class", "type": "nominal"} for name in ("true", "predicted")]


def _number(field: str, title: str = "", form: str = "") -> Spec:
    return {"field": field, "title": title or field, "type": "quantitative"} | ({"format": form} if form else {})


def _tooltip(pair: ConfusionPair) -> list[Spec]:
    heads = {"": pair.head.entry.head, "_before": pair.baseline.entry.head}
    shares = [_number(f"share{end}", f"{head}, %", ".1f") for end, head in heads.items()]
    counts = [_number(field, f"{head}, images", ",d") for field, head in zip(("images", "before"), heads.values(), strict=True)]
    return [*_classes(), _number("change", "change, points", "+.1f"), *shares, *counts]
