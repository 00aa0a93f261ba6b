"""What `wisesr clean` does to a cell: under its lock, noted before it is gone, and never what a process has changed since."""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path

from wisesr.results.cleaned import note_removal
from wisesr.results.lock import locked
from wisesr.results.redo import REDO
from wisesr.space.disk import File, files_below, freed, taken
from wisesr.space.finished import Finished, read_finished
from wisesr.space.frozen_code import frozen_code
from wisesr.space.leftovers import Kind, Leftover, half_written
from wisesr.space.plan import CellPlan, Choice, plan_cell
from wisesr.space.wandb_runs import note_sent_by_hand


class ChangedError(Exception):
    """The cell is not what it was when the plan was made; its text says in what."""


class UnfinishedError(Exception):
    """Something cannot be removed; its text says what and why."""

    def __init__(self, reason: str, bytes_free: int) -> None:
        super().__init__(reason)
        self.bytes_free = bytes_free
        """That are free again nevertheless."""


def clean_cell(plan: CellPlan, choice: Choice, needed: Collection[Path] = ()) -> int:
    """Remove what a plan says of a cell, as far as it is still there.

    The note comes first: a kill in between leaves a file that is there in spite of it, which the next `wisesr clean` removes.

    Returns:
        Bytes that are free again.

    Raises:
        ChangedError: a process runs or cleans the cell, or it was done anew, or something was added to it.
        UnfinishedError: something cannot be removed; all else is.
        OSError: nothing can be written there.
    """
    with locked(plan.directory) as mine:
        if not mine:
            raise ChangedError("another process holds it now")
        going = _still(plan, choice, needed)
        files = [file for left in going for file in files_below(left.path)]
        if plan.finished is not None and going:
            if any(left.kind is Kind.LOGGERS for left in going):
                note_sent_by_hand(plan.directory)
            if names := _names(plan.directory, going):
                note_removal(plan.directory, names)
        reasons = [reason for left in going if (reason := _remove(left.path))]
    bytes_free = freed(file for file in files if not os.path.lexists(file.path))
    if reasons:
        raise UnfinishedError("; ".join(reasons), bytes_free)
    return bytes_free


def _still(plan: CellPlan, choice: Choice, needed: Collection[Path]) -> list[Leftover]:
    """What of the plan may go now: of a cell that is as it was."""
    if plan.finished is None:
        return [left for left in (*half_written(plan.directory), *frozen_code(plan.directory)) if left in plan.leftovers]
    now = read_finished(plan.directory)
    if now is None or not _same(now, plan.finished) or (plan.directory / REDO).exists():
        raise ChangedError("it was done anew meanwhile, or is about to be")
    may_go = plan_cell(now, choice, keep_best=False, needed=needed)
    return [left for left in plan.leftovers if left in may_go]


def _same(now: Finished, then: Finished) -> bool:
    return (now.ended, now.head_key, now.seed) == (then.ended, then.head_key, then.seed)


def _names(directory: Path, going: list[Leftover]) -> dict[str, int]:
    """What is worth a note, by the first part of its path in the cell, with its bytes: `best.ckpt`, `wandb`."""
    files: dict[str, list[File]] = defaultdict(list)
    for left in going:
        if left.kind is not Kind.PARTIAL:
            files[left.path.relative_to(directory).parts[0]] += files_below(left.path)
    return {name: taken(own) for name, own in files.items()}


def _remove(path: Path) -> str:
    """Remove a file, a link, or a folder; what links lead to stays. Why it is still there; empty if it is not."""
    try:
        if path.is_symlink() or not path.is_dir():
            path.unlink(missing_ok=True)
        else:
            shutil.rmtree(path)
    except OSError as error:  # of a folder it names the file alone, without its place
        return f"{error.strerror or error}: {path}"
    return ""
