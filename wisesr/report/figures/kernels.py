"""What a depthwise kernel became: where it looks, how channels differ, how it came about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from wisesr.report.convergence import Curve, EpochValues, curve
from wisesr.report.figures.curves import columns, curve_layers, epoch_axis, the_same
from wisesr.report.figures.figure import Figure, Spec, group_name, seed_words, slug
from wisesr.report.figures.heat import heat_map, heat_maps
from wisesr.report.figures.style import by_head
from wisesr.report.study import Entry, ReportTable
from wisesr.results.kernels import Kernels, KernelSummary, read_kernels

_CHANNELS, _EPOCHS = 8, 6
"""Maps of single channels, and of epochs, at most."""
_WIDTH, _HEIGHT = 260, 180
_SIDE, _SMALL = 128, 60
"""Of a map, px."""
_Figure = Callable[[KernelSummary], float]


class _Learned(NamedTuple):
    """An entry with a kernel."""

    entry: Entry
    kernels: dict[int, Kernels]
    """By seed."""


def kernel_figures(table: ReportTable, order: Sequence[str]) -> Iterator[Figure]:
    """For each backbone and settings: maps of each head that has a kernel of more than one weight, and how the kernels grew.

    Args:
        table: to draw.
        order: of all heads, as of `style.head_order`.
    """
    for entries in table.groups().values():
        learned = [one for one in map(_learned, entries) if one.kernels]
        for one in learned:
            yield _maps(table, one)
        if any(len(kernels.epochs) > 1 for one in learned for kernels in one.kernels.values()):
            yield _growth(table, learned, order)


def _learned(entry: Entry) -> _Learned:
    found = {cell.place.seed: read_kernels(cell.directory) for cell in entry.cells}
    return _Learned(entry, {seed: its for seed, its in found.items() if its is not None and its.kernel[0].size > 1})


def _maps(table: ReportTable, one: _Learned) -> Figure:
    seed = min(one.kernels)
    kernels, entry = one.kernels[seed], one.entry
    record = next(cell.record for cell in entry.cells if cell.place.seed == seed)
    assert record is not None
    channels, height, width = kernels.kernel.shape
    exact = kernels.kernel.astype(np.float64)
    signed = bool((exact < 0).any())
    caption = (
        f"The kernel of seed {seed} at the chosen epoch ({record['metrics']['best']['epoch']:.0f}): {channels:,} channels of "
        f"{height} x {width} weights. Strongest are the channels with the largest norm."
        + (" Colours part at zero." if signed else " Colours begin at zero.")
        + (" Kernels over epochs: the mean over channels." if len(kernels.epochs) > 1 else "")
    )
    group = group_name(entry)
    title = f"Kernel of {entry.head}, {group} on {table.title}"
    key = slug(table.key, "kernel", group, entry.head)
    return Figure(key, table.key, "kernels", title, caption, _maps_spec(kernels, signed), group, entry.head)


def _maps_spec(kernels: Kernels, signed: bool) -> Spec:
    """Mean, spread and epochs above, channels below."""
    exact = kernels.kernel.astype(np.float64)
    above = [
        heat_map("Mean over channels", exact.mean(axis=0), signed=signed, side=_SIDE),
        heat_map("Spread over channels", exact.std(axis=0), signed=False, side=_SIDE),
    ]
    if len(kernels.epochs) > 1:
        at = np.unique(np.linspace(0, len(kernels.epochs) - 1, _EPOCHS).round().astype(int))
        means = {f"epoch {kernels.epochs[index]}": kernels.history[index].mean.astype(np.float64) for index in at}
        below_zero = any(bool((mean < 0).any()) for mean in means.values())
        above.append(heat_maps("Mean over channels, after", means, signed=below_zero, columns=3, side=_SMALL))
    norms = np.sqrt((exact**2).sum(axis=(1, 2)))
    channels = {f"{index}": exact[index] for index in np.argsort(-norms, kind="stable")[:_CHANNELS]}
    strongest = heat_maps("Strongest channels, by their numbers", channels, signed=signed, columns=_CHANNELS, side=_SMALL)
    apart = {"resolve": {"scale": {"color": "independent", "x": "independent", "y": "independent"}}}
    return {"spacing": 18, "vconcat": [{"hconcat": above, "spacing": 24} | apart, strongest]} | apart


def _growth(table: ReportTable, learned: Sequence[_Learned], order: Sequence[str]) -> Figure:
    group = group_name(learned[0].entry)
    zero = _curves(learned, lambda summary: 100.0 * summary.zero)
    distance = _curves(learned, lambda summary: summary.distance)
    look = by_head("head", order, [one.entry.head for one in learned], 2 * _WIDTH)
    panels = [
        _panel(zero, "Weights at zero (%)", look, [0, 100], 2),
        _panel(distance, "Distance from uniform", look, [0, 1], 4),
    ]
    seeds = "; ".join(f"{one.entry.head} {seed_words(tuple(one.kernels))}" for one in learned)
    caption = (
        f"The kernels after each epoch, mean over seeds with a band of one standard deviation (two seeds: from one to the "
        f"other): {seeds}. Left, the share of weights that are exactly zero: under a non-negative constraint, those that it "
        "holds there. Right, how far a channel is from an average: |k - mean of k| / |k|, 0 for equal weights, near 1 for a "
        "single position, averaged over channels."
    ) + the_same(distance)
    key = slug(table.key, "kernels", group, "epochs")
    title = f"Kernels over epochs, {group} on {table.title}"
    return Figure(key, table.key, "kernels", title, caption, {"hconcat": panels, "spacing": 28}, group, "")


def _curves(learned: Sequence[_Learned], figure: _Figure) -> list[Curve]:
    found = []
    for one in learned:
        growths: list[EpochValues] = []
        for cell in one.entry.cells:
            kernels = one.kernels.get(cell.place.seed)
            its = zip(kernels.epochs, kernels.history, strict=True) if kernels else ()
            growths.append({epoch: figure(summary) for epoch, summary in its})
        if both := curve(one.entry, growths):
            found.append(both)
    return found


def _panel(curves: Sequence[Curve], title: str, look: Spec, domain: list[float], digits: int) -> Spec:
    last = max(one.epochs[-1] for one in curves)
    y = {"type": "quantitative", "title": title, "scale": {"domain": domain}}
    layers = curve_layers(epoch_axis(last, 6), y, look, last=last, banded=any(one.band != "none" for one in curves))
    return {"width": _WIDTH, "height": _HEIGHT, "data": {"values": [columns(one, digits) for one in curves]}} | layers
