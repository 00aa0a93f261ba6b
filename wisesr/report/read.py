"""From directories to a study: every cell read once, what cannot be read named."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from wisesr.config.axes import Leaves
from wisesr.config.files import load_cell
from wisesr.errors import UserError
from wisesr.report.claims.answer import answer_claims
from wisesr.report.claims.declared import PAPER, read_claims
from wisesr.report.compare import compare
from wisesr.report.division import with_division
from wisesr.report.placement import TableKey, places, shared, table_of
from wisesr.report.published import PUBLISHED, read_published, unmatched
from wisesr.report.scores import ScoreReader, Scoring
from wisesr.report.settings import settings_of
from wisesr.report.study import LeftOut, ReportCell
from wisesr.report.tested_metrics import TOP1, Metric
from wisesr.report.whole_study import Study
from wisesr.results.atomic_files import read_json
from wisesr.results.cell_files import RESULT
from wisesr.results.labels import parse_labels
from wisesr.results.lock import is_running
from wisesr.results.record import Record
from wisesr.results.record_file import RecordError, load_record
from wisesr.results.state import State
from wisesr.results.store import find_cells, state_of

MARGIN = 1.0
"""Points within which two heads count as equal, unless another margin is asked for."""
_STARTED = "started.json"
_Tracked = Callable[[Sequence[Path]], Iterable[Path]]


class _CellFiles(NamedTuple):
    """A cell as it was read, before the others are known."""

    directory: Path
    name: str
    state: State
    reason: str
    config: Mapping[str, Any]
    record: Record | None
    settings: Leaves
    """As of `settings.settings_of`; then with its division, as of `division.with_division`."""
    data: str
    """Fingerprint of its images; empty where no attempt has written it down yet."""
    study: str = ""
    """As of `Place.study`."""


def read_study(
    roots: Sequence[Path],
    *,
    baseline: str = "gap",
    published: Path | None = None,
    claims: Path | None = None,
    margin: float = MARGIN,
    metric: Metric = TOP1,
    tracked: _Tracked = iter,
) -> Study:
    """All cells below directories, and the tables that compare them.

    Studies that lie below one directory have tables of their own; what several directories hold belongs together.

    Args:
        roots: outputs, studies or cells; they may overlap.
        baseline: the head that others are compared with, by its name, or with its settings where several have this name.
        published: a CSV file of published figures; by default the package's own.
        claims: a YAML file of claims; by default the package's own, those of the paper.
        margin: within which two heads count as equal: points, or nats of a loss.
        metric: that is tested; of all but top-1 a cell needs its predictions.
        tracked: goes through the directories, and may show how far that is.

    Raises:
        UserError: there are no cells, no head of that name, or something is wrong with the file of published figures
            or of claims.
    """
    figures, declared = read_published(published or PUBLISHED), read_claims(claims or PAPER)
    names = _name_cells(roots)
    if not names:
        where = ", ".join(map(str, roots))
        raise UserError(f"there are no cells below {where}: a cell is a directory with a config.yaml, made by train.py")
    read: list[_CellFiles] = []
    damaged: list[LeftOut] = []
    for directory in tracked(list(names)):
        cell = _read(directory, names[directory])
        if isinstance(cell, LeftOut):
            damaged.append(cell)
        else:
            read.append(cell)
    if len(roots) == 1 and len({cell.config["study"] for cell in read}) > 1:
        read = [cell._replace(study=cell.config["study"]) for cell in read]
    divided = with_division([(cell.settings, cell.config, cell.record) for cell in read])
    read = [cell._replace(settings=settings) for cell, settings in zip(read, divided, strict=True)]
    unique, repeated = _unique(read)
    cells, common = _placed(unique)
    scoring = ScoreReader(metric)
    if metric is not TOP1:
        cells, figures = tuple(_tested(cell, scoring) for cell in cells), {}  # published figures are of top-1
    tables = compare(cells, baseline=baseline, published=figures, common=common, scoring=scoring, metric=metric)
    answered = answer_claims(tables, declared, scoring, margin)
    notes = unmatched(published, figures, cells) if published else []
    return Study(tuple(roots), cells, (*damaged, *repeated), tables, tuple(notes), answered)


def _name_cells(roots: Sequence[Path]) -> dict[Path, str]:
    """Directories of cells, each once, and the name of each: its path below its root (named, too, if several)."""
    names: dict[Path, str] = {}
    seen: set[Path] = set()
    for root in roots:
        if not root.is_dir():
            raise UserError(f"there is no directory {root}")
        for directory in find_cells(root):
            if (place := directory.resolve()) in seen:
                continue
            seen.add(place)
            below = directory.relative_to(root).as_posix()
            top = root.resolve().name
            names[directory] = top if below == "." else f"{top}/{below}" if len(roots) > 1 else below
    taken = list(names.values())
    return {path: name if taken.count(name) == 1 else str(path) for path, name in names.items()}


def _read(directory: Path, name: str) -> _CellFiles | LeftOut:
    """A cell, or what is wrong with it."""
    try:
        config = load_cell(directory)
        parse_labels(config)
        settings = settings_of(config)
        record = load_record(directory)
        if record is not None:
            _check_unedited(record, settings)
            return _CellFiles(directory, name, State.DONE, "", config, record, settings, record.provenance.data.fingerprint)
        state, reason = state_of(directory, running=is_running(directory))
        return _CellFiles(directory, name, State(state), reason, config, None, settings, _started_with(directory))
    except RecursionError:
        return LeftOut(name, State.DAMAGED, "its files are nested too deeply to be read")
    except (UserError, OSError) as error:
        return LeftOut(name, State.DAMAGED, " ".join(str(error).split()).replace(f"{directory}/", ""))


def _check_unedited(record: Record, settings: Leaves) -> None:
    """Raises: RecordError: a record's configuration is not that of its cell's `config.yaml`."""
    try:
        recorded = settings_of(record.config)
    except UserError:
        raise RecordError(f"{RESULT}: no config that can be read") from None
    if recorded != settings or record.protocol != settings["protocol"]:
        raise RecordError("config.yaml was edited: it is not the configuration of the record")


def _tested(cell: ReportCell, scoring: Scoring) -> ReportCell:
    """A cell with the figure that is tested; one whose predictions cannot be read has none, and is in no table."""
    if cell.record is None:
        return cell
    scores = scoring(cell)
    if isinstance(scores, str):
        return cell._replace(state=State.DAMAGED, reason=f"it {scores}", record=None)
    return cell._replace(value=float(scores.values.mean(dtype=float)))


def _started_with(directory: Path) -> str:
    """Fingerprint of the images that an unfinished cell was started with, where it says so."""
    started = read_json(directory / _STARTED)
    data = started.get("data") if isinstance(started, dict) else None
    return data if isinstance(data, str) else ""


def _unique(cells: Sequence[_CellFiles]) -> tuple[list[_CellFiles], list[LeftOut]]:
    """One cell of each computation on the same images; the others, named.

    Of several the finished one is kept, then that of the study with the most cells, then the newest. A cell of which nobody
    knows the images is the same as any other.
    """
    size = Counter(cell.config["study"] for cell in cells)

    def rank(cell: _CellFiles) -> tuple[bool, bool, int, str, str]:
        finished = cell.record.provenance.finished if cell.record else ""
        return cell.record is not None, bool(cell.data), size[cell.config["study"]], finished, cell.name

    same_computation: dict[tuple[str, str], list[_CellFiles]] = defaultdict(list)
    for cell in cells:
        same_computation[(cell.study, json.dumps(cell.settings, sort_keys=True))].append(cell)
    kept: list[_CellFiles] = []
    repeated: list[LeftOut] = []
    for group in same_computation.values():
        by_data: dict[str, _CellFiles] = {}
        for cell in sorted(group, key=rank, reverse=True):
            first = by_data.get(cell.data) if cell.data else next(iter(by_data.values()), None)
            if first is None:
                by_data[cell.data] = cell
            else:
                repeated.append(LeftOut(cell.name, cell.state, f"the same computation as {first.name}"))
        kept += by_data.values()
    return kept, repeated


def _placed(cells: Sequence[_CellFiles]) -> tuple[tuple[ReportCell, ...], dict[TableKey, str]]:
    """Cells with their places, in the order of these, and what all cells of a table share."""
    settings = [cell.settings for cell in cells]
    where = places(settings, [cell.study for cell in cells])
    placed = [
        ReportCell(cell.directory, cell.name, cell.state, cell.reason, cell.config, cell.record, place)
        for cell, place in zip(cells, where, strict=True)
    ]
    ordered = sorted(placed, key=lambda cell: (cell.place.study, cell.place, cell.name))
    return tuple(ordered), shared(settings, [table_of(place) for place in where])
