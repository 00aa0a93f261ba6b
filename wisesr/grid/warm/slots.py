"""Which cells of a grid are forked, and the warm parents of its slots. No torch."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Any

from wisesr.config.schema import Config
from wisesr.errors import UserError
from wisesr.grid.cell_dirs import Cell
from wisesr.grid.cell_process import ProcessJob, cell_arguments, devices_of, environment, start
from wisesr.grid.slots import Slot
from wisesr.grid.warm.job import ForkedJob
from wisesr.grid.warm.parent import WarmParent, WarmSlot
from wisesr.results.cell_files import LOG
from wisesr.training.loggers.ahead import wants_wandb


class WarmSlots:
    """The warm parents of a grid's slots, by their numbers.

    Args:
        slots: none where cells start in a Python of their own, and where none is to start.
        forks: whether cells that start are forked.
    """

    def __init__(self, slots: Mapping[int, WarmSlot], *, forks: bool) -> None:
        self._slots, self.forks = dict(slots), forks

    @property
    def first(self) -> WarmSlot | None:
        """The one that forks the planner."""
        return next(iter(self._slots.values()), None)

    def start(self, cell: Cell, run_dir: Path, slot: Slot, lock: IO[Any], *, force: bool) -> ForkedJob | ProcessJob:
        """Start a cell on this machine: forked where its slot has a warm parent, else as of `cell_process.start`.

        Raises:
            OSError: log.txt cannot be written, or no process can be started.
        """
        warm = self._slots.get(slot.number)
        if warm is None or not _has_one_process(cell.config, slot):
            return start(cell, run_dir, slot, lock, force=force)
        warm.use(slot.code)
        run_dir.mkdir(exist_ok=True)
        own = os.fdopen(os.dup(lock.fileno()), "ab")  # until the child has it: the caller closes its own
        request = {"run": "cell", "arguments": cell_arguments(cell.directory, slot, force=force)}
        files = [(run_dir / LOG).open("ab"), own]
        return ForkedJob(warm, request, files, lambda: start(cell, run_dir, slot, own, force=force))


@contextmanager
def warm_slots(
    cells: Sequence[Cell],
    slots: Sequence[Slot],
    how: str,
    say: Callable[[str], None],
    *,
    begin: bool = True,
    edited: Callable[[], None] = lambda: None,
    more: bool = False,
) -> Iterator[WarmSlots]:
    """Warm parents for these cells while the block runs: they begin to import at once.

    Args:
        cells: that are to run.
        slots: of the grid.
        how: `grid.start`: "fork", "spawn", or "auto" to fork where that saves time.
        say: tells the user a sentence.
        begin: whether cells start; without it there is no parent.
        edited: called where code was edited since a parent imported it, and the next one imports it anew.
        more: whether other cells follow on these slots, so that forking saves time for a single one, too.

    Raises:
        UserError: cells cannot be forked here.
    """
    forked = [cell for cell in cells if _has_one_process(cell.config, slots[0])]
    forks = _forks(how, slots, len(forked) + (len(forked) > 0 and more))
    wandb = any(wants_wandb(cell.config["logger"]) for cell in forked)
    tell = cache(say)  # what holds for all slots is said once
    found = {slot.number: _warm_slot(slot, tell, edited, wandb=wandb) for slot in slots[: len(forked)] if forks and begin}
    for slot in slots[: len(found)]:
        found[slot.number].use(slot.code)
        found[slot.number].parent()
    try:
        yield WarmSlots(found, forks=forks)
    finally:
        for warm in found.values():
            warm.drop()


def _forks(how: str, slots: Sequence[Slot], cells: int) -> bool:
    """Whether cells are forked.

    Raises:
        UserError: they are to be, and cannot.
    """
    if how == "auto":
        return sys.platform == "linux" and not slots[0].cluster and cells > 1
    if how == "fork" and sys.platform != "linux":
        raise UserError(f"grid.start=fork works on Linux only, and this is {sys.platform}: take grid.start=auto or spawn")
    if how == "fork" and slots[0].cluster:
        raise UserError(
            "grid.start=fork belongs to this machine's slots, and these cells are jobs of a cluster: grid.start=auto"
        )
    if how == "fork" and not cells:
        raise UserError(
            "grid.start=fork forks cells of one device, and each of these trains on several, whose processes start anew: "
            "grid.start=auto"
        )
    return how == "fork"


def _has_one_process(config: Config, slot: Slot) -> bool:
    """Whether a cell trains on one device: those of several start the other processes by the command of the first."""
    trainer = config["trainer"]
    devices = max(1, len(slot.gpus)) if trainer["devices"] == "auto" else int(trainer["devices"])
    return devices == 1 and int(trainer["num_nodes"]) == 1


def _warm_slot(slot: Slot, say: Callable[[str], None], edited: Callable[[], None], *, wandb: bool) -> WarmSlot:
    def begin(code: Path | None) -> WarmParent:
        return WarmParent(environment(slot.wait, code) | devices_of(slot), wandb=wandb, code=code)

    return WarmSlot(begin, say, edited)
