"""`tables.md`: every table of a study, and all that is to be said of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from wisesr.report.claims.answer import ClaimBlock
from wisesr.report.ranking import Ranking, rankings
from wisesr.report.study import ReportTable
from wisesr.report.tables.claim_block_sentences import by_reason, family, headline, unanswered
from wisesr.report.tables.claims_grid import claims_grid
from wisesr.report.tables.grid import Grid, comparison_grid, matrix_grid, rates_grid, tries_grid
from wisesr.report.tables.ranking_grids import heads_grid, pairs_grid
from wisesr.report.tables.ranking_sentences import caption, notes, verdict
from wisesr.report.tables.sentences import method_sentences
from wisesr.report.tables.table_content import table_content
from wisesr.report.tables.tries_table import tries_method
from wisesr.report.tries import table_tries
from wisesr.report.whole_study import Study


def markdown(study: Study) -> str:
    """All tables as Markdown (with GitHub's tables)."""
    blocks = [
        "# Results",
        *(part for block in study.claims for part in _claims(block)),
        *(block for table in study.tables for block in _table(table)),
    ]
    blocks += [block for ranking in rankings(study) for block in _ranking(ranking)]
    if study.damaged:
        lines = [f"{cell.name}: {cell.state}, {cell.reason}" for cell in study.damaged]
        blocks += ["## Cells in no table", _list(lines)]
    return "\n\n".join(blocks) + "\n"


def _claims(block: ClaimBlock) -> list[str]:
    """The claims of one study: what is known in a sentence, a table of verdicts, and which have no answer."""
    if not block.answers:
        return []
    blocks = [
        f"## Claims{f' of {escape(block.study)}' * bool(block.study)}",
        *(escape(f"{known.text} {known.detail}".strip()) for known in headline(block)),
    ]
    if grid := claims_grid(block):
        blocks += [_grid(grid), escape(family(block))]
    lines = [f"not answered: {', '.join(names)}: {why}" for why, names in by_reason(unanswered(block)).items()]
    return blocks + ([_list(lines)] if lines else [])


def _table(table: ReportTable) -> list[str]:
    content = table_content(table)
    blocks = [f"## {escape(table.title)}"]
    blocks += [f"> **Warning:** {escape(sentence)}" for sentence in table.warnings]
    blocks.append(escape(" ".join(method_sentences(table))))
    grids = (matrix_grid(content), comparison_grid(content), rates_grid(content))
    blocks += [_grid(grid) for grid in grids if grid is not None and grid.rows]
    for row in table_tries(table):
        blocks += [f"### Best after k tried rates, {escape(row.group)}"]
        blocks += [_grid(tries_grid(table, row)), escape(" ".join((*row.notes, tries_method(table, row))))]
    blocks += [_list(table.notes)] if table.notes else []
    if content.left_out:
        lines = [f"{reason} ({len(names)}): {', '.join(names)}" for reason, names in content.left_out.items()]
        blocks += ["Not in the table:", _list(lines)]
    return blocks


def _ranking(ranking: Ranking) -> list[str]:
    """Heads ranked over datasets, or why they are not."""
    blocks = [f"## {escape(ranking.title)}", escape(verdict(ranking))]
    blocks += [_list(sentences)] if (sentences := notes(ranking)) else []
    return (
        blocks
        if ranking.refused
        else [*blocks, escape(caption(ranking)), *map(_grid, (heads_grid(ranking), pairs_grid(ranking)))]
    )


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {escape(line)}" for line in lines)


def _grid(grid: Grid) -> str:
    align = [":---"] * grid.names + ["---:"] * (len(grid.columns) - grid.names)
    lines = [[escape(column.title) for column in grid.columns], align]
    lines += [[f"**{escape(cell.text)}**" if cell.bold else escape(cell.text) for cell in row] for row in grid.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def escape(text: str) -> str:
    """What Markdown or HTML would read as more than text; line breaks are spaces."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))
