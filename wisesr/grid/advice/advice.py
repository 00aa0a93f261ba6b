"""What is said before a grid starts: a few lines, never an error, nothing for a single cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.console import Console

from wisesr.grid.advice.costs import Costs, measured_times
from wisesr.grid.advice.dropped import dropped_positions
from wisesr.grid.advice.effect import effect
from wisesr.grid.advice.maps import maps
from wisesr.grid.advice.questions import baseline, rates, repetitions
from wisesr.grid.advice.rows import finished_beside, make_rows
from wisesr.grid.cell_dirs import Cell
from wisesr.grid.planning.plan import Plan
from wisesr.terminal import tell

_TITLE = "What this grid cannot answer as it is, and what would:"


class Advice(NamedTuple):
    """What a grid is told."""

    effect: str | None
    """Which difference it will be able to find; None where it compares nothing, or tests nothing."""
    left_open: list[str]
    """What it cannot answer as it is."""


def advice(cells: Sequence[Cell], waiting: Sequence[Cell], plan: Plan, slots: int = 1) -> Advice:
    """Sentences on what a grid can find and what it leaves open; none for a single cell.

    Args:
        cells: of the command; those of them that are done count.
        waiting: those of them that are to run.
        plan: of these.
        slots: cells at a time.
    """
    if len(cells) < 2:
        return Advice(None, [])
    beside = finished_beside(cells)
    configs = [cell.config for cell in cells]
    rows = make_rows(configs, beside.values())
    heads = {id(cell.config): head for cell, head in zip(waiting, plan.heads, strict=False)}
    flops = {id(cell.config): cost for cell, cost in zip(waiting, plan.costs, strict=False)}
    done = {cell.directory: cell.config for cell in cells if id(cell.config) not in flops} | beside
    estimates = {id(cell.config): estimate for cell, estimate in zip(waiting, plan.estimates, strict=False)}
    costs = Costs(configs, flops, measured_times(done.items()), slots, estimates)
    found = [repetitions(rows, costs), rates(rows, costs), baseline(rows, costs), *maps(rows, heads)]
    found += dropped_positions(rows, heads)
    finished = {id(config): directory for directory, config in done.items()}
    return Advice(effect(rows, flops, finished), [sentence for sentence in found if sentence])


def print_advice(found: Advice, console: Console) -> None:
    """The sentences, each with an indent; on a terminal no word is broken."""
    if found.effect:
        tell(console, found.effect)
    if found.left_open:
        tell(console, _TITLE)
    for sentence in found.left_open:
        tell(console, f"  - {sentence}")
