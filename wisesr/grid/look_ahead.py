"""What is wrong with any cell of a grid is found, and what they take is told, before one starts. No torch."""

from __future__ import annotations

from collections.abc import Sequence

from wisesr.config.check import describe_problems
from wisesr.errors import UserError
from wisesr.grid.advice.advice import advice, print_advice
from wisesr.grid.cell_dirs import Cell
from wisesr.grid.command import GridCommand
from wisesr.grid.inspection import CellInspector
from wisesr.grid.planning.kept import start_sentence
from wisesr.grid.planning.plan import Plan, make_plan
from wisesr.grid.planning.plan_table import print_plan
from wisesr.grid.prepared import Prepared
from wisesr.grid.warm.slots import WarmSlots


def look_ahead(
    cells: Sequence[Cell],
    waiting: Sequence[Cell],
    inspector: CellInspector,
    command: GridCommand,
    prepared: Prepared,
    warm: WarmSlots,
) -> None:
    """Plan the waiting ones of a command's cells.

    A single cell finds by itself what is wrong with it, as soon as it has imported torch; but for a part of a batch with one
    image, which all models with a BatchNorm on a map of 1x1 refuse.

    Args:
        cells: of the command.
        waiting: those of them that are to run.
        inspector: which has looked at their data and weights.
        command: that runs them.
        prepared: what they run on.
        warm: parents that fork the planner.

    Raises:
        UserError: something is wrong with any of them.
    """
    known = list(inspector.problems)
    if command.plans or len(waiting) > 1 or inspector.has_single_images:
        plan = _plan(waiting, command, prepared, warm)
        known += [problem for problem in plan.problems if problem not in known]
        _tell(cells, waiting, plan, command, prepared, wrong=bool(known))
    if known:
        raise UserError(f"Nothing was started:\n{describe_problems(known)}")


def _plan(waiting: Sequence[Cell], command: GridCommand, prepared: Prepared, warm: WarmSlots) -> Plan:
    """Steps are timed only where cells would run on the CPU of this machine, and nothing else does."""
    slot = prepared.slots[0]
    on_gpu = prepared.gpus > 0 if slot.cluster else bool(slot.gpus)
    return make_plan(
        waiting,
        command.console,
        gpus=prepared.gpus,
        slots=len(prepared.slots),
        cores=slot.cores if command.plans and not on_gpu and not slot.cluster else None,
        tflops=command.grid["tflops"] if command.plans or on_gpu else None,
        warm=warm,
        wait=slot.wait,
        code=slot.code,
    )


def _tell(
    cells: Sequence[Cell], waiting: Sequence[Cell], plan: Plan, command: GridCommand, prepared: Prepared, *, wrong: bool
) -> None:
    """The plan where it was asked for, what the cells make for one another first, and advice; a search's batch has none."""
    console, slots = command.console, prepared.slots
    if command.plans and any(plan.costs):
        of_slot = max(1, len(slots[0].gpus))
        print_plan(console, waiting, plan, slots=len(slots), gpus=of_slot, tflops=command.grid["tflops"])
    if not command.plans and not wrong and (sentence := start_sentence(plan.kept)) is not None:
        command.say(sentence)
    if command.plans or (command.batch is None and len(waiting) > 1 and not wrong):
        print_advice(advice(cells, waiting, plan, len(slots)), console)
