"""From directories to a study: every cell read once, what cannot be read named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from wisesr.errors import UserError
from wisesr.report.claims.answer import answer_claims
from wisesr.report.claims.declared import package_claims, read_claims
from wisesr.report.compare import compare
from wisesr.report.division import with_division
from wisesr.report.placement import TableKey, places, shared, table_of
from wisesr.report.published import PUBLISHED, read_published, unmatched
from wisesr.report.read_cells import CellFiles, name_cells, read_cell, unique_cells
from wisesr.report.scores import ScoreReader, Scoring
from wisesr.report.study import LeftOut, ReportCell, ReportTable
from wisesr.report.tested_metrics import TOP1, Metric
from wisesr.report.whole_study import Study
from wisesr.results.state import State
from wisesr.wording import natural_key

_Tracked = Callable[[Sequence[Path]], Iterable[Path]]


def read_study(
    roots: Sequence[Path],
    *,
    baseline: str = "gap",
    published: Path | None = None,
    claims: Path | None = None,
    margin: float | None = None,
    metric: Metric = TOP1,
    tracked: _Tracked = iter,
) -> Study:
    """All cells below directories, and the tables that compare them.

    Studies that lie below one directory have tables of their own; what several directories hold belongs together.

    Args:
        roots: outputs, studies or cells; they may overlap.
        baseline: the head that others are compared with, by its name, or with its settings where several have this name.
        published: a CSV file of published figures; by default the package's own.
        claims: a YAML file of claims; by default the package's own, those of the paper and the controls.
        margin: within which two heads count as equal, in the metric's unit; by default the metric's own.
        metric: that is tested; of all but top-1 a cell needs its predictions.
        tracked: goes through the directories, and may show how far that is.

    Raises:
        UserError: there are no cells, no head of that name, or something is wrong with the file of published figures
            or of claims.
    """
    figures, declared = read_published(published or PUBLISHED), read_claims(claims) if claims else package_claims()
    names = name_cells(roots)
    if not names:
        where = ", ".join(map(str, roots))
        raise UserError(f"there are no cells below {where}: a cell is a directory with a config.yaml, made by training")
    read: list[CellFiles] = []
    damaged: list[LeftOut] = []
    for directory in tracked(list(names)):
        cell = read_cell(directory, names[directory])
        if isinstance(cell, LeftOut):
            damaged.append(cell)
        else:
            read.append(cell)
    if len(roots) == 1 and len({cell.config["study"] for cell in read}) > 1:
        read = [cell._replace(study=cell.config["study"]) for cell in read]
    divided = with_division([(cell.settings, cell.config, cell.record) for cell in read])
    read = [cell._replace(settings=settings) for cell, settings in zip(read, divided, strict=True)]
    kept, repeated = unique_cells(read)
    cells, common = _placed(kept)
    scoring = ScoreReader(metric)
    if metric is not TOP1:
        cells, figures = tuple(_tested(cell, scoring) for cell in cells), {}  # published figures are of top-1
    tables = compare(cells, baseline=baseline, published=figures, common=common, scoring=scoring, metric=metric)
    answered = answer_claims(tables, declared, scoring, margin or metric.margin)
    if claims is None:
        answered = tuple(block._replace(compared=_tables_of(block.study, tables)) for block in answered)
    notes = unmatched(published, figures, cells) if published else []
    return Study(tuple(roots), cells, (*damaged, *repeated), tables, tuple(notes), answered)


def _tables_of(study: str, tables: Iterable[ReportTable]) -> tuple[ReportTable, ...]:
    return tuple(table for table in tables if table.entries and table.entries[0].place.study == study)


def _tested(cell: ReportCell, scoring: Scoring) -> ReportCell:
    """A cell with the figure that is tested; one whose predictions cannot be read has none, and is in no table."""
    if cell.record is None:
        return cell
    scores = scoring(cell)
    if isinstance(scores, str):
        return cell._replace(state=State.DAMAGED, reason=f"it {scores}", record=None)
    return cell._replace(value=float(scores.values.mean(dtype=float)))


def _placed(cells: Sequence[CellFiles]) -> tuple[tuple[ReportCell, ...], dict[TableKey, str]]:
    """Cells with their places, in the order of these, and what all cells of a table share."""
    settings = [cell.settings for cell in cells]
    where = places(settings, [cell.study for cell in cells])
    placed = [
        ReportCell(cell.directory, cell.name, cell.state, cell.reason, cell.config, cell.record, place)
        for cell, place in zip(cells, where, strict=True)
    ]
    ordered = sorted(placed, key=lambda cell: (cell.place.study, natural_key(cell.place.dataset), cell.place, cell.name))
    return tuple(ordered), shared(settings, [table_of(place) for place in where])
