"""Before the first cell starts: what is wrong with any cell, what each costs, whether the disk holds them all. No torch.

A child process (`wisesr.grid.planning.planner`) builds the cells without their memory, as torch takes seconds to import.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from wisesr.grid.cell_dirs import Cell
from wisesr.grid.planning.cost import Cost
from wisesr.grid.planning.disk import disk_problems
from wisesr.grid.planning.finished import finished_seconds
from wisesr.grid.planning.hours import Estimate, Pace, forecast
from wisesr.grid.planning.kept import Kept
from wisesr.grid.planning.map_heads import MapHead, read_heads
from wisesr.grid.planning.planner_process import ask_planner
from wisesr.grid.warm.slots import WarmSlots
from wisesr.types import FeatureShape


class Plan(NamedTuple):
    """What was found out about cells."""

    problems: list[tuple[str, str]]
    """(label of the cell, problem), for `wisesr.config.check.describe_problems`; the label is empty for what concerns all."""
    costs: list[Cost | None]
    """A cell each; None where it cannot be built."""
    heads: Sequence[MapHead | None] = ()
    """A cell each, where the planner came to it; None where the backbone cannot be built."""
    estimates: Sequence[Estimate | None] = ()
    """A cell each, how long it will take; None where it cannot be built, and where nobody knows."""
    on_cpu: float | None = None
    """Seconds on this machine's CPU, where they are so many that `estimates` are those of GPUs."""
    kept: Sequence[Kept] = ()
    """What cells make once for all of them."""


def make_plan(
    cells: Sequence[Cell],
    console: Console,
    *,
    gpus: int,
    slots: int = 1,
    cores: int | None = None,
    tflops: float | None = None,
    warm: WarmSlots | None = None,
    wait: str = "auto",
    code: Path | None = None,
) -> Plan:
    """Build all cells without their memory; look at data, weights, devices and disk. Nothing is started or written.

    Pretrained weights are read, but for timm's own, which need its hub. Images are listed, and decoded only to time a step.

    Args:
        cells: that are to run, their configurations checked.
        console: for the progress.
        gpus: how many the grid sees; 0 for none.
        slots: cells at a time.
        cores: of one cell on this machine's CPU, to time a step of each model on them; None to time none.
        tflops: 10^12 FLOPs a second, for how long the cells take that neither a finished nor a timed one tells of; None to
            leave it open.
        warm: of the grid, which tell how cells start and fork the child; None for a Python each.
        wait: `grid.wait`, of the timed steps.
        code: folder of frozen code that the child runs from; None for the code as it is.
    """
    if not cells:
        return Plan([], [])
    answer = ask_planner(cells, console, gpus=gpus, cores=cores, warm=warm, wait=wait, code=code)
    if isinstance(answer, str):
        return Plan([("", answer)], [None] * len(cells))
    costs = [cost and _read(Cost(*cost)) for cost in answer["costs"]]
    problems = [(cells[index].label, problem) for index, problem in answer["problems"]]
    disk = [(cell, cost.disk, cost.partial) for cell, cost in zip(cells, costs, strict=True) if cost]
    kept = [Kept(*store) for store in answer.get("kept", ())]
    full = [("", problem) for problem in disk_problems(disk, slots, kept)]
    paces = [pace and Pace(*pace) for pace in answer.get("paces") or [None] * len(cells)]
    configs = [cell.config for cell in cells]
    finished = finished_seconds(cells, [cost.reads if cost else "files" for cost in costs])
    times = forecast(configs, costs, finished=finished, paces=paces, tflops=tflops)
    making = [None if times.on_cpu is not None else seconds for seconds in answer.get("making") or [None] * len(kept)]
    rate = None if tflops is None else tflops * 1e12
    kept = [store._replace(seconds=_seconds(store, taken, rate)) for store, taken in zip(kept, making, strict=True)]
    return Plan(problems + full, costs, read_heads(answer.get("heads", ())), *times, kept)


def _seconds(store: Kept, timed: float | None, rate: float | None) -> float | None:
    """Of making what is missing: as it was timed, or by its FLOPs at so many a second; None where nobody knows."""
    if timed is not None or rate is None or not store.flops:
        return timed
    return store.flops / rate


def _read(cost: Cost) -> Cost:
    """A cost as it came back from JSON."""
    return cost._replace(feature_map=FeatureShape(*cost.feature_map))
