"""Cells that are about to run other code than they or their study began with: told in red before they start."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from wisesr.build.code import CodeNow
from wisesr.grid.cell_dirs import Cell
from wisesr.grid.cores import study_of
from wisesr.grid.frozen import FrozenNow, frozen_snapshot, whole_snapshot
from wisesr.grid.outcome import CellOutcome, RunReason
from wisesr.results.atomic_files import read_json
from wisesr.results.cell_files import LAST, STARTED
from wisesr.results.code import named, unlike_files
from wisesr.results.code_search import cell_path
from wisesr.results.continued_code import other_code
from wisesr.results.metrics import read_metrics
from wisesr.results.redo import work_dir
from wisesr.wording import count_of, some_of

_SHOWN = 4
"""Cells that a sentence names."""


class _Half(NamedTuple):
    """A cell that goes on with other code."""

    cell: Cell
    directory: Path
    """Where it is computed."""
    why: str
    """`was interrupted after epoch 2`."""


def other_code_sentences(outcomes: Sequence[CellOutcome], code: CodeNow | FrozenNow, grid: Mapping[str, Any]) -> Iterator[str]:
    """What is to be said of the code of cells that wait.

    Args:
        outcomes: of all cells.
        code: that this command runs them by.
        grid: settings of the command.

    Raises:
        UserError: of a frozen command, the copy that they would run by was edited.
    """
    waiting = [outcome.cell for outcome in outcomes if outcome.is_to_run]
    if not grid.get("frozen"):
        yield from _unfrozen(waiting)
    else:
        for study in dict.fromkeys(map(study_of, waiting)):
            whole_snapshot(study)
    halves: dict[str, list[_Half]] = {}
    for outcome in outcomes:
        place = work_dir(outcome.cell.directory, force=grid["force"])
        if outcome.run_reason in (None, RunReason.NEW) or not (place / LAST).exists():
            continue
        if files := other_code(place, _sources(place), code.of(outcome.cell.config)):
            halves.setdefault(files, []).append(_Half(outcome.cell, place, _why(outcome, place)))
    yield from (_sentence(files, own) for files, own in halves.items())


def _unfrozen(cells: Sequence[Cell]) -> Iterator[str]:
    """Studies that are frozen, of which these cells would run other code."""
    live = CodeNow()
    for study in dict.fromkeys(map(study_of, cells)):
        if (snapshot := frozen_snapshot(study)) is None:
            continue
        frozen, own = CodeNow(snapshot.path(cell_path())), [cell for cell in cells if study_of(cell) == study]
        files = {file for cell in own for file in unlike_files([frozen.of(cell.config), live.of(cell.config)])}
        if files:
            run = count_of(len(own), "cell runs", "cells run")
            yield (
                f"study {study.name} is frozen (grid.frozen=true), this command is not: {run} the code as it is now, which is "
                f"other in {named(files)}"
            )


def _sources(directory: Path) -> list[str]:
    started = read_json(directory / STARTED)
    return list(started.get("sources", [])) if isinstance(started, dict) else []


def _why(outcome: CellOutcome, directory: Path) -> str:
    """A cell that failed has its checkpoint, too, and so has half a redo."""
    what = "failed" if outcome.run_reason is RunReason.TRIED_AGAIN else "was interrupted"
    return f"{what} after epoch {len(read_metrics(directory))}"


def _sentence(files: str, halves: Sequence[_Half]) -> str:
    again = "rm -r " + " ".join(shlex.quote(str(half.directory)) for half in halves)
    if len(halves) == 1:
        return f"{halves[0].cell.label} {halves[0].why} and goes on with other code: {files}; from the start: {again}"
    names = some_of([f"{half.cell.label} {half.why}" for half in halves], _SHOWN)
    return f"{len(halves)} cells go on with other code: {files} ({names}); from the start: {again}"
