"""Learned depthwise kernels: their mean over channels, how channels differ, how they developed over epochs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from wisesr.report.convergence import Curve, curve
from wisesr.report.figures.curves import columns, curve_layers, epoch_axis, same_curves
from wisesr.report.figures.figure import Figure, Spec, file_name, seed_list
from wisesr.report.figures.heat_maps import heat_map, heat_maps
from wisesr.report.figures.style import by_head
from wisesr.report.study import Entry, ReportTable
from wisesr.results.kernels import Kernels, KernelSummary, read_kernels

_CHANNELS, _EPOCHS = 8, 6
"""Maps of single channels, and of epochs, at most."""
_WIDTH, _HEIGHT = 260, 180
_SIDE, _SMALL = 128, 60
"""Width and height of a map, px."""
_Figure = Callable[[KernelSummary], float]


class _Learned(NamedTuple):
    """An entry with a kernel."""

    entry: Entry
    kernels: dict[int, Kernels]
    """By seed."""


def kernel_figures(table: ReportTable, order: Sequence[str]) -> Iterator[Figure]:
    """For each backbone and settings: maps of each head that has a kernel of more than one weight, and the kernels over epochs.

    The heads are in the order of `style.head_order`.
    """
    for entries in table.groups().values():
        learned = [head for head in map(_learned, entries) if head.kernels]
        for head in learned:
            yield _maps(table, head)
        if any(len(kernels.epochs) > 1 for head in learned for kernels in head.kernels.values()):
            yield _over_epochs(table, learned, order)


def _learned(entry: Entry) -> _Learned:
    read = {cell.place.seed: read_kernels(cell.directory) for cell in entry.cells}
    return _Learned(
        entry, {seed: kernels for seed, kernels in read.items() if kernels is not None and kernels.kernel[0].size > 1}
    )


def _maps(table: ReportTable, learned: _Learned) -> Figure:
    seed = min(learned.kernels)
    kernels, entry = learned.kernels[seed], learned.entry
    record = next(cell.finished_record for cell in entry.cells if cell.place.seed == seed)
    channels, height, width = kernels.kernel.shape
    signed = bool((kernels.kernel < 0).any())
    caption = (
        f"The kernel of seed {seed} at the chosen epoch ({record.best.epoch}): {channels:,} channels of {height} x {width} "
        "weights. Strongest are the channels with the largest L2 norm. "
        f"The colour scale {'is centred' if signed else 'starts'} at zero."
    )
    group = entry.group
    title = f"Kernel of {entry.head}, {group} on {table.title}"
    key = file_name(table.key, "kernel", group, entry.head)
    return Figure(key, table.key, "kernels", title, caption, _maps_spec(kernels, signed), group, entry.head)


def _maps_spec(kernels: Kernels, signed: bool) -> Spec:
    """Mean, standard deviation and epochs above, channels below."""
    exact = kernels.kernel.astype(np.float64)
    above = [
        heat_map("Mean over channels", exact.mean(axis=0), signed=signed, side=_SIDE),
        heat_map("Std over channels", exact.std(axis=0), signed=False, side=_SIDE),
    ]
    if len(kernels.epochs) > 1:
        at = np.unique(np.linspace(0, len(kernels.epochs) - 1, _EPOCHS).round().astype(int))
        means = {f"epoch {kernels.epochs[index]}": kernels.history[index].mean.astype(np.float64) for index in at}
        below_zero = any(bool((mean < 0).any()) for mean in means.values())
        above.append(heat_maps("Mean over channels, by epoch", means, signed=below_zero, columns=3, side=_SMALL))
    norms = np.sqrt((exact**2).sum(axis=(1, 2)))
    channels = {f"{index}": exact[index] for index in np.argsort(-norms, kind="stable")[:_CHANNELS]}
    strongest = heat_maps("Strongest channels, with their index", channels, signed=signed, columns=_CHANNELS, side=_SMALL)
    apart = {"resolve": {"scale": {"color": "independent", "x": "independent", "y": "independent"}}}
    return {"spacing": 18, "vconcat": [{"hconcat": above, "spacing": 24} | apart, strongest]} | apart


def _over_epochs(table: ReportTable, learned: Sequence[_Learned], order: Sequence[str]) -> Figure:
    group = learned[0].entry.group
    zero = _curves(learned, lambda summary: 100.0 * summary.zero)
    distance = _curves(learned, lambda summary: summary.distance)
    heads = by_head(order, [head.entry.head for head in learned], 2 * _WIDTH)
    panels = [
        _panel(zero, "Weights at zero (%)", heads, [0, 100], 2),
        _panel(distance, "Distance from uniform", heads, [0, 1], 4),
    ]
    caption = (
        "The kernels after each epoch, mean over seeds with a band of one standard deviation (two seeds: from one to the "
        f"other). {_seeds(learned)} Left: the share of weights that are exactly zero, where a non-negative constraint holds "
        "them. "
        "Right: how far a channel is from plain averaging, |k - mean of k| / |k|: 0 for equal weights, near 1 for a single "
        "position, averaged over channels."
    ) + same_curves(distance)
    key = file_name(table.key, "kernels", group, "epochs")
    title = f"Kernels over epochs, {group} on {table.title}"
    return Figure(key, table.key, "kernels", title, caption, {"hconcat": panels, "spacing": 28}, group, "")


def _seeds(learned: Sequence[_Learned]) -> str:
    """`All with 5 seeds (0 to 4).`, or which head has which."""
    seeds = {head.entry.head: seed_list(tuple(head.kernels)) for head in learned}
    if len(set(seeds.values())) == 1:
        return f"{'All with' if len(seeds) > 1 else 'With'} {seeds[learned[0].entry.head]}."
    return f"{'; '.join(f'{head} {own}' for head, own in seeds.items())}."


def _curves(learned: Sequence[_Learned], figure: _Figure) -> list[Curve]:
    drawn = []
    for head in learned:
        values = {
            seed: {epoch: figure(summary) for epoch, summary in zip(kernels.epochs, kernels.history, strict=True)}
            for seed, kernels in head.kernels.items()
        }
        if line := curve(head.entry, values):
            drawn.append(line)
    return drawn


def _panel(curves: Sequence[Curve], title: str, heads: Spec, domain: list[float], digits: int) -> Spec:
    last = max(curve.epochs[-1] for curve in curves)
    y = {"type": "quantitative", "title": title, "scale": {"domain": domain}}
    layers = curve_layers(epoch_axis(last, 6), y, heads, last=last, banded=any(curve.band != "none" for curve in curves))
    return {"width": _WIDTH, "height": _HEIGHT, "data": {"values": [columns(curve, digits) for curve in curves]}} | layers
