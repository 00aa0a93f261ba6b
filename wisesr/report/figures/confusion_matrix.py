"""Confusion matrices: of one head, and how that of a head differs from the baseline's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from wisesr.report.confusion import Confusion, ConfusionPair
from wisesr.report.figures.class_axes import class_names, matrix_axes, matrix_ground
from wisesr.report.figures.figure import Spec

_WRITTEN = 12
"""Up to so many classes, figures stand in the matrix."""
_SIDE = 440
"""Width and height of a matrix, px, at most."""
_STRONG = 30
"""Share whose colour asks for the other ink, %."""
_STRONG_CHANGE = 0.6
"""Likewise, of the largest change."""
_BETTER = "format(abs(datum.value), '~r') + (datum.value > 0 ? ' better' : datum.value < 0 ? ' worse' : '')"
"""Labels of the colours."""
_SEEN = 0.05
"""Change that is written, points: less would be 0.0."""


def matrix(confusion: Confusion) -> Spec:
    """Shares of each true class, percent."""
    number, names = len(confusion.classes), class_names(confusion.classes)
    step = _step(number)
    place = matrix_axes(names, step)
    # Roots, or the few images off the diagonal would not be seen beside it.
    scale = {"type": "sqrt", "domain": [0, 100], "range": "heatmap", "interpolate": "rgb"}
    legend = _legend(step * number) | {"title": "%", "values": [0, 5, 20, 50, 100]}
    color = {"field": "share", "type": "quantitative", "scale": scale, "legend": legend}
    ground: Spec = {"mark": {"type": "rect", "style": "matrix"}}
    layers: list[Spec] = [*matrix_ground(confusion, names, place, step, ground)]
    layers.append({"mark": "rect", "encoding": place | {"color": color, "tooltip": _tooltip()}})
    text = {"field": "share", "type": "quantitative", "format": ".0f"}
    # Who points at a figure does not point at the ground below it.
    written = _written(place | {"text": text, "tooltip": _tooltip()}, step, f"datum.share >= {_STRONG}")
    return _size(step) | {
        "data": {"values": _rows(confusion, names)},
        "transform": [{"flatten": ["predicted", "images", "share"]}],
        "layer": layers + (written if number <= _WRITTEN else []),
    }


def difference_map(pair: ConfusionPair) -> Spec:
    """Changes of the shares from the baseline to the head, points; the colour says which are better, and which worse."""
    number, names = len(pair.head.classes), class_names(pair.head.classes)
    step, most = _step(number), largest_change(pair)
    place = matrix_axes(names, step)
    scale = {"domain": [-most, most], "range": "diverging", "interpolate": "rgb"}
    legend = _legend(step * number) | {"title": "points", "values": [-most, 0, most], "labelExpr": _BETTER}
    color = {"type": "quantitative", "scale": scale, "legend": legend}
    ground: Spec = {"mark": "rect", "encoding": {"color": color | {"datum": 0}}}
    layers: list[Spec] = [*matrix_ground(pair.head, names, place, step, ground)]
    layers.append(
        {"mark": "rect", "encoding": place | {"color": color | {"field": "better"}, "tooltip": _change_tooltip(pair)}}
    )
    layers.append(_diagonal(names, place))
    seen = {"filter": f"abs(datum.change) >= {_SEEN}"}
    encoding = place | {"text": {"field": "text", "type": "nominal"}, "tooltip": _change_tooltip(pair)}
    written = _written(encoding, step, f"abs(datum.change) >= {_STRONG_CHANGE * most}", seen)
    return _size(step) | {
        "data": {"values": _changes(pair, names)},
        "transform": _differences(),
        "layer": layers + (written if number <= _WRITTEN else []),
    }


def _diagonal(names: Sequence[str], place: Spec) -> Spec:
    """A line around what is predicted right, where more is better."""
    mark = {"type": "rect", "filled": False, "style": "on-weak", "strokeWidth": 1, "strokeOpacity": 0.35, "tooltip": None}
    return {"data": {"values": [{"true": name, "predicted": name} for name in names]}, "mark": mark, "encoding": place}


def largest_change(pair: ConfusionPair) -> float:
    """The ends of the scale of changes, points: whole ones, at least 1."""
    return float(max(1, math.ceil(float(np.abs(np.nan_to_num(pair.changes())).max()))))


def _step(number: int) -> int:
    return max(11, min(44, _SIDE // number))


def _size(step: int) -> Spec:
    return {"width": {"step": step}, "height": {"step": step}}


def _legend(height: int) -> Spec:
    return {"gradientLength": min(160, height), "gradientThickness": 10}


def _rows(confusion: Confusion, names: Sequence[str]) -> list[dict[str, Any]]:
    """A row of each true class that has images, in columns of the classes that were predicted for it."""
    shares, counts = 100 * confusion.shares(), confusion.counts
    predicted = {true: np.flatnonzero(counts[true]).tolist() for true in range(len(names))}
    return [
        {
            "true": names[true],
            "predicted": [names[index] for index in indices],
            "images": counts[true, indices].tolist(),
            "share": [round(value, 1) for value in shares[true, indices]],
        }
        for true, indices in predicted.items()
        if indices
    ]


def _changes(pair: ConfusionPair, names: Sequence[str]) -> list[dict[str, Any]]:
    """Likewise, of the classes that either head predicted for it; the drawing makes shares of them, to save room."""
    head, baseline = pair.head.counts, pair.baseline.counts
    predicted = {true: np.flatnonzero(head[true] + baseline[true]).tolist() for true in range(len(names))}
    return [
        {
            "true": names[true],
            "total": int(head[true].sum()),
            "predicted": [names[index] for index in indices],
            "images": head[true, indices].tolist(),
            "before": baseline[true, indices].tolist(),
        }
        for true, indices in predicted.items()
        if indices
    ]


def _differences() -> list[Spec]:
    """From counts to shares and their change; both heads have as many images of a class."""
    text = "format(datum.change, abs(datum.change) < 9.95 ? '+.1f' : '+.0f')"
    return [
        {"flatten": ["predicted", "images", "before"]},
        {"calculate": "100 * datum.images / datum.total", "as": "share"},
        {"calculate": "100 * datum.before / datum.total", "as": "share_before"},
        {"calculate": "datum.share - datum.share_before", "as": "change"},
        {"calculate": "round(100 * (datum['true'] === datum.predicted ? datum.change : -datum.change)) / 100", "as": "better"},
        {"calculate": text, "as": "text"},
    ]


def _written(encoding: Spec, step: int, strong: str, *first: Spec) -> list[Spec]:
    """Layers of figures, in the ink that shows on their ground; `strong` is a test of grounds that ask for the other ink."""
    mark = {"type": "text", "fontSize": min(11, step // 3 + 2)}
    return [
        {"transform": [*first, {"filter": test}], "mark": mark | {"style": style}, "encoding": encoding}
        for style, test in (("on-weak", f"!({strong})"), ("on-strong", strong))
    ]


def _tooltip() -> list[dict[str, Any]]:
    return [
        {"field": "true", "title": "true class", "type": "nominal"},
        {"field": "predicted", "title": "predicted class", "type": "nominal"},
        {"field": "images", "type": "quantitative"},
        {"field": "share", "title": "% of the true class", "type": "quantitative"},
    ]


def _change_tooltip(pair: ConfusionPair) -> list[dict[str, Any]]:
    """Both heads' counts and shares: what each head's own matrix would tell."""
    head, baseline = pair.head.entry.head, pair.baseline.entry.head
    classes = {"true": "true class", "predicted": "predicted class"}
    counts = {"images": f"{head}, images", "before": f"{baseline}, images", "total": "images of the true class"}
    shares = {"share": f"{head}, %", "share_before": f"{baseline}, %"}
    return [
        *({"field": name, "title": title, "type": "nominal"} for name, title in classes.items()),
        {"field": "change", "title": "change, points", "type": "quantitative", "format": "+.1f"},
        *({"field": name, "title": title, "type": "quantitative", "format": ".1f"} for name, title in shares.items()),
        *({"field": name, "title": title, "type": "quantitative", "format": ",d"} for name, title in counts.items()),
    ]
