"""Validation top-1 over epochs: all heads of a backbone in one plot, as in the paper's Figures 4 and 5."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from wisesr.report.convergence import Curve, curves
from wisesr.report.figures.figure import Figure, Spec, group_name, seed_words, slug
from wisesr.report.figures.style import accuracy_scale, by_head
from wisesr.report.study import ReportTable

_WIDTH, _HEIGHT = 480, 300
_MARKS = 12
"""At most so many marks on a curve: they tell heads apart, and do not hide the curve."""
_BANDS = {
    "none": "a single seed, no band",
    "range": "mean of two seeds, the band from one to the other",
    "std": "mean over seeds, the band one standard deviation (n - 1) to either side",
}


def convergence_figures(table: ReportTable, order: Sequence[str]) -> Iterator[Figure]:
    """One for each backbone and settings that has curves.

    Args:
        table: to draw.
        order: of all heads, as of `style.head_order`.
    """
    for entries in table.groups().values():
        found = curves(entries)
        if found:
            group = group_name(entries[0])
            title = f"{group} on {table.title}"
            key = slug(table.key, "convergence", group)
            yield Figure(key, table.key, "convergence", title, _caption(table, found), _spec(table, found, order), group, "")


def _caption(table: ReportTable, found: Sequence[Curve]) -> str:
    what = "held-out images" if table.protocol == "holdout" else "the test split, which chose the epoch too (protocol=paper)"
    kinds = dict.fromkeys(one.band for one in found)
    if len(kinds) == 1:
        how = _BANDS[found[0].band]
    else:
        how = "; ".join(f"{', '.join(one.entry.head for one in found if one.band == kind)}: {_BANDS[kind]}" for kind in kinds)
    seeds = dict.fromkeys(one.seeds for one in found)
    said = "; ".join(f"{', '.join(one.entry.head for one in found if one.seeds == its)} {seed_words(its)}" for its in seeds)
    whose = f"All with {seed_words(found[0].seeds)}." if len(seeds) == 1 else f"Seeds: {said}."
    cut = [one.entry.head for one in found if one.cut]
    ended = f" The curves of {', '.join(cut)} end where the first of their seeds ended." if cut else ""
    return f"Top-1 on {what} after each epoch: {how}. {whose}{ended}"


def _spec(table: ReportTable, found: Sequence[Curve], order: Sequence[str]) -> Spec:
    last = max(one.epochs[-1] for one in found)
    axis = {"tickMinStep": 1, "format": "d", "tickCount": min(last, 10)}
    x = {"field": "epoch", "type": "quantitative", "title": "Epoch", "axis": axis, "scale": {"nice": False, "padding": 6}}
    y = {
        "type": "quantitative",
        "title": "Validation top-1 (%)" if table.protocol == "holdout" else "Test top-1 (%)",
        "scale": accuracy_scale(min(min(one.low) for one in found), max(max(one.high) for one in found)),
    }
    banded = any(one.band != "none" for one in found)
    return {
        "width": _WIDTH,
        "height": _HEIGHT,
        "data": {"values": [_columns(one) for one in found]},
        "transform": [{"flatten": ["epoch", "mean", "low", "high"]}],
        "layer": _layers(x, y, by_head("head", order, [one.entry.head for one in found], _WIDTH), -(-last // _MARKS), banded),
    }


def _layers(x: Spec, y: Spec, look: Spec, every: int, banded: bool) -> list[Spec]:
    """The band, the line, a mark at every so many epochs, and what can be pointed at."""
    mean = {"x": x, "y": y | {"field": "mean"}}
    color = {"color": look["color"]}
    band = {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}} | color
    layers: list[Spec] = [{"mark": {"type": "area", "opacity": 0.16, "clip": True}, "encoding": band}] if banded else []
    return [
        *layers,
        {"mark": {"type": "line", "strokeWidth": 2, "strokeJoin": "round"}, "encoding": mean | color},
        {
            "transform": [{"filter": f"(datum.epoch - 1) % {every} == 0"}],
            "mark": {"type": "point", "filled": True, "size": 50, "opacity": 1},
            "encoding": mean | look,
        },
        {
            "name": "hover",  # left out where nothing can be pointed at: render.still
            "mark": {"type": "circle", "size": 160, "opacity": 0},
            "encoding": mean | {"tooltip": _tooltip()},
        },
    ]


def _columns(one: Curve) -> dict[str, Any]:
    """A head's figures in columns, which Vega-Lite's `flatten` makes rows of: names stand once."""
    percent = {"mean": one.mean, "low": one.low, "high": one.high}
    rounded = {name: [round(value, 2) for value in values] for name, values in percent.items()}
    return {"head": one.entry.head, "seeds": len(one.seeds), "epoch": list(one.epochs)} | rounded


def _tooltip() -> list[dict[str, str]]:
    percent = {"type": "quantitative", "format": ".2f"}
    return [
        {"field": "head", "type": "nominal"},
        {"field": "epoch", "type": "quantitative"},
        *({"field": name, "title": f"{name}, %"} | percent for name in ("mean", "low", "high")),
        {"field": "seeds", "type": "quantitative"},
    ]
