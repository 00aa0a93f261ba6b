"""Before the first cell starts: what is wrong with any cell, what each costs, whether the disk holds them all. No torch.

A child process (`wisesr.grid.planning.planner`) builds the cells without their memory, as torch takes seconds to import.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.console import Console

from wisesr.grid.cell_dirs import Cell
from wisesr.grid.naming import cell_names
from wisesr.grid.planning.disk import disk_problems, size
from wisesr.grid.planning.map_heads import MapHead, read_heads
from wisesr.grid.planning.planner_process import ask_planner
from wisesr.terminal import Column, tables, tell
from wisesr.types import FeatureShape
from wisesr.wording import count_of


class Cost(NamedTuple):
    """What one cell costs."""

    backbone_parameters: int
    head_parameters: int
    flops: int
    """Of one image's forward pass through backbone and head, a multiply-add counted as two."""
    feature_map: FeatureShape
    train_images: int
    steps: int
    """Optimizer steps of all epochs."""
    disk: int
    """Bytes that the directory takes at most: checkpoints, a copy of the larger while it is replaced, predictions, metrics.
    What loggers write is not in it."""
    partial: int
    """Bytes of `disk` that the copy takes, while it is there."""
    test_images: int = 0
    val_images: int = 0
    """On which the epoch is chosen; 0 where these are the test images."""
    test_split: str = ""
    """The same for cells that are tested on the same images."""


class Plan(NamedTuple):
    """What was found out about cells."""

    problems: list[tuple[str, str]]
    """(label of the cell, problem), for `wisesr.config.check.describe_problems`; the label is empty for what concerns all."""
    costs: list[Cost | None]
    """A cell each; None where it cannot be built."""
    heads: Sequence[MapHead | None] = ()
    """A cell each, where the planner came to it; None where the backbone cannot be built."""


def make_plan(cells: Sequence[Cell], console: Console, *, gpus: int, slots: int = 1) -> Plan:
    """Build all cells without their memory; look at data, weights, devices and disk. Nothing is started or written.

    Pretrained weights are read, but for timm's own, which need its hub. Images are listed, not decoded.

    Args:
        cells: that are to run, their configurations checked.
        console: for the progress.
        gpus: how many the grid sees; 0 for none.
        slots: cells at a time.
    """
    if not cells:
        return Plan([], [])
    answer = ask_planner(cells, console, gpus=gpus)
    if isinstance(answer, str):
        return Plan([("", answer)], [None] * len(cells))
    costs = [cost and Cost(*cost)._replace(feature_map=FeatureShape(*cost[3])) for cost in answer["costs"]]
    problems = [(cells[index].label, problem) for index, problem in answer["problems"]]
    disk = [(cell, cost.disk, cost.partial) for cell, cost in zip(cells, costs, strict=True) if cost]
    full = [("", problem) for problem in disk_problems(disk, slots)]
    return Plan(problems + full, costs, read_heads(answer.get("heads", ())))


def print_plan(console: Console, cells: Sequence[Cell], plan: Plan) -> None:
    """What each cell costs, those that differ only in their seed in one row, and all of them together."""
    names = cell_names(cells, console.width)
    figures = ("seed", "map", "parameters", "in head", "GFLOPs", "steps", "disk")
    rows: dict[tuple[tuple[str, ...], Cost | None], list[int]] = {}
    for cell, own, cost in zip(cells, names.rows, plan.costs, strict=True):
        rows.setdefault((tuple(own), cost and cost._replace(test_split="")), []).append(cell.config["seed"])
    texts = [[*own, _seeds(seeds), *_figures(cost)] for (own, cost), seeds in rows.items()]
    for table in tables([*names.columns, *map(Column, figures)], texts, console.width, title=names.title):
        console.print(table, crop=False)
    for line in _total(cells, plan):
        tell(console, line)


def _seeds(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds)) if len(seeds) < 4 else count_of(len(seeds), "seed")


def _figures(cost: Cost | None) -> Iterable[str]:
    if cost is None:
        return ["-"] * 6
    giga = cost.flops / 1e9
    return (
        "x".join(map(str, cost.feature_map)),
        f"{(cost.backbone_parameters + cost.head_parameters) / 1e6:,.2f} M",
        f"{cost.head_parameters:,}",
        f"{giga:,.0f}" if giga >= 99.5 else f"{giga:.3g}",
        f"{cost.steps:,}",
        size(cost.disk - cost.partial),
    )


def _total(cells: Sequence[Cell], plan: Plan) -> list[str]:
    """What all cells cost together, and what the figures mean."""
    known = [(cost, cell.config["recipe"]["epochs"]) for cell, cost in zip(cells, plan.costs, strict=True) if cost]
    if not known:
        return []
    images = sum(cost.train_images * epochs for cost, epochs in known)
    flops = sum(3 * cost.flops * cost.train_images * epochs for cost, epochs in known)
    copy = size(max(cost.partial for cost, _ in known))
    unknown = f" ({len(cells) - len(known)} of {len(cells)} cannot be built)" if len(known) < len(cells) else ""
    steps, stays = sum(cost.steps for cost, _ in known), size(sum(cost.disk - cost.partial for cost, _ in known))
    return [
        f"In total: {count_of(len(known), 'cell')}{unknown}, {steps:,} steps on {images:,} images "
        f"(training images x epochs), {flops:.2e} FLOPs of training, {stays} of disk",
        "Figures of a row are those of one cell: GFLOPs of one image's forward pass, of training counted as three; disk "
        f"without what loggers write, and without a copy (at most {copy}) while a checkpoint is replaced",
    ]
