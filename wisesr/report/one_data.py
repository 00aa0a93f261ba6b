"""Cells that saw the same images with the same splits: no others are compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from wisesr.report.repetitions import Split, split_of
from wisesr.report.study import LeftOut, ReportCell
from wisesr.wording import count_of


def of_one_data(cells: Sequence[ReportCell], baseline: str) -> tuple[list[ReportCell], list[LeftOut]]:
    """Cells of the data that most of them saw, split by split, and the others."""
    splits: dict[Split, list[ReportCell]] = defaultdict(list)
    for cell in cells:
        splits[split_of(cell.config)].append(cell)
    where = "the table" if len(splits) < 2 else "this replicate or fold"
    parts = [_of_one_split(own, baseline, where) for own in splits.values()]
    return [cell for kept, _ in parts for cell in kept], [other for _, others in parts for other in others]


def _of_one_split(cells: Sequence[ReportCell], baseline: str, where: str) -> tuple[list[ReportCell], list[LeftOut]]:
    """Of cells whose splits were drawn alike: replicates and folds have data of their own."""
    seen: dict[str, list[ReportCell]] = defaultdict(list)
    for cell in cells:
        seen[cell.finished_record.provenance.data.fingerprint].append(cell)

    def order(data: str) -> tuple[int, int, str]:
        return -len(seen[data]), -sum(cell.place.head == baseline for cell in seen[data]), data

    chosen = min(seen, key=order)
    reason = f"other images, labels or splits than the {count_of(len(seen[chosen]), 'cell')} of {where}"
    return seen[chosen], [
        LeftOut(cell.name, cell.state, reason, cell.place) for data, own in seen.items() if data != chosen for cell in own
    ]
