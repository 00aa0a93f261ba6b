"""Validation top-1 over epochs: all heads of a backbone in one plot, as in the paper's Figures 4 and 5."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean

from wisesr.report.convergence import Curve, curves, read_validation_curve
from wisesr.report.curve_pairs import LEAST_EPOCHS
from wisesr.report.figures.curves import (
    band_words,
    columns,
    curve_layers,
    epoch_axis,
    in_parts,
    level_line,
    same_curves,
    seed_words,
)
from wisesr.report.figures.figure import Figure, Spec, file_name
from wisesr.report.figures.style import accuracy_scale, by_head
from wisesr.report.speed import SHARE, goal_of
from wisesr.report.study import Entry, ReportTable

_WIDTH, _HEIGHT = 480, 300


def convergence_figures(table: ReportTable, order: Sequence[str]) -> Iterator[Figure]:
    """One for each backbone and settings that has curves, several of many heads, in the order of `style.head_order`."""
    for entries in table.groups().values():
        if not (shown := curves(entries)):
            continue
        group, goal = entries[0].group, _goal(entries, table.baseline)
        of_head = {curve.entry.head: curve for curve in shown}
        parts = [[of_head[head] for head in part] for part in in_parts(list(of_head), table.baseline)]
        low, high = min(min(curve.low) for curve in shown), max(max(curve.high) for curve in shown)
        scale = accuracy_scale(low, high)
        if len(parts) > 1:  # the same in all of them
            scale = {"domain": [low, min(high, 100.0)], "nice": True} | scale
        for number, part in enumerate(parts, start=1):
            title = f"{group} on {table.title}" + (f", {number} of {len(parts)}" if len(parts) > 1 else "")
            key = file_name(table.key, "convergence", group, *([str(number)] if len(parts) > 1 else []))
            caption, spec = _caption(table, part, goal), _spec(table, part, order, goal, scale)
            yield Figure(key, table.key, "convergence", title, caption, spec, group, "")


def _goal(entries: Sequence[Entry], baseline: str) -> float | None:
    """What heads are to reach as `speed` has it, percent, mean over the baseline's seeds; None where there is no such goal."""
    cells = [cell for entry in entries if entry.head == baseline and len(entries) > 1 for cell in entry.cells]
    drawn = [curve for cell in cells if len(curve := read_validation_curve(cell)) >= LEAST_EPOCHS]
    return fmean(map(goal_of, drawn)) if drawn else None


def _caption(table: ReportTable, shown: Sequence[Curve], goal: float | None) -> str:
    images = "held-out images" if table.protocol == "holdout" else "the test split, which chose the epoch too (protocol=paper)"
    rates = " Of several learning rates, the curves of the chosen ones." if any(curve.entry.tried for curve in shown) else ""
    cut = [curve.entry.head for curve in shown if curve.cut]
    ended = f" The curves of {', '.join(cut)} end where the first of their seeds ended." if cut else ""
    line = f" Dashed: {100 * SHARE:.0f} % of {table.baseline}'s plateau, mean over its seeds." if goal is not None else ""
    return (
        f"Top-1 on {images} after each epoch: {band_words(shown)}. {seed_words(shown)}{line}{rates}{ended}{same_curves(shown)}"
    )


def _spec(table: ReportTable, shown: Sequence[Curve], order: Sequence[str], goal: float | None, scale: Spec) -> Spec:
    """Args: scale: of y, the same in all parts of a row."""
    last = max(curve.epochs[-1] for curve in shown)
    y = {
        "type": "quantitative",
        "title": "Validation top-1 (%)" if table.protocol == "holdout" else "Test top-1 (%)",
        "scale": scale,
    }
    heads = by_head(order, [curve.entry.head for curve in shown], _WIDTH)
    layers = curve_layers(epoch_axis(last), y, heads, last=last, banded=any(curve.band != "none" for curve in shown))
    if goal is not None:
        layers["layer"].insert(0, level_line(goal, y))
    return {"width": _WIDTH, "height": _HEIGHT, "data": {"values": [columns(curve) for curve in shown]}} | layers
