"""The plan as it is printed: what each cell costs, those alike in one row, and all of them together. No torch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from rich.console import Console

from wisesr.grid.cell_dirs import Cell
from wisesr.grid.naming import CellNames, cell_names
from wisesr.grid.planning.cost import Cost
from wisesr.grid.planning.hours import Estimate, total_hours
from wisesr.grid.planning.hours_text import hours_sentence
from wisesr.grid.planning.kept import kept_sentences, making
from wisesr.grid.planning.plan import Plan
from wisesr.grid.planning.why_not_once import why_not_once
from wisesr.terminal import Column, tables, tell
from wisesr.wording import count_of, duration, size

_MANY = 40
"""Rows above which cells that differ in their head stand in one."""


class _Row(NamedTuple):
    """Cells that stand in one row."""

    names: tuple[str, ...]
    cells: Sequence[Cell]
    costs: Sequence[Cost | None]
    estimates: Sequence[Estimate | None]


def print_plan(
    console: Console, cells: Sequence[Cell], plan: Plan, *, slots: int = 1, gpus: int = 1, tflops: float = 20.0
) -> None:
    """What each cell costs, those that differ only in their seed in one row, in a large grid those that differ in their head
    too; and all of them together.

    Args:
        console: to print on.
        cells: that are to run.
        plan: of these.
        slots: cells at a time.
        gpus: of one slot; at least 1.
        tflops: 10^12 FLOPs that a GPU is assumed to do in a second.
    """
    names = cell_names(cells, console.width)
    rows = _rows(cells, plan, names.rows)
    if len(rows) > _MANY:
        columns, texts = _folded(cells, plan, names)
    else:
        timed = any(plan.estimates)
        figures = ("seed", "map", "parameters", "in head", "GFLOPs", "steps", "disk", *[_time_title(plan)] * timed)
        columns, texts = [*names.columns, *map(Column, figures)], [_cell_texts(row, timed=timed) for row in rows]
    for table in tables(columns, texts, console.width, title=names.title):
        console.print(table, crop=False)
    for line in _total(cells, plan, folded=len(rows) > _MANY):
        tell(console, line)
    for line in [*kept_sentences(plan.kept), *why_not_once(cells, plan.costs)]:
        tell(console, line)
    if (sentence := _hours(cells, plan, slots, gpus, tflops)) is not None:
        tell(console, sentence)


def _rows(cells: Sequence[Cell], plan: Plan, names: Sequence[Sequence[str]]) -> list[_Row]:
    """Cells of the same names and costs together."""
    estimates = plan.estimates or [None] * len(cells)
    groups: dict[tuple[tuple[str, ...], Cost | None], list[int]] = defaultdict(list)
    for index, (own, cost) in enumerate(zip(names, plan.costs, strict=True)):
        groups[tuple(own), cost and cost._replace(test_split="")].append(index)  # each replicate draws its own
    return [
        _Row(own, [cells[at] for at in indices], [cost] * len(indices), [estimates[at] for at in indices])
        for (own, cost), indices in groups.items()
    ]


def _cell_texts(row: _Row, *, timed: bool) -> list[str]:
    cost, seeds = row.costs[0], [cell.config["seed"] for cell in row.cells]
    listed = ", ".join(map(str, seeds)) if len(seeds) < 4 else count_of(len(seeds), "seed")
    if cost is None:
        return [*row.names, listed, *["-"] * (6 + timed)]
    parameters = f"{(cost.backbone_parameters + cost.head_parameters) / 1e6:,.2f} M"
    known = [estimate.seconds for estimate in row.estimates if estimate]
    return [
        *(*row.names, listed, _map(cost), parameters, f"{cost.head_parameters:,}"),
        *(_giga(cost), f"{cost.steps:,}", size(cost.disk - cost.partial)),
        *[duration(fmean(known)) if known else "-"] * timed,
    ]


def _folded(cells: Sequence[Cell], plan: Plan, names: CellNames) -> tuple[list[Column], list[list[str]]]:
    """A row for all heads of a dataset, size and backbone, with sums."""
    kept = [index for index, column in enumerate(names.columns) if column.title != "head"]
    groups: dict[tuple[str, ...], list[_Row]] = defaultdict(list)
    for row in _rows(cells, plan, [[own[index] for index in kept] for own in names.rows]):
        cost = row.costs[0]
        groups[(*row.names, _map(cost), _giga(cost), f"{cost.steps:,}") if cost else (*row.names, "-", "-", "-")].append(row)
    figures = ("map", "GFLOPs", "steps", "cells", "in head", "FLOPs", "disk", _time_title(plan))
    columns = [*(names.columns[index] for index in kept), *map(Column, figures)]
    return columns, [[*key, *_sums(rows)] for key, rows in groups.items()]


def _sums(rows: Sequence[_Row]) -> list[str]:
    """Of the cells of one row of the folded table."""
    count = f"{sum(len(row.cells) for row in rows):,}"
    known = [
        (cost, cell.config["recipe"]["epochs"]) for row in rows for cost, cell in zip(row.costs, row.cells, strict=True) if cost
    ]
    if not known:
        return [count, *["-"] * 4]
    heads = sorted({cost.head_parameters for cost, _ in known})
    hours = total_hours([estimate for row in rows for estimate in row.estimates])
    return [
        *(count, " to ".join(f"{heads[at]:,}" for at in sorted({0, len(heads) - 1}))),
        f"{sum(cost.training(epochs) for cost, epochs in known):.2g}",
        *(size(sum(cost.disk - cost.partial for cost, _ in known)), duration(hours.work) if hours else "-"),
    ]


def _time_title(plan: Plan) -> str:
    return "GPU time" if all(each.by == "flops" for each in plan.estimates if each) else "time"


def _map(cost: Cost) -> str:
    return "x".join(map(str, cost.feature_map))


def _giga(cost: Cost) -> str:
    giga = cost.flops / 1e9
    return f"{giga:,.0f}" if giga >= 99.5 else f"{giga:.3g}"


def _total(cells: Sequence[Cell], plan: Plan, *, folded: bool) -> list[str]:
    """What all cells cost together, and what the figures mean."""
    known = [(cost, cell.config["recipe"]["epochs"]) for cell, cost in zip(cells, plan.costs, strict=True) if cost]
    if not known:
        return []
    images = sum(cost.train_images * epochs for cost, epochs in known)
    flops = sum(cost.training(epochs) for cost, epochs in known)
    once = sum(store.flops for store in plan.kept)
    kept = f" and {once:.2e} of what is computed once" * bool(once)
    copy = size(max(cost.partial for cost, _ in known))
    unknown = f" ({len(cells) - len(known)} of {len(cells)} cannot be built)" if len(known) < len(cells) else ""
    steps, stays = sum(cost.steps for cost, _ in known), size(sum(cost.disk - cost.partial for cost, _ in known))
    of_row = "GFLOPs and steps of a row are those of one cell, FLOPs, disk and time those of all its cells: "
    passes = _passes([cost for cost, _ in known])
    rest = f"disk without what loggers write, and without a copy (at most {copy}) while a checkpoint is replaced"
    return [
        f"In total: {count_of(len(known), 'cell')}{unknown}, {steps:,} steps on {images:,} images "
        f"(training images x epochs), {flops:.2e} FLOPs of training{kept}, {stays} of disk",
        f"{of_row if folded else 'Figures of a row are those of one cell: '}GFLOPs of one image's forward pass, of training "
        f"counted as {passes}; {rest}",
    ]


def _passes(costs: Sequence[Cost]) -> str:
    """How many forward passes of an image training counts as."""
    if all(cost.reads == "maps" for cost in costs):
        return "three of the head, whose maps are kept"
    kept = ", none of a backbone whose maps are kept" if any(cost.reads == "maps" for cost in costs) else ""
    frozen = all(cost.train_flops < cost.flops * 3 for cost in costs)
    return f"{'one of a frozen backbone and three of its head' if frozen else 'three'}{kept}"


def _hours(cells: Sequence[Cell], plan: Plan, slots: int, gpus: int, tflops: float) -> str | None:
    work = sum(store.flops for store in plan.kept) + sum(
        cost.work(int(cell.config["recipe"]["epochs"]))
        for cell, cost in zip(cells, plan.costs, strict=True)
        if cost is not None
    )
    return hours_sentence(
        plan.estimates, work, tflops=tflops, slots=slots, gpus=gpus, on_cpu=plan.on_cpu, making=making(plan.kept)
    )
