"""Accuracy against what it costs: parameters, those of the head, operations, time of a step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from wisesr.report.costs import Cost, Costs, table_costs
from wisesr.report.figures.figure import Figure, Spec, group_name, slug
from wisesr.report.figures.style import accuracy_scale, by_head
from wisesr.report.study import ReportTable

_WIDTH, _HEIGHT = 250, 200
_PANELS = {
    "parameters": "Parameters of the model",
    "head_parameters": "Parameters of the head",
    "flops": "FLOPs of an image, forward",
    "step_ms": "Training step (ms)",
}
_LOG = 20.0
"""From this ratio of largest to smallest on, an axis is logarithmic."""
_NAMED = 8
"""Backbones that are named at their points; more would hide them, and are named on hover."""


def cost_figures(table: ReportTable, order: Sequence[str]) -> Iterator[Figure]:
    """One of all entries of a table.

    Args:
        table: to draw.
        order: of all heads, as of `style.head_order`.
    """
    costs = table_costs(table)
    if costs.costs:
        title = f"Accuracy and cost on {table.title}"
        spec = _spec(costs, order)
        yield Figure(slug(table.key, "cost"), table.key, "cost", title, _caption(costs), spec, "", "")


def _caption(costs: Costs) -> str:
    said = (
        "Top-1 on the test split, mean over seeds (bars: one standard deviation, n - 1), against cost. Points of one backbone "
        "are joined. FLOPs count a multiply-add as two, of convolutions and matrix products only: an average counts as nothing."
    )
    if not any(cost.step_ms for cost in costs.costs):
        return said
    said += f" Time of a training step with its images' loading, on {costs.machine}"
    said += "; cells that ran beside others on one machine are slower for it."
    return said + (f" Times on {'; '.join(costs.others)} are not shown: they do not compare." if costs.others else "")


def _spec(costs: Costs, order: Sequence[str]) -> Spec:
    rows = [_row(cost) for cost in costs.costs]
    lows, highs = ([row[name] for row in rows] for name in ("low", "high"))
    y = {"type": "quantitative", "title": "Test top-1 (%)", "scale": accuracy_scale(min(lows), max(highs))}
    look = by_head("head", order, [cost.entry.head for cost in costs.costs], 2 * _WIDTH)
    shown = [name for name in _PANELS if any(name in row for row in rows)]
    return {
        "data": {"values": rows},
        "columns": 2,
        "spacing": 24,
        "concat": [_panel(name, y, look, rows) for name in shown],
    }


def _row(cost: Cost) -> dict[str, Any]:
    spread = cost.entry.std or 0.0
    figures = {"top1": cost.entry.mean, "low": cost.entry.mean - spread, "high": cost.entry.mean + spread}
    row: dict[str, Any] = {"group": group_name(cost.entry), "head": cost.entry.head, "seeds": len(cost.entry.cells)}
    row |= {name: round(value, 2) for name, value in figures.items()}
    row |= {"parameters": cost.parameters, "head_parameters": cost.head_parameters}
    row |= {} if cost.flops is None else {"flops": int(cost.flops)}
    return row | ({} if cost.step_ms is None else {"step_ms": round(cost.step_ms, 2)})


def _panel(name: str, y: Spec, look: Spec, rows: Sequence[dict[str, Any]]) -> Spec:
    values = [row[name] for row in rows if name in row]
    log = min(values) > 0 and max(values) / min(values) >= _LOG
    scale = {"type": "log"} if log else {"zero": False, "padding": 16}
    axis = {"format": "~s" if name != "step_ms" else ",~r", "tickCount": 4, "labelFlush": False}
    x = {"field": name, "type": "quantitative", "title": _PANELS[name], "scale": scale, "axis": axis}
    place = {"x": x, "y": y | {"field": "top1"}}
    bar = {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}, "color": look["color"]}
    point = {"type": "point", "filled": True, "size": 90, "opacity": 1}
    layers: list[Spec] = [
        {"mark": {"type": "rule"}, "encoding": bar},
        {"mark": point, "encoding": place | look | {"tooltip": _tooltip()}},
    ]
    groups = len({row["group"] for row in rows})
    if groups > 1:
        joined = {"type": "line", "strokeWidth": 1, "style": "joined"}
        layers.insert(0, {"mark": joined, "encoding": place | {"detail": {"field": "group"}}})
    if 1 < groups <= _NAMED:
        layers.append(_names(place, name))
    return {"width": _WIDTH, "height": _HEIGHT, "transform": [{"filter": f"isValid(datum.{name})"}], "layer": layers}


def _names(place: Spec, name: str) -> Spec:
    """The backbone's name at its cheapest point."""
    return {
        "transform": [
            {"window": [{"op": "row_number", "as": "rank"}], "sort": [{"field": name}], "groupby": ["group"]},
            {"filter": "datum.rank == 1"},
        ],
        "mark": {"type": "text", "align": "left", "dx": 8, "dy": 10, "limit": 150},
        "encoding": place | {"text": {"field": "group"}},
    }


def _tooltip() -> list[dict[str, str]]:
    words = {"top1": "test top-1, %", "low": "from", "high": "to", "seeds": "seeds", **_PANELS}
    numbers = ({"field": name, "title": word, "type": "quantitative", "format": ",~r"} for name, word in words.items())
    return [{"field": "group", "title": "backbone", "type": "nominal"}, {"field": "head", "type": "nominal"}, *numbers]
