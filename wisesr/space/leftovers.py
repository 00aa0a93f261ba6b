"""What a cell holds that nobody needs any more, by kind. Only looked at here; `removal` takes it away."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import NamedTuple

from wisesr.results.cell_files import BEST, LAST
from wisesr.results.redo import REDO
from wisesr.space.wandb_runs import has_unsent, wandb_files

_LOGGERS = ("tensorboard", "lightning")
"""Folders of a cell that loggers write and nothing of wisesr reads. steps.csv is none: its rows are nowhere else."""
_PARTIAL = ".*.partial"


class Kind(Enum):
    """What can be removed; values are those of `names.KINDS`."""

    BEST = "best"
    LAST = "last"
    LOGGERS = "loggers"
    PARTIAL = "partial"
    CODE = "code"

    @property
    def text(self) -> str:
        """In words, for a table."""
        return {
            Kind.BEST: f"{BEST} of cells that are not the best",
            Kind.LAST: f"{LAST} of finished cells",
            Kind.LOGGERS: "loggers' files",
            Kind.PARTIAL: "files that killed processes left half written",
            Kind.CODE: "frozen code of studies whose cells are all finished",
        }[self]


class Leftover(NamedTuple):
    """A file or folder of a cell."""

    kind: Kind
    path: Path


def leftovers_of_finished(directory: Path, *, keep_best: bool, keep_last: bool, unsent: bool) -> list[Leftover]:
    """What a finished cell does not need. Links are left alone: what they lead to is not the cell's.

    Args:
        directory: of the cell.
        keep_best: whether its `best.ckpt` stays.
        keep_last: whether its `last.ckpt` stays.
        unsent: whether W&B runs go that are not on the server.
    """
    found = [Leftover(Kind.BEST, directory / BEST)] * (not keep_best)
    found += [Leftover(Kind.LAST, directory / LAST)] * (not keep_last)
    found += [Leftover(Kind.LOGGERS, directory / name) for name in _LOGGERS]
    if unsent or not has_unsent(directory):
        found += [Leftover(Kind.LOGGERS, path) for path in wandb_files(directory)]
    return [left for left in found if left.path.exists() and not left.path.is_symlink()] + half_written(directory)


def half_written(directory: Path) -> list[Leftover]:
    """What was being written when a process was killed; of any cell that no process holds."""
    places = [place for place in (directory, directory / REDO) if not place.is_symlink()]
    paths = sorted(path for place in places for path in place.glob(_PARTIAL))
    return [Leftover(Kind.PARTIAL, path) for path in paths if path.is_file() and not path.is_symlink()]
