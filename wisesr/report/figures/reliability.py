"""Reliability: how often a model is right where it says so with some probability, beside the probability itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wisesr.report.figures.figure import Spec
from wisesr.results.predictions import ReliabilityBin

_SIDE = 320
_HISTOGRAM = 70
"""Height of the shares of images, px."""
_GAP = 0.002
"""Between bars, on the axis."""
_LEGEND = "Bars: share that is right. Lines: mean probability. Equal on the diagonal."


def reliability_spec(bins: Sequence[ReliabilityBin], title: str, subtitle: str) -> Spec:
    """Above, the share that is right in each bin beside its mean probability; below, the share of all images in it.

    Args:
        bins: in order; one of no width (a probability of exactly 1) is drawn with the one before it.
        title: of the figure.
        subtitle: what was measured, and how well it is calibrated.
    """
    total = max(1, sum(own.images for own in bins))
    rows = [_row(own, total) for own in _with_width(bins) if own.images]
    x = {"field": "low", "type": "quantitative", "title": None, "axis": _axis(), "scale": {"domain": [0, 1]}}
    return {
        "title": {"text": title, "subtitle": [subtitle, _LEGEND], "subtitlePadding": 4},
        "data": {"values": rows},
        "vconcat": [_bars(x), _shares(x | {"title": "Probability of the predicted class"})],
        "spacing": 10,
    }


def _with_width(bins: Sequence[ReliabilityBin]) -> list[ReliabilityBin]:
    """The bins, those of no width joined to the ones before them."""
    found: list[ReliabilityBin] = []
    for own in bins:
        if own.low < own.high or not found:
            found.append(own)
        elif own.images:
            before = found[-1]
            counts = before.images, own.images
            confidence = _mean((before.confidence, own.confidence), counts)
            accuracy = _mean((before.accuracy, own.accuracy), counts)
            found[-1] = ReliabilityBin(before.low, own.high, sum(counts), confidence, accuracy)
    return found


def _mean(values: tuple[float | None, float | None], counts: tuple[int, int]) -> float:
    """Of two groups of images; a group without images has no value."""
    return sum((value or 0.0) * count for value, count in zip(values, counts, strict=True)) / sum(counts)


def _row(own: ReliabilityBin, total: int) -> dict[str, Any]:
    """A bin with a gap to its neighbours."""
    columns = own._asdict() | {"low": own.low + _GAP, "high": own.high - _GAP}
    return columns | {"share": own.images / total}


def _axis() -> dict[str, Any]:
    return {"format": ".1f", "values": [0, 0.2, 0.4, 0.6, 0.8, 1]}


def _bars(x: Spec) -> Spec:
    y = {"type": "quantitative", "scale": {"domain": [0, 1]}, "axis": _axis() | {"grid": True}, "title": "Share that is right"}
    across = {"x": x, "x2": {"field": "high"}}
    diagonal = [{"at": 0, "is": 0}, {"at": 1, "is": 1}]
    at = {"field": "at", "type": "quantitative", "scale": {"domain": [0, 1]}}
    return {
        "width": _SIDE,
        "height": _SIDE,
        "layer": [
            {
                "mark": {"type": "bar", "style": "bar-plain", "opacity": 0.85},
                "encoding": across | {"y": y | {"field": "accuracy"}, "y2": {"datum": 0}},
            },
            {
                "data": {"values": diagonal},
                "mark": {"type": "line", "strokeDash": [4, 4], "strokeWidth": 1.2, "color": "#444444"},
                "encoding": {"x": at, "y": y | {"field": "is"}},
            },
            {
                "mark": {"type": "rule", "strokeWidth": 2.5, "color": "#d55e00"},
                "encoding": across | {"y": y | {"field": "confidence"}},
            },
        ],
    }


def _shares(x: Spec) -> Spec:
    y = {"field": "share", "type": "quantitative", "title": "Images", "axis": {"format": "%", "tickCount": 2, "grid": True}}
    return {
        "width": _SIDE,
        "height": _HISTOGRAM,
        "mark": {"type": "bar", "style": "bar-plain", "opacity": 0.85},
        "encoding": {"x": x, "x2": {"field": "high"}, "y": y, "y2": {"datum": 0}},
    }
