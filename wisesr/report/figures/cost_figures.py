"""Accuracy against cost: parameters of model and head, FLOPs, time of a training step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from wisesr.report.costs import Cost, Costs, table_costs
from wisesr.report.figures.figure import Figure, Spec, file_name
from wisesr.report.figures.style import accuracy_scale, by_head
from wisesr.report.study import ReportTable

_WIDTH, _HEIGHT = 250, 200
_WIDE = 420
_PANELS = {
    "parameters": "Parameters of the model",
    "head_parameters": "Parameters of the head",
    "flops": "FLOPs per image, forward",
    "step_ms": "Training step (ms)",
}
_LOG = 20.0
"""From this ratio of largest to smallest on, an axis is logarithmic."""


_BARS = "Top-1 on the test split, mean over seeds (bars: one standard deviation, n - 1)"
_OPERATIONS = (
    "FLOPs are those of convolutions and matrix products in one image's forward pass, a multiply-add counted as two; averaging "
    "counts as zero."
)
_OVERVIEW = f"{_BARS}. Beside each backbone, parameters and FLOPs of its model with the smallest head. {_OPERATIONS}"


def cost_figures(table: ReportTable, order: Sequence[str]) -> Iterator[Figure]:
    """One for each backbone and settings, and where there are several one that has them below each other.

    The heads are in the order of `style.head_order`.
    """
    costs_of_table = table_costs(table)
    groups: dict[str, list[Cost]] = {}
    for cost in costs_of_table.costs:
        groups.setdefault(cost.entry.group, []).append(cost)
    if len(groups) > 1:
        spec = _overview(costs_of_table, order)
        yield Figure(
            file_name(table.key, "backbones"), table.key, "cost", f"Backbones on {table.title}", _OVERVIEW, spec, "", ""
        )
    for group, costs in groups.items():
        key, title = file_name(table.key, "cost", group), f"Accuracy and cost, {group} on {table.title}"
        yield Figure(key, table.key, "cost", title, _caption(costs_of_table, costs), _spec(costs, order), group, "")


def _caption(table: Costs, costs: Sequence[Cost]) -> str:
    caption = f"{_BARS}, against cost. {_OPERATIONS}"
    if all(cost.step_ms is None for cost in costs):
        return caption
    caption += f" Time of a training step, data loading included, on {table.machine}"
    caption += "; cells that shared the machine with others are slower for it."
    return caption + (f" Times on {'; '.join(table.others)} are not shown: they cannot be compared." if table.others else "")


def _overview(table: Costs, order: Sequence[str]) -> Spec:
    least: dict[str, Cost] = {}
    for cost in sorted(table.costs, key=lambda cost: cost.parameters):
        least.setdefault(cost.entry.group, cost)
    names = {group: f"{group} ({_size(cost)})" for group, cost in least.items()}
    rows = [_row(cost) | {"name": names[cost.entry.group]} for cost in table.costs]
    here = [head for head in order if head in {row["head"] for row in rows}]
    heads = by_head(order, here, _WIDE)
    scale = accuracy_scale(min(row["low"] for row in rows), max(row["high"] for row in rows))
    x = {"type": "quantitative", "title": "Test top-1 (%)", "scale": scale, "axis": {"grid": True}}
    axis = {"labelLimit": 420, "ticks": False, "grid": False}
    y = {"field": "name", "type": "nominal", "title": None, "sort": list(names.values()), "axis": axis}
    place = {"y": y, "yOffset": {"field": "head", "type": "nominal", "sort": here}}
    return {
        "width": _WIDE,
        "height": {"step": max(7, 26 // len(here))} if len(here) > 1 else {"step": 26},
        "data": {"values": rows},
        "layer": [
            {"mark": "rule", "encoding": place | {"x": x | {"field": "low"}, "x2": {"field": "high"}, "color": heads["color"]}},
            {
                "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
                "encoding": place | {"x": x | {"field": "top1"}, "tooltip": _tooltip()} | heads,
            },
        ],
    }


def _size(cost: Cost) -> str:
    """`23.6 M, 8.2 GFLOPs`."""
    flops = "" if cost.flops is None else f", {cost.flops / 1e9:.3g} GFLOPs"
    return f"{cost.parameters / 1e6:.3g} M{flops}"


def _spec(costs: Sequence[Cost], order: Sequence[str]) -> Spec:
    rows = [_row(cost) for cost in costs]
    scale = accuracy_scale(min(row["low"] for row in rows), max(row["high"] for row in rows)) | {"padding": 8}
    y = {"type": "quantitative", "title": "Test top-1 (%)", "scale": scale}
    heads = by_head(order, [cost.entry.head for cost in costs], 2 * _WIDTH)
    shown = [name for name in _PANELS if any(name in row for row in rows)]
    panels = [_panel(name, y, heads, rows) for name in shown]
    return {"data": {"values": rows}, "columns": 2, "spacing": 24, "concat": panels}


def _row(cost: Cost) -> dict[str, Any]:
    spread = cost.entry.std or 0.0
    figures = {"top1": cost.entry.mean, "low": cost.entry.mean - spread, "high": cost.entry.mean + spread}
    row: dict[str, Any] = {"group": cost.entry.group, "head": cost.entry.head, "seeds": len(cost.entry.cells)}
    row |= {name: round(value, 2) for name, value in figures.items()}
    row |= {"parameters": cost.parameters, "head_parameters": cost.head_parameters}
    row |= {} if cost.flops is None else {"flops": int(cost.flops)}
    return row | ({} if cost.step_ms is None else {"step_ms": round(cost.step_ms, 2)})


def _panel(name: str, y: Spec, heads: Spec, rows: Sequence[dict[str, Any]]) -> Spec:
    values = [row[name] for row in rows if name in row]
    log = min(values) > 0 and max(values) / min(values) >= _LOG
    scale = {"type": "log"} if log else {"zero": False, "padding": 16}
    form = ".4~s" if len(set(values)) == 1 else "~s"  # 296.105984M where all are equal, where the last digits say nothing
    axis = {
        "format": form if name != "step_ms" else ",~r",
        "tickCount": 3 if name == "flops" else 4,
        "labelOverlap": True,
        "labelSeparation": 8,
    }
    x = {"field": name, "type": "quantitative", "title": _PANELS[name], "scale": scale, "axis": axis}
    place = {"x": x, "y": y | {"field": "top1"}}
    bar = {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}, "color": heads["color"]}
    point = {"type": "point", "filled": True, "size": 90, "opacity": 1}
    layers: list[Spec] = [
        {"mark": {"type": "rule"}, "encoding": bar},
        {"mark": point, "encoding": place | heads | {"tooltip": _tooltip()}},
    ]
    return {"width": _WIDTH, "height": _HEIGHT, "transform": [{"filter": f"isValid(datum.{name})"}], "layer": layers}


def _tooltip() -> list[dict[str, str]]:
    measured = {"top1": "test top-1, %", "low": "mean - std", "high": "mean + std", "step_ms": _PANELS["step_ms"]}
    counts = {"seeds": "seeds"} | {name: title for name, title in _PANELS.items() if name not in measured}
    numbers = [
        {"field": name, "title": title, "type": "quantitative", "format": form}
        for titles, form in ((measured, ".2f"), (counts, ",d"))
        for name, title in titles.items()
    ]
    return [{"field": "group", "title": "backbone", "type": "nominal"}, {"field": "head", "type": "nominal"}, *numbers]
