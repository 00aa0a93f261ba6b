"""What the cells of a table do not share of their code, in sentences that name files and cells."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from wisesr.report.study import ReportCell
from wisesr.report.unlike import compared, names, unlike
from wisesr.results.code import Code, named
from wisesr.results.record import Record
from wisesr.results.same_code import BEFORE_FILES, CodeComparison, compare_code


def compare_cells(cells: Sequence[ReportCell]) -> CodeComparison:
    """The code of finished cells, held against one another."""
    return compare_code((cell.finished_record.provenance, cell.directory) for cell in cells)


def code_warnings(cells: Sequence[ReportCell]) -> list[str]:
    """Code that certainly differs, or that did between the attempts at one cell; to stand in red."""
    found = compare_cells(cells)
    warnings = [_differing(cells, found.files, found.codes)] if found.files else []
    if found.of_package:
        warnings.append(unlike("Not the same code of wisesr", [cell for cell in cells if not _noted(cell)], _whole))
    whole = [cell for cell in cells if not _noted(cell) and len(set(cell.finished_record.provenance.sources)) > 1]
    if whole:
        warnings.append(f"The code of wisesr was changed between the attempts of {names(whole)}.")
    if edited := [cell for cell in cells if _edited(cell)]:
        files = {file for cell in edited for file in _edited(cell)}
        warnings.append(f"Code was edited between the attempts of {names(edited)}, or while they began: {named(files)}.")
    return warnings


def code_notes(cells: Sequence[ReportCell]) -> list[str]:
    """Of which cells nobody can tell whether their code is that of the others."""
    found = compare_cells(cells)
    notes = []
    if found.apart:
        whole = [cell for cell in cells if not _noted(cell)]
        notes.append(f"Nobody can tell whether all cells were computed by the same code: {BEFORE_FILES}: {names(whole)}.")
    if found.lost:
        lost = [cell for cell in cells if _noted(cell) and cell.finished_record.provenance.source not in found.codes]
        notes.append(f"Nobody can tell whether all cells were computed by the same code: code.json is gone of {names(lost)}.")
    return notes


def _differing(cells: Sequence[ReportCell], files: Sequence[str], codes: Mapping[str, Code]) -> str:
    """One sentence: the files, and which cells have which state of the one that most of them have."""
    own = {id(cell): code for cell in cells if (code := codes.get(cell.finished_record.provenance.source)) is not None}
    having = Counter(file for code in own.values() for file in files if file in code.files)
    (most, _), *_ = sorted(having.items(), key=lambda item: (-item[1], item[0]))
    shown = [cell for cell in cells if id(cell) in own and most in own[id(cell)].files]
    values = [f"commit {_commit(cell.finished_record)} ({_short(own[id(cell)].files[most])})" for cell in shown]
    return compared(f"Not the same code, in {named(files)}", shown, values)


def _short(digest: str) -> str:
    """The beginning of a hash; words that stand in the place of one as they are."""
    return digest[:8] if len(digest) == 64 else digest


def _noted(cell: ReportCell) -> bool:
    """Whether a record tells of files, and not of the package as a whole."""
    return bool(cell.finished_record.provenance.code)


def _edited(cell: ReportCell) -> list[str]:
    return [str(file) for file in cell.finished_record.provenance.code.get("edited") or ()]


def _whole(record: Record) -> str:
    """The commit, which a user can look up, and the hash of the source, which alone decides whether code is the same."""
    return f"commit {_commit(record)} (source {record.provenance.source[:8]})"


def _commit(record: Record) -> str:
    return re.sub(r"\b([0-9a-f]{10})[0-9a-f]{30}\b", r"\1", record.provenance.commit or "unknown")
