"""What `wisesr clean` would free of a study, told before anything is removed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from wisesr.config.files import load_cell
from wisesr.damage import examine
from wisesr.errors import UserError
from wisesr.results.cell_files import BEST, CONFIG, LAST, RESULT
from wisesr.results.left_alone import LeftAlone
from wisesr.results.lock import is_running
from wisesr.results.record_file import read_record
from wisesr.results.redo import REDO
from wisesr.results.state import State
from wisesr.space.disk import File, files_below
from wisesr.space.finished import Finished, read_finished
from wisesr.space.frozen_code import frozen_code, studies_of
from wisesr.space.keep import kept_cells
from wisesr.space.leftovers import Kind, Leftover, half_written, leftovers_of_finished
from wisesr.space.wandb_runs import has_unsent


class Choice(NamedTuple):
    """What a user wants to be rid of."""

    keep: str = "row"
    """As of `keep.kept_cells`."""
    kinds: Collection[Kind] = tuple(Kind)
    unsent: bool = False
    """Whether W&B runs go that are not on the server."""


@dataclass(frozen=True)
class CellPlan:
    """What is to go of one cell."""

    directory: Path
    leftovers: list[Leftover]
    finished: Finished | None
    """None of a cell that is not finished, of which only half-written files go, and of a study, whose frozen code goes."""

    def files(self, kind: Kind | None = None) -> list[File]:
        """Files that go, of one kind or of all."""
        paths = [left.path for left in self.leftovers if kind in (None, left.kind)]
        return [file for path in paths for file in files_below(path)]


@dataclass
class CleanPlan:
    """What is to go of a study, and what stays and why."""

    cells: list[CellPlan] = field(default_factory=list)
    """Those of which something goes."""
    kept: list[Finished] = field(default_factory=list)
    """Whose best.ckpt is chosen to stay."""
    running: list[Path] = field(default_factory=list)
    unfinished: list[Path] = field(default_factory=list)
    """Interrupted, failed, never started, or being done anew: they need what they have."""
    damaged: list[LeftAlone] = field(default_factory=list)
    """Cells that cannot be read."""
    started_from: list[Path] = field(default_factory=list)
    """Checkpoints that other cells' configurations name."""
    unsent: list[Path] = field(default_factory=list)
    """Cells with a W&B run that is not on the server and stays."""


def make_plan(directories: Sequence[Path], choice: Choice, needed: Collection[Path] = ()) -> CleanPlan:
    """Look at the cells of a study; nothing is changed.

    Args:
        directories: of all cells, as `find_cells` finds them.
        choice: what is to go.
        needed: checkpoints, absolute and without links, that cells start from.

    Raises:
        UserError: `choice.keep` is none of the known ones.
    """
    plan, finished = CleanPlan(), list[Finished]()
    for directory in directories:
        _sort(directory, plan, finished)
    plan.kept = kept_cells(finished, choice.keep)
    kept = {cell.directory for cell in plan.kept}
    for cell in finished:
        if found := plan_cell(cell, choice, keep_best=cell.directory in kept, needed=needed):
            plan.cells.append(CellPlan(cell.directory, found, cell))
    places = [cell.directory / name for cell in finished for name in (BEST, LAST)]
    plan.started_from = [path for path in places if needed and path.is_file() and path.resolve() in needed]
    if not choice.unsent and Kind.LOGGERS in choice.kinds:
        plan.unsent = [cell.directory for cell in finished if has_unsent(cell.directory)]
    if Kind.PARTIAL in choice.kinds:
        plan.cells += [CellPlan(place, found, None) for place in plan.unfinished if (found := half_written(place))]
    if Kind.CODE in choice.kinds:
        plan.cells += [CellPlan(study, found, None) for study in studies_of(directories) if (found := frozen_code(study))]
    return plan


def plan_cell(cell: Finished, choice: Choice, *, keep_best: bool, needed: Collection[Path]) -> list[Leftover]:
    """What goes of a finished cell. The `last.ckpt` that its own settings keep in place of the best one stays."""
    keep = (cell.config.get("trainer") or {}).get("keep_checkpoints", "all")
    found = leftovers_of_finished(cell.directory, keep_best=keep_best, keep_last=keep == "last", unsent=choice.unsent)
    return [left for left in found if left.kind in choice.kinds and left.path.resolve() not in needed]


def _sort(directory: Path, plan: CleanPlan, finished: list[Finished]) -> None:
    """Put a cell where it belongs; only one that is finished, whole and at rest is to be cleaned."""
    held = is_running(directory)
    try:
        found = examine(directory, running=held)
        cell = None if found.state else read_finished(directory)
    except UserError as error:
        plan.damaged.append(LeftAlone(str(directory), directory, State.DAMAGED, " ".join(str(error).split())))
        return
    if held:
        plan.running.append(directory)
    elif found.state is not None:
        plan.damaged.append(LeftAlone(str(directory), directory, found.state, found.reason))
    elif found.record is None or cell is None or (directory / REDO).exists():
        plan.unfinished.append(directory)
    else:
        finished.append(cell)


def _moved_along(weights: Path, directory: Path) -> Path:
    """Where a checkpoint lies that a cell names by an older place of the folder of all studies."""
    outputs = directory.resolve().parents[3:4]
    return weights if weights.exists() or not outputs else outputs[0].joinpath(*weights.parts[-5:])


def checkpoints_in_use(directories: Iterable[Path]) -> set[Path]:
    """Checkpoints that cells start from, `backbone.weights=PATH/best.ckpt`: absolute, links followed.

    Where there is no such file any more, the one at the same place below the cell's own `outputs`: that was moved.
    """
    used = set()
    for directory in directories:
        try:
            lost = not (directory / CONFIG).exists()  # then its record tells
            if b".ckpt" not in (directory / (RESULT if lost else CONFIG)).read_bytes():
                continue
            record = read_record(directory) if lost else None
            weights = (record.config if record is not None else load_cell(directory))["backbone"]["weights"]
            if isinstance(weights, str) and weights.endswith(".ckpt"):
                used.add(_moved_along(Path(weights), directory).resolve())
        except (OSError, UserError, KeyError, TypeError):  # a cell that cannot be read starts from nothing
            continue
    return used
