"""What the waiting cells of a grid run on and by: its slots, their code, warm parents. Nothing is started. No torch."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import NamedTuple

from wisesr.cell.attempt import utc_now
from wisesr.cell.wait import wait_note
from wisesr.errors import UserError
from wisesr.grid.cell_dirs import Cell
from wisesr.grid.cell_process import module_command
from wisesr.grid.cluster import cluster_slots, gpus_of
from wisesr.grid.command import GridCommand
from wisesr.grid.core_shares import claim_cores, usable_cpus
from wisesr.grid.earlier_arithmetic import earlier_arithmetic
from wisesr.grid.frozen import FrozenCode, freeze
from wisesr.grid.other_devices import other_devices
from wisesr.grid.outcome import CellOutcome
from wisesr.grid.planned_code import PlannedCode
from wisesr.grid.slots import Slot, make_slots, visible_gpus
from wisesr.grid.warm.slots import WarmSlots, warm_slots
from wisesr.results.state import State
from wisesr.types import usable_cores


class Prepared(NamedTuple):
    """What cells run on and by."""

    slots: Sequence[Slot]
    gpus: int
    """That each of them sees."""
    frozen: FrozenCode
    planned: PlannedCode
    """Watches code that may be edited while cells wait."""


def prepare(waiting: Sequence[Cell], command: GridCommand) -> Prepared:
    """Slots for cells, and their studies' code; what the user should know of both is told.

    Args:
        waiting: cells that are to run, at least one.
        command: whose cells they are.

    Raises:
        UserError: settings that do not go together, or with this machine; another command is freezing a study.
        OSError: the folder of a study whose code is to be kept cannot be written.
    """
    slots, gpus = slots_for(waiting, command)
    _tell_notes(waiting, slots, gpus, command)
    frozen = freeze(waiting, command.grid, utc_now(), command.say)
    slots = [slot._replace(code=frozen.folder(waiting[0])) for slot in slots]
    watched = waiting if len(waiting) > 1 and not (command.grid.get("frozen") or command.plans) else []
    return Prepared(slots, gpus, frozen, PlannedCode(watched, command.warn))


def slots_for(waiting: Sequence[Cell], command: GridCommand) -> tuple[list[Slot], int]:
    """Slots for these cells, whose threads wait as `grid.wait` says, and how many GPUs each of the cells sees.

    Raises:
        UserError: settings that do not go together, or with this machine.
    """
    slots, gpus = _on_cluster(waiting, command) if command.cluster else _here(waiting, command)
    own = not slots[0].cpus or command.plans or claim_cores() is not None
    return [slot._replace(wait=command.grid["wait"], cpus=slot.cpus if own else ()) for slot in slots], gpus


def _on_cluster(waiting: Sequence[Cell], command: GridCommand) -> tuple[list[Slot], int]:
    grid, cluster = command.grid, command.cluster
    assert cluster is not None
    if grid["stop_on"] != "never" and grid["slots"] == "auto":
        raise UserError(
            "grid.stop_on=failure on a cluster needs grid.slots=N, how many jobs there are at a time: else all are queued at "
            "once, and none is left that a failure could keep from being begun"
        )
    return cluster_slots(cluster, grid, len(waiting)), max(gpus_of(cluster, cell.config) for cell in waiting)


def _here(waiting: Sequence[Cell], command: GridCommand) -> tuple[list[Slot], int]:
    gpus = visible_gpus(os.environ)
    here = [cell.config for cell in waiting if cell.config["trainer"]["num_nodes"] == 1] or [waiting[0].config]
    return make_slots(here, command.grid, gpus=gpus, cores=usable_cores(), cpus=usable_cpus()), len(gpus)


def _tell_notes(waiting: Sequence[Cell], slots: Sequence[Slot], gpus: int, command: GridCommand) -> None:
    """How threads wait, and what will differ from the cells of their studies that are finished."""
    of_slot = gpus if command.cluster else len(slots[0].gpus)
    notes = [wait_note(command.grid["wait"], os.environ), earlier_arithmetic(waiting), *other_devices(waiting, of_slot)]
    for note in filter(None, notes):
        command.say(f"note: {note}")


def warmed(waiting: Sequence[Cell], command: GridCommand, prepared: Prepared) -> AbstractContextManager[WarmSlots]:
    """Warm parents for cells while the block runs; those of a search outlive it.

    Raises:
        UserError: cells cannot be forked here, and `grid.start` asks for it.
    """
    make = warm_slots if command.batch is None else command.batch.warm
    begin = partial(make, begin=not command.plans, edited=prepared.planned.tell_all)
    return begin(waiting, prepared.slots, command.grid["start"], command.say)


def left_to_user(outcome: CellOutcome, frozen: FrozenCode, *, force: bool) -> CellOutcome:
    """A cell of several nodes cannot be started from one of them; the user is told how. Any other as it is."""
    trainer = outcome.cell.config["trainer"]
    if outcome.state is not State.WAITING or trainer["num_nodes"] == 1:
        return outcome
    devices = "gpu" if trainer["devices"] == "auto" else trainer["devices"]
    _, *what = module_command("wisesr.cell", frozen.folder(outcome.cell))
    command = (
        f"torchrun --nnodes={trainer['num_nodes']} --node-rank=RANK --nproc-per-node={devices} --master-addr=HOST "
        f"--master-port=29500 {shlex.join([*what, str(outcome.cell.directory.absolute())])}{' --force' * force}"
    )
    reason = f"it takes {trainer['num_nodes']} nodes; on each of them: {command}"
    return outcome._replace(state=State.BY_HAND, reason=reason)
