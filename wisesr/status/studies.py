"""The studies of a folder: what ran, when, and how much disk it takes. No torch."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from wisesr.damage import examine
from wisesr.errors import UserError
from wisesr.results.cell_files import BEST, LAST
from wisesr.results.labels import Labels, parse_labels
from wisesr.results.lock import is_running
from wisesr.results.redo import REDO
from wisesr.results.state import State
from wisesr.results.status_file import read_status
from wisesr.results.store import find_cells, state_of
from wisesr.space.disk import File, files_below, freed, taken
from wisesr.space.finished import Finished, read_finished
from wisesr.space.keep import kept_cells


@dataclass
class StudySummary:
    """A study at a glance."""

    name: str
    """Of its folder."""
    labels: list[Labels] = field(default_factory=list)
    """Of its cells."""
    states: Counter[State] = field(default_factory=Counter)
    """Cells that are done, running, waiting, interrupted, failed."""
    began: datetime | None = None
    last: datetime | None = None
    """When something last happened: the end of a cell, or a sign of life."""
    damaged: list[str] = field(default_factory=list)
    """What is wrong with cells that cannot be read, a sentence each."""
    checkpoints: int = 0
    """Bytes on the disk."""
    rest: int = 0
    """Bytes of all else below the folder, reports too."""
    can_go: int = 0
    """Bytes of checkpoints that `wisesr clean` would free; loggers' files come on top."""

    def happened(self, *times: datetime) -> None:
        """Note when something began or ended."""
        self.began = min(times if self.began is None else (*times, self.began))
        self.last = max(times if self.last is None else (*times, self.last))


def find_studies(outputs: Path) -> dict[Path, list[Path]]:
    """The folders of an outputs folder with the cells of each: of what is no study none. What is hidden is left out."""
    folders = sorted(path for path in outputs.iterdir() if path.is_dir() and not path.name.startswith("."))
    return {path: find_cells(path) for path in folders}


def summarize(study: Path, cells: Sequence[Path]) -> StudySummary:
    """Read the cells of a study and count its files."""
    summary, finished = StudySummary(study.name), list[Finished]()
    for directory in cells:
        try:
            if cell := _read(directory, summary):
                finished.append(cell)
        except (UserError, OSError) as error:
            summary.states[State.DAMAGED] += 1
            summary.damaged.append(f"{State.DAMAGED}: {' '.join(str(error).split())}")
    _count_disk(study, summary, finished)
    return summary


def _read(directory: Path, summary: StudySummary) -> Finished | None:
    """Add a cell to the summary; itself, where it is finished, whole and at rest."""
    held = is_running(directory)
    found = examine(directory, running=held)
    if found.config is not None:
        summary.labels.append(parse_labels(found.config))
    if found.state is not None:
        summary.states[found.state] += 1
        summary.damaged.append(f"{found.state}: {directory}: {found.reason}")
        return None
    cell = None if found.record is None else read_finished(directory)
    if cell is None:
        state, _ = state_of(directory, running=held)
        summary.states[State.RUNNING if state.is_running else state] += 1
        if time := read_status(directory).get("time"):
            summary.happened(datetime.fromtimestamp(time, timezone.utc))
        return None
    summary.states[State.DONE] += 1
    summary.happened(cell.began, cell.ended)
    return None if (directory / REDO).exists() else cell


def _count_disk(study: Path, summary: StudySummary, finished: list[Finished]) -> None:
    files = list(files_below(Path(os.path.realpath(study))))
    own = [file for file in files if file.path.endswith((f"/{BEST}", f"/{LAST}"))]
    summary.checkpoints = taken(own)
    summary.rest = taken(files) - summary.checkpoints
    summary.can_go = freed(_not_needed(finished))


def _not_needed(finished: list[Finished]) -> list[File]:
    """Checkpoints that `wisesr clean` would remove, near enough: which other cells start from, only it finds out."""
    kept = {cell.directory for cell in kept_cells(finished, "row")}
    names = [(cell, name) for cell in finished for name in (BEST, LAST)]
    paths = [cell.directory / name for cell, name in names if name == LAST or cell.directory not in kept]
    return [file for path in paths if not path.is_symlink() for file in files_below(path)]
