"""The family of stars: all comparisons with the baseline in all tables of a study, corrected together.

A reader reads a grid, not a row: of 44 rows of equal heads, each corrected by itself, nine studies in ten have a star
somewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from wisesr.report.difference import Difference
from wisesr.report.study import Entry, ReportTable
from wisesr.report.twins import figures
from wisesr.statistics.families import LEVEL, holm

Computation = tuple[str, str, str, str]
"""What tells an entry from all others of a study: table, backbone, settings, figures."""


def corrected(tables: Sequence[ReportTable]) -> tuple[ReportTable, ...]:
    """Tables with p-values after Holm over all of their study's, and what each comparison could have found."""
    studies = [table.entries[0].place.study if table.entries else "" for table in tables]
    family: dict[str, dict[Computation, float]] = defaultdict(dict)
    for study, table in zip(studies, tables, strict=True):
        family[study] |= _tested(table)
    adjusted = {study: dict(zip(own, holm(list(own.values())), strict=True)) for study, own in family.items()}
    return tuple(_with(table, adjusted.get(study, {})) for study, table in zip(studies, tables, strict=True))


def _tested(table: ReportTable) -> dict[Computation, float]:
    """P-values of a table's tests: heads that are one computation are tested once, and the baseline's twins not at all.

    One that cannot be tested, as all of its differences are equal or a file is missing, counts as p = 1.
    """
    baselines = {_computation(table, entry) for entry in table.entries if entry.head == table.baseline}
    tested = {
        _computation(table, entry): 1.0 if difference.p is None else difference.p
        for entry in table.entries
        if (difference := entry.difference) is not None and difference.kind == "seeds"
    }
    return {name: p for name, p in tested.items() if name not in baselines}


def _computation(table: ReportTable, entry: Entry) -> Computation:
    return table.key, entry.backbone, entry.settings, figures(entry)


def _with(table: ReportTable, adjusted: dict[Computation, float]) -> ReportTable:
    def entry_with(entry: Entry) -> Entry:
        difference = entry.difference
        if difference is None or difference.p is None:
            return entry
        return entry._replace(difference=_judged(difference, adjusted[_computation(table, entry)], len(adjusted)))

    return table._replace(entries=tuple(map(entry_with, table.entries)), tests=len(adjusted))


def _judged(difference: Difference, p_holm: float, tests: int) -> Difference:
    detectable = max(estimate.detectable(LEVEL / tests) for estimate in difference.needed)
    return difference._replace(p_holm=p_holm, detectable=detectable)
