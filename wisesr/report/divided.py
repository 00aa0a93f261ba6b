"""What is said where cells divided their batches in different ways, or had different devices that nothing depends on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from wisesr.report.division import Division, devices_of, division_of_cell
from wisesr.report.placement import undivided
from wisesr.report.study import ReportCell
from wisesr.report.unlike import compared, text_of

DIVIDING = {"trainer.devices", "trainer.num_nodes", "trainer.sync_batchnorm", "trainer.strategy"}
"""Keys that are compared here, by what a cell really had."""
_APART = (
    "are not compared across different divisions of a batch: BatchNorm and mixing see one part at a time, so with either "
    "each is another computation"
)
_LAST_BITS = {
    "number of devices": "Nothing that these cells trained depends on how a batch is divided over devices. Last bits, "
    "draws of dropout, and times, may differ for it.",
    "trainer.strategy": "Last bits, and times, may differ for it.",
}


def division_warnings(cells: Sequence[ReportCell]) -> list[str]:
    """Rows two heads of which were trained on batches divided in different ways only, so that nothing compares them; in red.

    Args:
        cells: all finished ones of a table, those that no row shows among them.
    """
    rows: dict[tuple[str, str], list[ReportCell]] = {}
    for cell in cells:
        rows.setdefault((cell.place.backbone, undivided(cell.place.settings)), []).append(cell)
    warnings = []
    for (backbone, settings), own in rows.items():
        seeds = [[cell for cell in own if cell.place.seed == seed] for seed in {cell.place.seed for cell in own}]
        if any(map(_divided_apart, [own, *seeds])):
            name = " ".join(part for part in (backbone, settings) if part)
            values = compared("Parts of a batch", own, [division_of_cell(cell).text for cell in own])
            warnings.append(f"{name}: heads {_APART}. {values}")
    return warnings


def _divided_apart(cells: Sequence[ReportCell]) -> bool:
    """Whether two heads have no division of batches in common."""
    heads: dict[str, set[Division]] = {}
    for cell in cells:
        heads.setdefault(cell.place.head, set()).add(division_of_cell(cell))
    return any(one.isdisjoint(other) for one, other in combinations(heads.values(), 2))


def devices_unlike(cells: Sequence[ReportCell]) -> dict[str, list[str]]:
    """How many devices cells of one division had, and by which strategy, where that varies: the value of each cell."""
    values = {
        "number of devices": [text_of(devices_of(cell.config, cell.record)) for cell in cells],
        "trainer.strategy": [text_of(cell.config["trainer"]["strategy"]) for cell in cells],
    }
    return {key: texts for key, texts in values.items() if len(set(texts)) > 1}


def devices_notes(cells: Sequence[ReportCell]) -> list[str]:
    """Where cells that stand in one mean had other devices: never those that training depends on, which are an axis."""
    divisions: dict[Division, list[ReportCell]] = {}
    for cell in cells:
        divisions.setdefault(division_of_cell(cell), []).append(cell)
    return [
        f"{compared(f'Not the same {key}', own, values)} {_LAST_BITS[key]}"
        for own in divisions.values()
        for key, values in devices_unlike(own).items()
    ]
