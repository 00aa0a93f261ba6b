"""Accuracy against cost: parameters, FLOPs, times; of heads beside a baseline, how much more they cost than it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wisesr.report.costs import Cost, Costs, table_costs
from wisesr.report.figures.cost_panels import cost_panels, cost_row, cost_tooltip, far_apart
from wisesr.report.figures.figure import Figure, Spec, file_name
from wisesr.report.figures.style import accuracy_scale, by_head
from wisesr.report.study import ReportTable
from wisesr.report.tables.cost_words import FLOPS, time_sentences

_WIDE = 420
_BARS = "Top-1 on the test split, mean over seeds (bars: one standard deviation, n \N{MINUS SIGN} 1)"
_OVERVIEW = f"{_BARS}. Beside each backbone, parameters and FLOPs of its model with the smallest head. {FLOPS}"


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
        baseline = table.baseline if any(cost.over for cost in costs) else ""
        spec = cost_panels(costs, order, baseline)
        yield Figure(key, table.key, "cost", title, _caption(costs_of_table, costs, baseline), spec, group, "")


def _caption(table: Costs, costs: Sequence[Cost], baseline: str) -> str:
    caption = f"{_BARS}, against {_more(costs, baseline) if baseline else 'cost'}. {FLOPS}"
    if baseline and far_apart(costs):
        caption += " Axes on which heads are far apart are logarithmic on either side of 0."
    if all(cost.step_ms is None for cost in costs):
        return caption
    return " ".join([caption, "Time of a training step: data loading included.", *time_sentences(table)])


def _more(costs: Sequence[Cost], baseline: str) -> str:
    """What costs are held against: `how much more a head costs than gap (23.6 M parameters, 8.2 GFLOPs, 123.4 ms a step)`."""
    base = next(cost for cost in costs if cost.entry.head == baseline)
    parts = [f"{base.parameters / 1e6:.4g} M parameters"]
    parts += [] if base.flops is None else [f"{base.flops / 1e9:.3g} GFLOPs"]
    parts += [] if base.step_ms is None else [f"{base.step_ms:,.1f} ms a training step"]
    return f"how many percent more a head costs than {baseline} ({', '.join(parts)})"


def _overview(table: Costs, order: Sequence[str]) -> Spec:
    least: dict[str, Cost] = {}
    for cost in sorted(table.costs, key=lambda cost: cost.parameters):
        least.setdefault(cost.entry.group, cost)
    names = {group: f"{group} ({_size(cost)})" for group, cost in least.items()}
    rows = [cost_row(cost) | {"name": names[cost.entry.group]} for cost in table.costs]
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
                "encoding": place | {"x": x | {"field": "top1"}, "tooltip": cost_tooltip(rows)} | heads,
            },
        ],
    }


def _size(cost: Cost) -> str:
    """`23.6 M, 8.2 GFLOPs`."""
    flops = "" if cost.flops is None else f", {cost.flops / 1e9:.3g} GFLOPs"
    return f"{cost.parameters / 1e6:.3g} M{flops}"
