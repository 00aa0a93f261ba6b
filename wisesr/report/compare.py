"""Cells to tables: which of them may be compared, and why the others are left out."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from wisesr.errors import UserError, unknown
from wisesr.report.comparability import learning_warnings, table_notes, table_warnings
from wisesr.report.divided import division_warnings
from wisesr.report.entries import GroupEntries, group_entries, is_usual
from wisesr.report.groups import divide
from wisesr.report.head_options import arithmetic_of
from wisesr.report.one_data import of_one_data
from wisesr.report.placement import TableKey, table_of
from wisesr.report.published import PublishedFigures
from wisesr.report.repetitions import repetition_notes
from wisesr.report.scores import Scoring
from wisesr.report.stars import corrected
from wisesr.report.study import LeftOut, Place, ReportCell, ReportTable
from wisesr.report.tables.sentences import PAPER
from wisesr.report.tested_metrics import TOP1, Metric
from wisesr.report.yardstick import Yardstick
from wisesr.results.state import State
from wisesr.wording import count_of

_UNFINISHED = {
    State.WAITING: "not started yet",
    State.INTERRUPTED: "the same command goes on with it",
    State.FAILED: "no reason was written down",
}


def compare(
    cells: Sequence[ReportCell],
    *,
    baseline: str,
    published: PublishedFigures,
    common: Mapping[TableKey, str],
    scoring: Scoring,
    metric: Metric = TOP1,
) -> tuple[ReportTable, ...]:
    """A table for each study (where studies have tables of their own), dataset, size and protocol; cells are sorted by place.

    Raises:
        UserError: no cell has the baseline's head, and it is not just the one that is usual.
    """
    _check_baseline(cells, baseline)
    tables: dict[TableKey, list[ReportCell]] = defaultdict(list)
    for cell in cells:
        tables[table_of(cell.place)].append(cell)
    keys = _keys(list(tables))
    yardstick = Yardstick(metric, scoring, published)
    return corrected([_table(keys[table], own, baseline, yardstick, common[table]) for table, own in tables.items()])


def _check_baseline(cells: Sequence[ReportCell], baseline: str) -> None:
    heads = {cell.place.head for cell in cells} | {cell.config["head"]["name"] for cell in cells}
    if baseline != "gap" and cells and baseline not in heads:
        raise UserError(f"--baseline: {unknown('head of these cells', baseline, heads)}")


def _keys(tables: Sequence[TableKey]) -> dict[TableKey, str]:
    """A file's name for each table: `intel-224`, `intel-224-paper`, `mystudy-intel-224`."""
    keys: dict[TableKey, str] = {}
    for study, dataset, size, protocol in tables:
        parts = [study] * bool(study) + [dataset, str(size)] + ["paper"] * (protocol == "paper")
        plain = re.sub(r"[^\w.-]+", "_", "-".join(parts))
        key, number = plain, 2
        while key.lower() in (taken.lower() for taken in keys.values()):
            key, number = f"{plain}-{number}", number + 1
        keys[(study, dataset, size, protocol)] = key
    return keys


def _table(key: str, cells: Sequence[ReportCell], asked: str, yardstick: Yardstick, common: str) -> ReportTable:
    """The table of cells of one study, dataset, size and protocol."""
    place = cells[0].place
    finished = [cell for cell in cells if cell.record is not None]
    baseline, baseline_notes = _baseline(finished, asked)
    same_data, other_data = of_one_data(finished, baseline)
    compared, repeated = _once(same_data)
    groups = divide(compared, cells)
    rows = [group_entries(heads, groups.every[name], baseline, yardstick) for name, heads in groups.shown.items()]
    shown = [cell for group in rows for entry in group.entries for cell in entry.cells]
    unfinished = [LeftOut(cell.name, cell.state, _left_out_reason(cell), cell.place) for cell in cells if cell.record is None]
    return ReportTable(
        key=key,
        title=_title(place),
        protocol=place.protocol,
        selections=tuple(sorted({cell.finished_record.selection for cell in shown})),
        baseline=baseline,
        entries=tuple(entry for group in rows for entry in group.entries),
        warnings=(
            *table_warnings(shown),
            *learning_warnings(shown, yardstick.scoring),
            *division_warnings(compared),
            *_repeated(repeated),
            *groups.warnings,
            *_together(rows, [group.warnings for group in rows]),
        ),
        notes=(
            *(f"{cell.place.label} is {cell.state}: {cell.reason}." for cell in shown if cell.state.is_left_alone),
            *repetition_notes(shown),
            *baseline_notes,
            *[PAPER] * (place.protocol == "paper" and bool(shown)),
            *_common_notes(cells, common),
            *groups.notes,
            *_without(baseline, rows, explained=bool(baseline_notes)),
            *_together(rows, [group.notes for group in rows]),
            *table_notes(shown),
        ),
        left_out=(*unfinished, *other_data, *repeated, *groups.left_out),
        metric=yardstick.metric,
    )


