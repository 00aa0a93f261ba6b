"""Where a head was trained at several learning rates: the one that is reported, chosen on validation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from wisesr.axes import leaves
from wisesr.report.places import RATES
from wisesr.report.study import ReportCell


class Rate(NamedTuple):
    """One head at one rate."""

    name: str
    """As of `Place.rate`."""
    numbers: tuple[float, ...]
    """Values of `places.RATES`; 0 of one that the configuration lacks."""
    cells: tuple[ReportCell, ...]


class Choice(NamedTuple):
    """The rate that a head is reported at."""

    cells: tuple[ReportCell, ...]
    """Of the chosen rate, by seed."""
    rate: str
    """Its name; empty where one was tried."""
    tried: tuple[tuple[str, float, int], ...]
    """Each rate: its name, mean validation top-1 in percent over its seeds, how many these are. Empty where one was tried."""
    seeds: tuple[int, ...]
    """Over which the rates were compared: those that all of them have; empty where there are none, or one rate."""
    edge: str
    """`smallest lr`, where the chosen rate is the smallest or largest of at least three; else empty."""


def choose_rate(cells: Sequence[ReportCell]) -> Choice:
    """The rate with the highest mean validation top-1 over the seeds that all rates share; of equals the lower loss, then rate.

    Where the rates share no seed, each rate's mean is over its own.

    Args:
        cells: finished ones of one head, by seed; at least one.
    """
    rates = _rates(cells)
    if len(rates) == 1:
        return Choice(rates[0].cells, "", (), (), "")
    shared = set.intersection(*({cell.place.seed for cell in rate.cells} for rate in rates))

    def order(rate: Rate) -> tuple[float, float, tuple[float, ...]]:
        seen = [cell for cell in rate.cells if cell.place.seed in shared or not shared]
        return -_mean(seen, "val/top1"), _mean(seen, "val/loss"), rate.numbers

    chosen = min(rates, key=order)
    tried = tuple((rate.name, 100.0 * _mean(rate.cells, "val/top1"), len(rate.cells)) for rate in rates)
    return Choice(chosen.cells, chosen.name, tried, tuple(sorted(shared)), _edge(chosen, rates))


def _rates(cells: Sequence[ReportCell]) -> list[Rate]:
    """By size."""
    found: dict[str, list[ReportCell]] = {}
    for cell in cells:
        found.setdefault(cell.place.rate, []).append(cell)
    rates = [Rate(name, _numbers(own[0]), tuple(own)) for name, own in found.items()]
    return sorted(rates, key=lambda rate: (rate.numbers, rate.name))


def _numbers(cell: ReportCell) -> tuple[float, ...]:
    values = leaves(cell.config)

    def number(value: Any) -> float:
        return float(value) if isinstance(value, (int, float)) else 0.0

    return tuple(number(values.get(name)) for name in RATES)


def _mean(cells: Sequence[ReportCell], name: str) -> float:
    """Of a figure of the chosen epoch; rounded, so that the order of the sum decides nothing."""
    values = [float(cell.record["metrics"]["best"][name]) for cell in cells if cell.record is not None]
    return round(math.fsum(values) / len(values), 9)


def _edge(chosen: Rate, rates: Sequence[Rate]) -> str:
    """Along which of the settings the best one may lie beyond those that were tried."""
    found = []
    for index, name in enumerate(RATES):
        values = {rate.numbers[index] for rate in rates}
        ends = {min(values): "smallest", max(values): "largest"}
        if len(values) >= 3 and chosen.numbers[index] in ends:
            found.append(f"{ends[chosen.numbers[index]]} {name.rpartition('.')[2]}")
    return " and ".join(found)
