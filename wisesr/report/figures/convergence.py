"""Validation top-1 over epochs: all heads of a backbone in one plot, as in the paper's Figures 4 and 5."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wisesr.report.convergence import Curve, curves
from wisesr.report.figures.curves import columns, curve_layers, epoch_axis, the_same
from wisesr.report.figures.figure import Figure, Spec, group_name, seed_words, slug
from wisesr.report.figures.style import accuracy_scale, by_head
from wisesr.report.study import ReportTable

_WIDTH, _HEIGHT = 480, 300
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
    rates = " Of several learning rates, the curves of the chosen ones." if any(one.entry.tried for one in found) else ""
    cut = [one.entry.head for one in found if one.cut]
    ended = f" The curves of {', '.join(cut)} end where the first of their seeds ended." if cut else ""
    return f"Top-1 on {what} after each epoch: {how}. {whose}{rates}{ended}{the_same(found)}"


def _spec(table: ReportTable, found: Sequence[Curve], order: Sequence[str]) -> Spec:
    last = max(one.epochs[-1] for one in found)
    y = {
        "type": "quantitative",
        "title": "Validation top-1 (%)" if table.protocol == "holdout" else "Test top-1 (%)",
        "scale": accuracy_scale(min(min(one.low) for one in found), max(max(one.high) for one in found)),
    }
    look = by_head("head", order, [one.entry.head for one in found], _WIDTH)
    return {
        "width": _WIDTH,
        "height": _HEIGHT,
        "data": {"values": [columns(one) for one in found]},
        **curve_layers(epoch_axis(last), y, look, last=last, banded=any(one.band != "none" for one in found)),
    }
