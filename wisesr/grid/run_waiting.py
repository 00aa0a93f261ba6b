"""The waiting cells of a grid written, then started on its slots, here or as jobs of a cluster. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from wisesr.grid.cell_dirs import Cell, write_cell
from wisesr.grid.cluster import Submitter
from wisesr.grid.command import GridCommand
from wisesr.grid.console import make_console
from wisesr.grid.cores import cores_by_study, shares_cores, study_of
from wisesr.grid.display import Display
from wisesr.grid.outcome import CellOutcome, Job
from wisesr.grid.prepared import Prepared
from wisesr.grid.schedule import Schedule, Starter
from wisesr.grid.slots import Slot
from wisesr.grid.warm.slots import WarmSlots


def run_waiting(
    outcomes: Sequence[CellOutcome], command: GridCommand, prepared: Prepared, warm: WarmSlots
) -> tuple[list[CellOutcome], int]:
    """Run the waiting cells.

    Returns:
        How each cell ended, and the signal that ended it all, or 0.

    Raises:
        UserError: the cluster is not there, or takes no job.
        OSError: a directory cannot be written.
    """
    grid, console = command.grid, command.console
    waiting = [outcome.cell for outcome in outcomes if outcome.is_to_run]
    cores = cores_by_study(waiting, prepared.slots, console)
    outputs = Path(outcomes[0].cell.config["output_dir"])
    submitter = None if command.cluster is None else Submitter(command.cluster, outputs, waiting)
    for cell in waiting:  # all at once, so that `wisesr status` knows of them
        write_cell(cell)
    _tell_slots(prepared.slots, command)
    start = _starter(warm if submitter is None else submitter, cores, command, prepared)
    find = None if submitter is None else submitter.find
    remote, force, stop_on = submitter is not None, grid["force"], grid["stop_on"]
    with Display(make_console(live=console.is_terminal), len(outcomes), remote=remote) as display:
        schedule = Schedule(
            outcomes, prepared.slots, start, display, force=force, began=command.began, find=find, stop_on=stop_on
        )
        return schedule.run(), schedule.interrupted


def _tell_slots(slots: Sequence[Slot], command: GridCommand) -> None:
    """How many cells run at a time on this machine, and on what."""
    if len(slots) > 1 and command.cluster is None:
        own = ", which no other has" if slots[0].cpus else ""
        where = ", ".join(map(str, slots)) if slots[0].gpus else f"CPU cores of each: {slots[0].cores}{own}"
        command.say(f"{len(slots)} cells at a time; {where}")


def _starter(place: WarmSlots | Submitter, cores: Mapping[Path, int], command: GridCommand, prepared: Prepared) -> Starter:
    """What starts a cell with the cores and the frozen code of its study; who has edited its code is told."""

    def start(cell: Cell, run_dir: Path, slot: Slot, lock: IO[Any]) -> Job:
        prepared.planned.tell(cell)
        slot = slot._replace(code=prepared.frozen.folder(cell))
        if shares_cores(cell, slot):
            slot = slot._replace(cores=cores.get(study_of(cell), slot.cores))
        return place.start(cell, run_dir, slot, lock, force=command.grid["force"])

    return start
