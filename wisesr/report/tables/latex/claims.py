r"""`tables/claims.tex`: claims with verdict, estimate and interval, a table for each study."""

from __future__ import annotations

from collections.abc import Iterable

from wisesr.report.claims.answer import ClaimBlock
from wisesr.report.tables.claim_block_sentences import answered, family
from wisesr.report.tables.claims_grid import claims_grid
from wisesr.report.tables.grid import Grid
from wisesr.report.tables.latex.escape import prose
from wisesr.report.tables.latex.tabular import NOBODY, Made, Words, ragged, row, table, tabular
from wisesr.report.tables.numbers import DASH, EN_DASH

KEY = "claims"
_WIDTHS = {"claim": 0.35, "verdict": 0.17, "estimate": 0.15, "95 % interval": 0.2}
r"""Columns, and how much of `\linewidth` they take; the gaps take the rest."""


def claims(blocks: Iterable[ClaimBlock], made: Made = NOBODY) -> str | None:
    """The file of all claims that have a verdict; None where none has."""
    floats: list[str] = []
    for block in blocks:
        if (grid := claims_grid(block)) is None:
            continue
        study = f" of {block.study}" if block.study else ""
        caption = f"Claims{prose(study)}, with what these trainings say of them."
        words = Words(short=f"Claims{study}", caption=caption, notes=[*_units(block), family(block)])
        key = f"{KEY}-{len(floats) + 1}" if floats else KEY
        floats.append(table(key, made, words, [_tabular(grid)], KEY))
    return "\n".join(floats) if floats else None


def _tabular(grid: Grid) -> list[str]:
    at = {column.key: index for index, column in enumerate(grid.columns)}
    kinds = "".join(rf"p{{{share}\linewidth}}" for share in _WIDTHS.values())
    texts = ([EN_DASH if (text := cells[at[key]].text) == DASH else text for key in _WIDTHS] for cells in grid.rows)
    rows = [row(ragged(prose(text)) for text in own) for own in texts]
    spaced = [line for one in rows for line in (r"\addlinespace[2pt]", one)][1:]  # claims of several lines stay apart
    return tabular(kinds, [row(prose(title) for title in _WIDTHS)], spaced)


def _units(block: ClaimBlock) -> list[str]:
    """What estimates without a percent sign are, as the table has no room for it."""
    units = {answer.claim.measure.unit for answer in answered(block)} - {"%"}
    return [f"Estimates and intervals without a percent sign: {' or '.join(sorted(units))}."] * bool(units)
