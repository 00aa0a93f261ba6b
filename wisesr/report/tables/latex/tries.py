r"""`tables/KEY-tries.tex`: what each head has after 1, 2, ... tried learning rates."""

from __future__ import annotations

from collections.abc import Sequence

from wisesr.report.study import ReportTable
from wisesr.report.tables.grid import Text, tries_grid
from wisesr.report.tables.latex.differences import grouped
from wisesr.report.tables.latex.escape import escape, prose
from wisesr.report.tables.latex.tabular import NOBODY, Made, Words, table
from wisesr.report.tables.tries_table import tries_method
from wisesr.report.tries import RowTries, table_tries


def tries(of: ReportTable, made: Made = NOBODY) -> str | None:
    """The file of a table's searches; None where each head was tried at one rate."""
    rows = tuple(table_tries(of))
    if not rows:
        return None
    name = of.metric.title.partition(",")[0]
    chose = "the test images chose too (protocol=paper)" if of.protocol == "paper" else "validation chose"
    words = Words(
        short=f"Best of the tried learning rates on {of.title}",
        caption=prose(f"Test {name} on {of.title} of the best of 1, 2, ... tried learning rates, which {chose}."),
        notes=[note for row in rows for note in _named(row, rows)],
        strong=of.warnings,
        aside=list(dict.fromkeys(tries_method(of, row) for row in rows)),
    )
    return table(f"{of.key}-tries", made, words, [_tabular(of, row, named=len(rows) > 1) for row in rows])


def _named(row: RowTries, rows: Sequence[RowTries]) -> list[str]:
    """A row's notes, with its name where there are several."""
    return [f"{row.group}: {note}" if len(rows) > 1 else note for note in row.notes]


def _tabular(of: ReportTable, row: RowTries, *, named: bool) -> list[str]:
    """Figures below the name of their head, with that of the backbone where there are several of these."""
    grid = tries_grid(of, row)
    heads: dict[str, list[tuple[str, Sequence[Text]]]] = {}
    for head, figure, *values in grid.rows:
        heads.setdefault(f"{row.group} {head.text}" if named else head.text, []).append((figure.text, values))
    return grouped(list(heads.items()), [escape(column.title) for column in grid.columns[1:]])
