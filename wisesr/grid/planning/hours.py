"""How long cells will take, before the first of them starts. No torch, and nothing is read here.

By what is known of a cell, the surest first: what finished cells like it took; a step that was timed on this machine's CPU; the
FLOPs of models like those that were timed; and on a GPU, which the planner does not touch, FLOPs at a rate that is assumed.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Literal, NamedTuple

from wisesr.config.schema import Config
from wisesr.grid.eta import OVERHEAD
from wisesr.grid.planning.cost import Cost

_NEVER = 300 * 3600.0
"""Seconds on a CPU for which nobody waits."""

By = Literal["finished", "timed", "scaled", "flops"]
"""What an estimate comes from: finished cells like it; a timed step of its model; of others; FLOPs and an assumption."""


class Pace(NamedTuple):
    """Seconds that were measured on this machine's CPU."""

    start: float
    """Of a cell beside its epochs and its test: imports, building, what is timed at the end."""
    epoch: float
    """Of an epoch beside its images: checkpoints are written; of one on maps, its last batch goes through the backbone."""
    train: float
    """Of a training image: decoding, augmentation, and its part of a step."""
    measure: float
    """Of an image on which accuracy is measured."""

    def seconds(self, cost: Cost, epochs: int) -> float:
        """Of a whole cell."""
        of_epoch = self.epoch + cost.train_images * self.train + cost.measured_images * self.measure
        return self.start + epochs * of_epoch + cost.test_images * self.measure


class Estimate(NamedTuple):
    """How long a cell will take."""

    seconds: float
    """On one GPU, or on the cores that a cell has."""
    by: By


class Forecast(NamedTuple):
    """How long the cells of a grid will take."""

    estimates: list[Estimate | None]
    """A cell each; None where it cannot be built, and where nobody knows."""
    on_cpu: float | None = None
    """Seconds on this machine's CPU, where they are so many that the estimates are those of GPUs."""


class Hours(NamedTuple):
    """How long a grid will take."""

    work: float
    """Seconds of all cells, one after another, on one device each."""
    wall: float
    """Seconds until the last is done."""


def estimate_all(
    configs: Sequence[Config],
    costs: Sequence[Cost | None],
    *,
    finished: Sequence[float | None],
    paces: Sequence[Pace | None],
    tflops: float | None,
) -> list[Estimate | None]:
    """How long each cell will take; None where it cannot be built, and where nobody knows.

    Args:
        configs: of the cells.
        costs: a cell each.
        finished: a cell each, seconds by what cells like it took, where there are any.
        paces: a cell each, where its model was timed.
        tflops: 10^12 FLOPs that a GPU is assumed to do in a second; None to assume nothing.
    """
    epochs = [int(config["recipe"]["epochs"]) for config in configs]
    rates = {reads: _rate(costs, paces, epochs, reads) for reads in {cost.reads for cost in costs if cost}}
    found: list[Estimate | None] = []
    for cost, count, took, pace in zip(costs, epochs, finished, paces, strict=True):
        if cost is None:
            found.append(None)
        elif took is not None:
            found.append(Estimate(took, "finished"))
        elif pace is not None:
            found.append(Estimate(pace.seconds(cost, count), "timed"))
        elif (rate := rates[cost.reads]) is not None:
            found.append(Estimate(cost.work(count) * rate, "scaled"))
        else:
            beside = OVERHEAD if cost.reads == "maps" else 0.0  # which is most of the time of a head alone
            found.append(None if tflops is None else Estimate(beside + cost.work(count) / (tflops * 1e12), "flops"))
    return found


def forecast(
    configs: Sequence[Config],
    costs: Sequence[Cost | None],
    *,
    finished: Sequence[float | None],
    paces: Sequence[Pace | None],
    tflops: float | None,
) -> Forecast:
    """How long cells will take; on GPUs, where this machine's CPU, on which steps were timed, would take more than 300 hours.

    Arguments as of `estimate_all`.
    """
    found = estimate_all(configs, costs, finished=finished, paces=paces, tflops=tflops)
    hours = total_hours(found)
    if not any(paces) or tflops is None or hours is None or hours.work < _NEVER:
        return Forecast(found)
    nothing = [None] * len(costs)
    return Forecast(estimate_all(configs, costs, finished=nothing, paces=nothing, tflops=tflops), hours.work)


def _rate(costs: Sequence[Cost | None], paces: Sequence[Pace | None], epochs: Sequence[int], reads: str) -> float | None:
    """Seconds a FLOP of the models that were timed and read the same: heads alone are slow for their FLOPs. None of none."""
    known = zip(costs, paces, epochs, strict=True)
    timed = [(cost, pace, count) for cost, pace, count in known if cost and pace and cost.reads == reads]
    flops = sum(cost.work(count) for cost, _, count in timed)
    return sum(pace.seconds(cost, count) for cost, pace, count in timed) / flops if flops else None


Making = Sequence[tuple[Sequence[int], float]]
"""What is made once: the cells that want it, and the seconds that it takes."""


def total_hours(estimates: Sequence[Estimate | None], *, slots: int = 1, gpus: int = 1, making: Making = ()) -> Hours | None:
    """Of all cells that can be built, begun in their order, each as soon as a slot is free; None where there is none.

    Args:
        estimates: a cell each.
        slots: cells at a time.
        gpus: of one slot, among which a cell's images are divided.
        making: the first cell that wants a thing makes it, and those that come meanwhile wait for it.
    """
    known = [(index, each.seconds) for index, each in enumerate(estimates) if each]
    if not known:
        return None
    ends, made = [0.0] * min(slots, len(known)), dict[int, float]()
    wants: dict[int, list[int]] = {}
    for number, (cells, _) in enumerate(making):
        for index in cells:
            wants.setdefault(index, []).append(number)
    for index, own in known:
        ready = ends[0]
        for number in wants.get(index, ()):
            ready = max(ready, made.setdefault(number, ready + making[number][1]))
        heapq.heapreplace(ends, ready + own / max(1, gpus))
    work = sum(own for _, own in known) + sum(making[number][1] for number in made)
    return Hours(work, max(ends))
