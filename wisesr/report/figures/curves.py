"""Curves over epochs, or over whatever else is counted, with their bands, as several figures have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wisesr.report.convergence import Curve
from wisesr.report.figures.figure import Spec, seed_list

_MARKS = 12
"""At most so many marks on a curve: they tell heads apart, and do not hide the curve."""
_BANDS = {
    "none": "one seed, no band",
    "range": "mean of two seeds, with a band from one to the other",
    "std": "mean over seeds, with a band of one standard deviation (n \N{MINUS SIGN} 1) to either side",
}

TOGETHER = 9
"""Heads beside the baseline in one plot, at most."""


def columns(curve: Curve, digits: int = 2, field: str = "epoch") -> dict[str, Any]:
    """A head's figures in columns, which Vega-Lite's `flatten` makes rows of: names stand once.

    Args:
        curve: of the head.
        digits: after the point.
        field: what the curve's epochs are called.
    """
    figures = {"mean": curve.mean, "low": curve.low, "high": curve.high}
    rounded = {name: [round(value, digits) for value in values] for name, values in figures.items()}
    return {"head": curve.entry.head, "seeds": len(curve.seeds), field: list(curve.epochs)} | rounded


def epoch_axis(last: int, ticks: int = 10, field: str = "epoch", title: str = "Epoch") -> Spec:
    """The encoding of x up to the last epoch, or whatever else is counted from 1."""
    axis: Spec = {"format": "d", "tickCount": ticks}
    if last <= ticks:  # Vega would set some between two epochs
        axis["values"] = list(range(1, last + 1))
    return {"field": field, "type": "quantitative", "title": title, "axis": axis, "scale": {"nice": False, "padding": 6}}


def curve_layers(x: Spec, y: Spec, heads: Spec, *, last: int, banded: bool) -> Spec:
    """`transform` and `layer` of a view: the band, the line, a mark at every so many epochs, and what can be pointed at.

    Args:
        x: as of `epoch_axis`.
        y: encoding of the figure, without its field.
        heads: as of `style.by_head`.
        last: epoch.
        banded: whether there is a band.
    """
    mean, at = {"x": x, "y": y | {"field": "mean"}}, str(x["field"])
    color = {"color": heads["color"]}
    band = {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}} | color
    layers: list[Spec] = [{"mark": {"type": "area", "opacity": 0.16, "clip": True}, "encoding": band}] if banded else []
    layers += [
        {"mark": {"type": "line", "strokeWidth": 2, "strokeJoin": "round"}, "encoding": mean | color},
        {
            "transform": [{"filter": f"(datum.{at} - 1) % {-(-last // _MARKS)} == 0"}],
            "mark": {"type": "point", "filled": True, "size": 50, "opacity": 1},
            "encoding": mean | heads,
        },
        {
            "name": "hover",  # left out where nothing can be pointed at: render.still
            "mark": {"type": "circle", "size": 160, "opacity": 0},
            "encoding": mean | {"tooltip": _tooltip(at, str(y["title"]))},
        },
    ]
    return {"transform": [{"flatten": [at, "mean", "low", "high"]}], "layer": layers}


def level_line(level: float, y: Spec) -> Spec:
    """A layer below the curves: a dashed line across the view.

    Args:
        level: in the unit of y.
        y: encoding of the figure, without its field.
    """
    mark = {"type": "rule", "strokeDash": [5, 4], "strokeWidth": 1, "opacity": 0.75}
    return {"data": {"values": [{"level": round(level, 2)}]}, "mark": mark, "encoding": {"y": y | {"field": "level"}}}


def _tooltip(at: str, title: str) -> list[dict[str, str]]:
    figures = {"mean": title, "low": "band from", "high": "band to"}
    return [
        {"field": "head", "type": "nominal"},
        {"field": at, "type": "quantitative"},
        *({"field": name, "title": text, "type": "quantitative"} for name, text in figures.items()),
        {"field": "seeds", "type": "quantitative"},
    ]


def in_parts(heads: Sequence[str], baseline: str) -> list[list[str]]:
    """Heads whose curves are drawn together, the baseline in every part; parts are of about one size."""
    first, others = [head for head in heads if head == baseline], [head for head in heads if head != baseline]
    count = max(1, -(-len(others) // TOGETHER))
    size = -(-len(others) // count)
    return [first + others[at : at + size] for at in range(0, max(1, len(others)), max(1, size))]


def same_curves(curves: Sequence[Curve]) -> str:
    """Names heads that became the same computation, as wise and depthwise_nonneg do on small maps: one hides the other."""
    heads: dict[tuple[float, ...], list[str]] = {}
    for curve in curves:
        heads.setdefault((*curve.epochs, *curve.mean), []).append(curve.entry.head)
    return "".join(f" The curves of {' and '.join(names)} are the same." for names in heads.values() if len(names) > 1)


def band_words(shown: Sequence[Curve]) -> str:
    """What the bands are, by head where they are of several kinds."""
    kinds = dict.fromkeys(curve.band for curve in shown)
    if len(kinds) == 1:
        return _BANDS[shown[0].band]
    heads = {kind: ", ".join(curve.entry.head for curve in shown if curve.band == kind) for kind in kinds}
    return "; ".join(f"{heads[kind]}: {_BANDS[kind]}" for kind in kinds)


def seed_words(shown: Sequence[Curve]) -> str:
    """Seeds of the curves, by head where they differ."""
    groups = dict.fromkeys(curve.seeds for curve in shown)
    if len(groups) == 1:
        return f"All with {seed_list(shown[0].seeds)}."
    texts = (f"{', '.join(curve.entry.head for curve in shown if curve.seeds == own)} {seed_list(own)}" for own in groups)
    return f"Seeds: {'; '.join(texts)}."