def _title(place: Place) -> str:
    study = f"{place.study}: " if place.study else ""
    return f"{study}{place.dataset}, {place.size} px{', protocol=paper' if place.protocol == 'paper' else ''}"


def _left_out_reason(cell: ReportCell) -> str:
    """Why a cell is not finished."""
    return cell.reason or _UNFINISHED.get(cell.state, "it runs")


def _baseline(cells: Sequence[ReportCell], asked: str) -> tuple[str, list[str]]:
    """The baseline's name with its settings, and a note where it is not there, or several heads have its name."""
    heads = sorted({cell.place.head for cell in cells})
    if asked in heads or not cells:
        return asked, []
    named = sorted({cell.place.head for cell in cells if cell.config["head"]["name"] == asked})
    usual = sorted({cell.place.head for cell in cells if cell.config["head"]["name"] == asked and is_usual(cell)})
    if len(usual or named) == 1:
        (chosen,) = usual or named
        return chosen, [f"Heads are compared with {chosen}."] if len(named) > 1 else []
    if named:
        return asked, [f"No differences: several heads are called {asked}; choose one with --baseline: {'; '.join(named)}."]
    return asked, [f"No differences: no cell of {asked} is finished here. --baseline names another head: {'; '.join(heads)}."]


def _together(groups: Sequence[GroupEntries], sentences: Sequence[Sequence[str]]) -> list[str]:
    """Sentences of groups with the names of these; one of several groups stands once."""
    names: dict[str, list[str]] = {}
    for group, own in zip(groups, sentences, strict=True):
        for sentence in own:
            names.setdefault(sentence, []).append(group.name)
    every = len(groups) if len(groups) > 1 else 2
    return [f"{'In all rows' if len(own) == every else ', '.join(own)}: {sentence}" for sentence, own in names.items()]


def _without(baseline: str, groups: Sequence[GroupEntries], *, explained: bool) -> list[str]:
    """Notes on groups that lack the baseline.

    Args:
        baseline: with its settings.
        groups: of a table.
        explained: whether a note on the baseline is there already, which also explains a table that lacks it throughout.
    """
    having = [any(entry.head == baseline for entry in group.entries) for group in groups]
    if explained and not any(having):
        return []
    names = [group.name for group, there in zip(groups, having, strict=True) if not there and len(group.entries) > 1]
    return [f"{', '.join(names)}: no finished cell of {baseline} is in the table, so no differences are shown."] * bool(names)


def _once(cells: Sequence[ReportCell]) -> tuple[list[ReportCell], list[LeftOut]]:
    """Each place once: cells that differ in nothing but how they were computed are no two seeds.

    Of those that add up in several ways the latest way is kept, of the others the first by name.
    """
    kept: dict[tuple[object, ...], ReportCell] = {}
    repeated = []
    for cell in sorted(cells, key=lambda cell: (cell.place, -(arithmetic_of(cell.config["head"]) or 0), cell.name)):
        if cell.place in kept:
            reason = f"the same seed as {kept[cell.place].name}, computed on other hardware or in another way"
            repeated.append(LeftOut(cell.name, cell.state, reason, cell.place))
        else:
            kept[cell.place] = cell
    return list(kept.values()), repeated


def _repeated(repeated: Sequence[LeftOut]) -> list[str]:
    if not repeated:
        return []
    seeds = f"{count_of(len(repeated), 'seed')} {'were' if len(repeated) > 1 else 'was'}"
    return [f"{seeds} computed more than once, in other ways; one cell of each is used."]


def _common_notes(cells: Sequence[ReportCell], common: str) -> list[str]:
    """What the table's cells share and other tables' do not, and from which studies they come."""
    notes = [f"All cells of this table have {common}; other tables differ in that."] if common else []
    studies = Counter(str(cell.config["study"]) for cell in cells)
    if len(studies) > 1:
        counts = ", ".join(f"{name} ({count})" for name, count in studies.most_common())
        notes.append(f"Cells of {len(studies)} studies are reported together: {counts}.")
    return notes
