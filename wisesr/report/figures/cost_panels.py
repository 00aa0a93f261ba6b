"""Accuracy against what a head costs: the figures themselves, or how many percent more than the baseline's they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from wisesr.report.costs import MEASURES, Cost
from wisesr.report.figures.class_axes import SIGNED
from wisesr.report.figures.figure import Spec
from wisesr.report.figures.style import accuracy_scale, by_head

_WIDTH, _HEIGHT = 250, 200
_NARROW = 190
"""Width where three panels stand side by side, which fits a sheet and a screen."""
_PANELS = {
    "parameters": "Parameters of the model",
    "head_parameters": "Parameters of the head",
    "flops": "FLOPs per image, forward",
    "step_ms": "Training step (ms)",
}
_OVER = {
    "parameters": "Parameters of the model",
    "flops": "FLOPs per image, forward",
    "step_ms": "Training step",
    "inference_ms": "Inference per image",
}
"""The head's own parameters are what the model has more."""
FAR_APART = 20.0
"""From this ratio of largest to smallest on, an axis is logarithmic."""
_TICKS = 4
"""Powers of ten on either side of 0, at most."""


def cost_row(cost: Cost) -> dict[str, Any]:
    """An entry's accuracy and costs; `low` and `high` are one standard deviation away."""
    spread = cost.entry.std or 0.0
    figures = {"top1": cost.entry.mean, "low": cost.entry.mean - spread, "high": cost.entry.mean + spread}
    row: dict[str, Any] = {"group": cost.entry.group, "head": cost.entry.head, "seeds": len(cost.entry.cells)}
    row |= {name: round(value, 2) for name, value in figures.items()}
    row |= {"parameters": cost.parameters, "head_parameters": cost.head_parameters}
    row |= {} if cost.flops is None else {"flops": int(cost.flops)}
    return row | ({} if cost.step_ms is None else {"step_ms": round(cost.step_ms, 2)})


def cost_panels(costs: Sequence[Cost], order: Sequence[str], baseline: str) -> Spec:
    """A panel for each kind of cost that is known.

    Args:
        costs: of one backbone and settings.
        order: of all heads of the study, as of `style.by_head`.
        baseline: that all but its own are held against; empty for the figures themselves.
    """
    rows = [cost_row(cost) | (_overheads(cost, baseline) if baseline else {}) for cost in costs]
    scale = accuracy_scale(min(row["low"] for row in rows), max(row["high"] for row in rows)) | {"padding": 8}
    y = {"type": "quantitative", "title": "Test top-1 (%)", "scale": scale}
    axes = _overhead_axes(rows, baseline) if baseline else _absolute_axes(rows)
    columns, width = (3, _NARROW) if len(axes) == 3 else (2, _WIDTH)
    heads = by_head(order, [cost.entry.head for cost in costs], columns * width)
    panels = [_panel(rows, x, y, heads, width) for x in axes]
    return {"data": {"values": rows}, "columns": columns, "spacing": 24, "concat": panels}


def far_apart(costs: Sequence[Cost]) -> bool:
    """Whether an axis of overheads is logarithmic."""
    return any(_ratio([cost.over.get(name, 0.0) for cost in costs]) >= FAR_APART for name in _OVER)


def _overheads(cost: Cost, baseline: str) -> dict[str, float]:
    """Fields `parameters_over` and so on: 0 of the baseline, to six digits else, as a head may add a ten-thousandth."""
    if cost.entry.head == baseline:
        return {f"{name}_over": 0.0 for name in MEASURES if getattr(cost, name) is not None}
    return {f"{name}_over": float(f"{percent:.6g}") for name, percent in cost.over.items()}


