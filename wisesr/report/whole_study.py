"""All that a report shows: cells, the tables that compare them, and what they say of the claims."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from wisesr.report.claims.answer import ClaimBlock
from wisesr.report.study import LeftOut, ReportCell, ReportTable


class Study(NamedTuple):
    """All that a report shows."""

    roots: tuple[Path, ...]
    cells: tuple[ReportCell, ...]
    """All that could be read, finished or not."""
    damaged: tuple[LeftOut, ...]
    """What could not be read, or was written by another version."""
    tables: tuple[ReportTable, ...]
    notes: tuple[str, ...] = ()
    """On the report as a whole: figures of a published table that belong to nothing here."""
    claims: tuple[ClaimBlock, ...] = ()
    """What the cells say of the claims that were declared; one block a study that has tables of its own."""
