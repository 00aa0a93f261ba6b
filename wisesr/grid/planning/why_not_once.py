"""Why what could be computed once is computed in each epoch, for the readers of a plan. No torch."""

from __future__ import annotations

from collections.abc import Sequence

from wisesr.build.maps import why_no_maps
from wisesr.grid.cell_dirs import Cell
from wisesr.grid.planning.cost import Cost
from wisesr.wording import count_of


def why_not_once(cells: Sequence[Cell], costs: Sequence[Cost | None]) -> list[str]:
    """A sentence for each reason for which frozen backbones go through every epoch.

    Where a setting is what stands in the way; where there is no room, what would be kept tells it.
    """
    reasons: dict[str, list[Cell]] = {}
    for cell, cost in zip(cells, costs, strict=True):
        if cost is not None and cost.reads != "maps" and cell.config["backbone"].get("freeze") == "all":
            reason = why_no_maps(cell.config)
            if reason is not None and cell.config["dataset"]["features"] != "off":
                reasons.setdefault(reason, []).append(cell)
    return [f"The frozen backbone of {_whose(own)} is computed in each epoch: {reason}" for reason, own in reasons.items()]


def _whose(cells: Sequence[Cell]) -> str:
    return cells[0].label if len(cells) == 1 else count_of(len(cells), "cell")