def _absolute_axes(rows: Sequence[dict[str, Any]]) -> list[Spec]:
    axes = []
    for name, title in _PANELS.items():
        if values := [row[name] for row in rows if name in row]:
            log = min(values) > 0 and max(values) / min(values) >= FAR_APART
            scale = {"type": "log"} if log else {"zero": False, "padding": 16}
            # Where all are equal, the axis would say 296.105984M, and the last digits say nothing.
            form = ",~r" if name == "step_ms" else ".4~s" if len(set(values)) == 1 else "~s"
            ticks = 3 if name == "flops" else 4
            axis = {"format": form, "tickCount": ticks, "labelOverlap": True, "labelSeparation": 8}
            axes.append({"field": name, "type": "quantitative", "title": title, "scale": scale, "axis": axis})
    return axes


def _overhead_axes(rows: Sequence[dict[str, Any]], baseline: str) -> list[Spec]:
    axes = []
    for name, title in _OVER.items():
        field = f"{name}_over"
        values = [row[field] for row in rows if field in row]
        if any(field in row for row in rows if row["head"] != baseline):
            titles = [title, f"(% more than {baseline})"]
            axes.append({"field": field, "type": "quantitative", "title": titles} | overhead_scale(values))
    return axes


def overhead_scale(values: Sequence[float]) -> Spec:
    """Linear; where overheads are far apart, linear up to the smallest and logarithmic from there, on both sides of 0."""
    axis: Spec = {"labelExpr": SIGNED, "tickCount": 4, "labelFlush": False, "labelOverlap": True, "labelSeparation": 8}
    if _ratio(values) >= FAR_APART:
        smallest = min(abs(value) for value in values if value)
        scale = {"type": "symlog", "constant": smallest, "padding": 16, "nice": False}
        return {"scale": scale, "axis": axis | {"values": _powers(values, smallest)}}
    if max(values) == min(values):
        return {"scale": {"domain": [-1, 1]}, "axis": axis}
    return {"scale": {"zero": True, "padding": 16}, "axis": axis}


def _ratio(values: Sequence[float]) -> float:
    """Of the largest to the smallest that is not 0, whatever their signs."""
    sizes = [abs(value) for value in values if value]
    return max(sizes) / min(sizes) if sizes else 1.0


def _powers(values: Sequence[float], smallest: float) -> list[float]:
    """Ticks: 0, and powers of ten up to the values on either side."""
    first, last = math.floor(math.log10(smallest)), math.floor(math.log10(max(map(abs, values))))
    step = max(1, math.ceil((last - first + 1) / _TICKS))
    sizes = [10.0**power for power in range(last, first - 1, -step)]
    low = [-size for size in sizes if -size >= min(values)]
    return [*low, 0.0, *reversed([size for size in sizes if size <= max(values)])]


def _panel(rows: Sequence[dict[str, Any]], x: Spec, y: Spec, heads: Spec, width: int) -> Spec:
    place = {"x": x, "y": y | {"field": "top1"}}
    bar = {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}, "color": heads["color"]}
    point = {"type": "point", "filled": True, "size": 90, "opacity": 1}
    layers: list[Spec] = [
        {"mark": {"type": "rule"}, "encoding": bar},
        {"mark": point, "encoding": place | heads | {"tooltip": cost_tooltip(rows)}},
    ]
    known = [{"filter": f"isValid(datum.{x['field']})"}]
    return {"width": width, "height": _HEIGHT, "transform": known, "layer": layers}


def cost_tooltip(rows: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """The figures themselves, and what they are more than the baseline's where the rows have it."""
    measured = {"top1": "test top-1, %", "low": "mean - std", "high": "mean + std", "step_ms": _PANELS["step_ms"]}
    counts = {"seeds": "seeds"} | {name: title for name, title in _PANELS.items() if name not in measured}
    over = {f"{name}_over": f"{title}, % more" for name, title in _OVER.items()}
    over = {name: title for name, title in over.items() if any(name in row for row in rows)}
    numbers = [
        {"field": name, "title": title, "type": "quantitative", "format": form}
        for titles, form in ((measured, ".2f"), (counts, ",d"), (over, "+.3~g"))
        for name, title in titles.items()
    ]
    return [{"field": "group", "title": "backbone", "type": "nominal"}, {"field": "head", "type": "nominal"}, *numbers]
