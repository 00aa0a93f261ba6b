"""What is said before a grid starts: a few lines, never an error, nothing for a single cell."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from wisesr.grid.advice.costs import Costs, measured_times
from wisesr.grid.advice.dropped import dropped_positions
from wisesr.grid.advice.maps import maps
from wisesr.grid.advice.questions import baseline, rates, repetitions
from wisesr.grid.advice.rows import finished_beside, make_rows
from wisesr.grid.cell_dirs import Cell
from wisesr.grid.planning.plan import Plan
from wisesr.terminal import tell

_TITLE = "What this grid cannot answer as it is, and what would:"


def advice(cells: Sequence[Cell], waiting: Sequence[Cell], plan: Plan, slots: int = 1) -> list[str]:
    """Sentences on what a grid leaves open; none for a single cell, and for a grid that answers.

    Args:
        cells: of the command; those of them that are done count.
        waiting: those of them that are to run.
        plan: of these.
        slots: cells at a time.
    """
    if len(cells) < 2:
        return []
    beside = finished_beside(cells)
    configs = [cell.config for cell in cells]
    rows = make_rows(configs, beside.values())
    heads = {id(cell.config): head for cell, head in zip(waiting, plan.heads, strict=False)}
    flops = {id(cell.config): cost for cell, cost in zip(waiting, plan.costs, strict=False)}
    done = {cell.directory: cell.config for cell in cells if id(cell.config) not in flops}
    estimates = {id(cell.config): estimate for cell, estimate in zip(waiting, plan.estimates, strict=False)}
    costs = Costs(configs, flops, measured_times((done | beside).items()), slots, estimates)
    found = [repetitions(rows, costs), rates(rows, costs), baseline(rows, costs), *maps(rows, heads)]
    found += dropped_positions(rows, heads)
    return [sentence for sentence in found if sentence]


def print_advice(sentences: Sequence[str], console: Console) -> None:
    """The sentences, each with an indent; on a terminal no word is broken."""
    if not sentences:
        return
    tell(console, _TITLE)
    for sentence in sentences:
        tell(console, f"  - {sentence}")
