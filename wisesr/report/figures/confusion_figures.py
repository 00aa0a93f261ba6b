"""Confusion matrices; of many classes the pairs that are confused most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from wisesr.report.confusion import Confusion
from wisesr.report.figures.figure import Figure, Spec, file_name, seed_list
from wisesr.report.study import ReportTable
from wisesr.wording import count_of, some_of

CLASSES = 40
"""A matrix of more is not legible, and large."""
_PAIRS = 40
_WRITTEN = 12
"""Up to so many classes, figures stand in the matrix."""
_SIDE = 440
"""Width and height of a matrix, px, at most."""
_STRONG = 30
"""Share whose colour asks for the other ink, %."""
_CUT = 16
"""Letters of a long name at either end."""
_SHOWN = 6
"""Names that a caption lists."""


def confusion_figures(table: ReportTable, confusions: Iterable[Confusion]) -> Iterator[Figure]:
    """One for each entry of the table that has a confusion."""
    for confusion in confusions:
        group, head = confusion.entry.group, confusion.entry.head
        small = len(confusion.classes) <= CLASSES
        if not small and not confusion.pairs():
            continue  # all are right: there is nothing to list
        title = f"{'Confusion matrix' if small else 'Most confused classes'} of {head}, {group} on {table.title}"
        key = file_name(table.key, "confusion", group, head)
        spec = _matrix(confusion) if small else _pairs(confusion)
        yield Figure(key, table.key, "confusion", title, _caption(confusion, small), spec, group, head)


def _caption(confusion: Confusion, small: bool) -> str:
    total = int(confusion.counts.sum())
    together = " together" if len(confusion.seeds) > 1 else ""
    predictions = f"{count_of(total, 'prediction')} on the test split, {seed_list(confusion.seeds)}{together}"
    if small:
        shares = "Percentage of each true class (row) that was predicted as each class (column), on a square-root colour scale."
        return f"{shares} {predictions}.{_absent(confusion)}"
    wrong = total - int(np.trace(confusion.counts))
    return (
        f"{predictions}; {wrong:,} are wrong. Of {len(confusion.pairs()):,} confused pairs (true class and predicted one), "
        f"the {_PAIRS} with the most images. At the bars, the share of the true class's images."
    )


def _absent(confusion: Confusion) -> str:
    """A sentence on empty rows: without images a class has no percentages, which is something else than 0 %."""
    if not (names := confusion.absent):
        return ""
    return f" Without test images, and so without percentages: {some_of(names, _SHOWN)}."


def _names(confusion: Confusion) -> list[str]:
    """Names of classes, long ones without their middle: an axis would cut the end, which tells them apart more often."""
    short = [
        f"{name[:_CUT]}\N{HORIZONTAL ELLIPSIS}{name[-_CUT:]}" if len(name) > 2 * _CUT + 2 else name
        for name in confusion.classes
    ]
    return short if len(set(short)) == len(short) else list(confusion.classes)


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


def _matrix(confusion: Confusion) -> Spec:
    number, names = len(confusion.classes), _names(confusion)
    step = max(11, min(44, _SIDE // number))
    place = _axes(names, step)
    # Roots, or the few images off the diagonal would not be seen beside it.
    scale = {"type": "sqrt", "domain": [0, 100], "range": "heatmap", "interpolate": "rgb"}
    legend = {"title": "%", "gradientLength": min(160, step * number), "gradientThickness": 10, "values": [0, 5, 20, 50, 100]}
    color = {"field": "share", "type": "quantitative", "scale": scale, "legend": legend}
    layers: list[Spec] = [*_ground(confusion, names, place, step)]
    layers.append({"mark": "rect", "encoding": place | {"color": color, "tooltip": _tooltip()}})
    return {
        "width": {"step": step},
        "height": {"step": step},
        "data": {"values": _rows(confusion, names)},
        "transform": [{"flatten": ["predicted", "images", "share"]}],
        "layer": layers + (_written(place, step) if number <= _WRITTEN else []),
    }


def _ground(confusion: Confusion, names: Sequence[str], place: Spec, step: int) -> Iterator[Spec]:
    """Layers below the shares: the colour of 0, which is not in the data; a row without images has none, but says so."""
    ground: Spec = {"type": "rect", "style": "matrix"}
    if not confusion.absent:
        yield {"data": {"values": [{}]}, "mark": ground}
        return
    totals, row = confusion.counts.sum(axis=1), {"y": place["y"]}
    present = [{"true": name} for name, total in zip(names, totals, strict=True) if total]
    absent = [{"true": name, "text": "no test images"} for name, total in zip(names, totals, strict=True) if not total]
    yield {"data": {"values": present}, "mark": ground, "encoding": row}
    yield {
        "data": {"values": absent},
        "mark": {"type": "text", "align": "left", "fontSize": min(11, step - 2)},
        "encoding": row | {"x": {"value": 4}, "text": {"field": "text", "type": "nominal"}},
    }


def _axes(names: list[str], step: int) -> Spec:
    """Encodings of x and y."""
    size = min(12, max(8, step - 2))
    axis = {"labelFontSize": size, "labelLimit": 200, "labelOverlap": False, "grid": False, "domain": False, "ticks": False}
    angle = 0 if step > 20 and max(map(len, names)) < 5 else -45 if step > 20 else -90
    band = {"type": "nominal", "sort": names, "scale": {"domain": names, "padding": 0}}
    x = {"field": "predicted", "title": "Predicted class"} | band | {"axis": axis | {"labelAngle": angle}}
    return {"x": x, "y": {"field": "true", "title": "True class"} | band | {"axis": axis}}


def _written(place: Spec, step: int) -> list[Spec]:
    """Layers of the shares as figures, in the ink that shows on their ground."""
    text = {"field": "share", "type": "quantitative", "format": ".0f"}
    encoding = place | {"text": text, "tooltip": _tooltip()}  # who points at a figure does not point at the ground below it
    return [
        {
            "transform": [{"filter": test}],
            "mark": {"type": "text", "style": style, "fontSize": min(11, step // 3 + 2)},
            "encoding": encoding,
        }
        for style, test in (("on-weak", f"datum.share < {_STRONG}"), ("on-strong", f"datum.share >= {_STRONG}"))
    ]


def _pairs(confusion: Confusion) -> Spec:
    counts, names = confusion.counts, _names(confusion)
    totals = counts.sum(axis=1)
    rows: list[dict[str, Any]] = [
        {
            "pair": f"{names[true]} \N{RIGHTWARDS ARROW} {names[predicted]}",
            "true": confusion.classes[true],
            "predicted": confusion.classes[predicted],
            "images": int(counts[true, predicted]),
            "share": round(100 * float(counts[true, predicted] / totals[true]), 1),
        }
        for true, predicted in confusion.pairs()[:_PAIRS]
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
                "transform": [{"calculate": "format(datum.share, '.0f') + ' %'", "as": "percentage"}],
                "mark": {"type": "text", "align": "left", "dx": 4},
                "encoding": {"text": {"field": "percentage"}},
            },
        ],
    }


def _tooltip() -> list[dict[str, Any]]:
    return [
        {"field": "true", "title": "true class", "type": "nominal"},
        {"field": "predicted", "title": "predicted class", "type": "nominal"},
        {"field": "images", "type": "quantitative"},
        {"field": "share", "title": "% of the true class", "type": "quantitative"},
    ]
