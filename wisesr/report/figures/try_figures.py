"""The best that each head has after k tried learning rates, on validation and on the test split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from wisesr.report.convergence import Curve
from wisesr.report.figures.curves import band_words, columns, curve_layers, epoch_axis, in_parts, same_curves, seed_words
from wisesr.report.figures.figure import Figure, Spec, file_name
from wisesr.report.figures.style import accuracy_scale, by_head
from wisesr.report.study import ReportTable
from wisesr.report.tries import RowTries, table_tries

_WIDTH, _HEIGHT = 300, 260


def try_figures(table: ReportTable, order: Sequence[str]) -> Iterator[Figure]:
    """One for each backbone and settings with heads that were tried at several rates, several of many heads.

    Heads are in the order of `style.head_order`.
    """
    for row in table_tries(table):
        parts = in_parts([line.entry.head for line in row.curves], table.baseline)
        scale = _scale([curve for line in row.curves for curve in (line.val, line.test)])
        for number, heads in enumerate(parts, start=1):
            part = row._replace(curves=tuple(line for line in row.curves if line.entry.head in heads))
            key = file_name(table.key, "tries", row.group, *[str(number)] * (len(parts) > 1))
            title = f"Best after k tried rates, {row.group} on {table.title}"
            title += f", {number} of {len(parts)}" * (len(parts) > 1)
            yield Figure(key, table.key, "tries", title, _caption(table, part), _spec(table, part, order, scale), row.group, "")


def _caption(table: ReportTable, row: RowTries) -> str:
    name = table.metric.title.partition(",")[0]
    if table.protocol == "paper":
        first = f"Test {name} of the best of k learning rates, which the test images chose too (protocol=paper)."
    else:
        first = (
            "What trying k of the learning rates finds: left the top-1 of the best of them on held-out images, "
            f"right the test {name} of the same model."
        )
    shown = [line.val for line in row.curves]
    how = "Each point is the mean over all choices of k of the rates of a head, so the last is the best of all that were tried"
    return f"{first} {how}; {band_words(shown)}. {seed_words(shown)}{same_curves(shown)}"


def _spec(table: ReportTable, row: RowTries, order: Sequence[str], percent: dict[str, Any]) -> Spec:
    """Args: percent: scale of both panels where both are in percent."""
    validation, test = [line.val for line in row.curves], [line.test for line in row.curves]
    title = f"Test {table.metric.title.replace(', %', ' (%)')}"
    panels = [("Validation top-1 (%)", validation)] * (table.protocol != "paper") + [(title, test)]
    heads = by_head(order, [line.entry.head for line in row.curves], len(panels) * _WIDTH)
    scale = percent if table.metric.image_unit == 100 else {"zero": False}
    drawn = [_panel(curves, name, scale, heads, row.last, table.metric.decimals) for name, curves in panels]
    return drawn[0] if len(drawn) == 1 else {"hconcat": drawn, "spacing": 28}


def _scale(curves: Sequence[Curve]) -> dict[str, Any]:
    """One for both panels, so that what validation promises is held against what it gives; no band leads below 0 %."""
    low, high = min(min(curve.low) for curve in curves), max(max(curve.high) for curve in curves)
    scale = accuracy_scale(low, high)
    return scale if "domain" in scale else {"zero": False, "domain": [max(low, 0.0), min(high, 100.0)], "nice": True}


def _panel(curves: Sequence[Curve], title: str, scale: Spec, heads: Spec, last: int, digits: int) -> Spec:
    y = {"type": "quantitative", "title": title, "scale": scale}
    x = epoch_axis(last, 8, "tries", "Learning rates tried")
    layers = curve_layers(x, y, heads, last=last, banded=any(curve.band != "none" for curve in curves))
    data = {"values": [columns(curve, digits, "tries") for curve in curves]}
    return {"width": _WIDTH, "height": _HEIGHT, "data": data} | layers
