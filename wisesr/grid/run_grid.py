"""A grid: checked, planned, run on the slots of this machine, and a table of all its cells at the end."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

from rich.console import Console
from rich.markup import escape

from wisesr.cell.attempt import utc_now
from wisesr.cell.wait import wait_note
from wisesr.config.check import describe_problems, split_grid
from wisesr.config.schema import Config
from wisesr.errors import UserError
from wisesr.grid.advice.advice import advice, print_advice
from wisesr.grid.agent import end_by, take_run, tell_agent
from wisesr.grid.batch import Batch
from wisesr.grid.cell_dirs import Cell, check_cells, write_cell
from wisesr.grid.cell_process import program
from wisesr.grid.cluster import Cluster, Submitter, cluster_slots, gpus_of
from wisesr.grid.console import make_console
from wisesr.grid.core_shares import claim_cores, usable_cpus
from wisesr.grid.cores import cores_by_study, shares_cores, study_of
from wisesr.grid.display import Display
from wisesr.grid.earlier_arithmetic import earlier_arithmetic
from wisesr.grid.frozen import FrozenCode, freeze
from wisesr.grid.inspection import CellInspector
from wisesr.grid.other_devices import other_devices
from wisesr.grid.outcome import CellOutcome, Job
from wisesr.grid.planned_code import PlannedCode
from wisesr.grid.planning.disk import unwritable
from wisesr.grid.planning.kept import start_sentence
from wisesr.grid.planning.plan import make_plan
from wisesr.grid.planning.plan_table import print_plan
from wisesr.grid.results_table import next_step, print_summary
from wisesr.grid.schedule import Schedule
from wisesr.grid.slots import Slot, make_slots, visible_gpus
from wisesr.grid.warm.slots import WarmSlots, warm_slots
from wisesr.results.state import State
from wisesr.terminal import tell
from wisesr.types import usable_cores

INTERRUPTED = 130
"""Exit code after Ctrl-C."""

_FORCED_AGAIN = "Interrupted. With grid.force=true the same command redoes also what is done by now; half a redo goes on."


def run_grid(configs: Sequence[Config], cluster: Cluster | None = None, *, live: bool = True, alone: bool = False) -> int:
    """Run the cells of these configurations: the exit code of `run_cells`."""
    return run_cells(configs, cluster, live=live, alone=alone).code


class GridEnd(NamedTuple):
    """How a grid ended."""

    code: int
    """0 if all cells are done or were only planned, 1 if one is not done, `INTERRUPTED` after Ctrl-C."""
    outcomes: Sequence[CellOutcome]
    """A configuration that was given twice has one."""
    planned: bool = False
    """Whether nothing was to start, with grid.plan=true."""


def run_cells(
    configs: Sequence[Config],
    cluster: Cluster | None = None,
    *,
    live: bool = True,
    alone: bool = False,
    batch: Batch | None = None,
) -> GridEnd:
    """Run the cells of these configurations.

    Args:
        configs: as composed, with the settings `grid` of the command.
        cluster: whose jobs they are to be; None for this machine.
        live: whether a terminal may be drawn on; others may be writing to it.
        alone: whether the command asks for one cell, and not for a sweep: a W&B agent's run is that cell's.
        batch: where they are some of the cells of a search, which tells of its results itself.

    Raises:
        UserError: something is wrong with a configuration, a model, the data, the weights or the disk; nothing was started.
    """
    began = time.time()
    configs, grid = split_grid(configs)
    cells = check_cells(configs)
    console = make_console(live=live, told=None if batch is None else batch.told)
    if batch is not None:
        cells = [cell._replace(settings=batch.settings[cell.directory]) for cell in cells]
    if (same := len(configs) - len(cells)) > 0:
        tell(console, f"{same} of {len(configs)} configurations are the same computation as another, and run once.")
    agent = None if grid["plan"] else take_run(cells, os.environ, partial(tell, console), alone=alone)
    inspector = CellInspector(grid)
    outcomes = inspector.inspect(cells, console, counted=batch is None)
    waiting = [outcome.cell for outcome in outcomes if outcome.is_to_run]
    interrupted = 0
    if inspector.problems and not grid["plan"]:  # which need no torch to be told
        raise UserError(f"Nothing was started:\n{describe_problems(inspector.problems)}")
    if waiting:
        if not grid["plan"] and (closed := unwritable(waiting)):
            raise UserError("Nothing was started:\n" + "\n".join(closed))
        slots, gpus = _slots(waiting, grid, cluster)
        own = not slots[0].cpus or grid["plan"] or claim_cores() is not None
        slots = [slot._replace(wait=grid["wait"], cpus=slot.cpus if own else ()) for slot in slots]
        if note := wait_note(grid["wait"], os.environ):
            tell(console, f"note: {note}")
        for sentence in filter(
            None, [earlier_arithmetic(waiting), *other_devices(waiting, gpus if cluster else len(slots[0].gpus))]
        ):
            tell(console, f"note: {sentence}")
        frozen = freeze(waiting, grid, utc_now(), partial(tell, console))
        outcomes = [_left_to_user(outcome, frozen, force=grid["force"]) for outcome in outcomes]
        slots = [slot._replace(code=frozen.folder(waiting[0])) for slot in slots]
        later = waiting if len(waiting) > 1 and not (grid.get("frozen") or grid["plan"]) else []
        planned = PlannedCode(later, partial(tell, console, style="red"))
        warmed = partial(warm_slots if batch is None else batch.warm, begin=not grid["plan"], edited=planned.tell_all)
        with warmed(waiting, slots, grid["start"], partial(tell, console)) as warm:
            advise = batch is None or grid["plan"]
            _plan(cells, waiting, inspector, grid, console, gpus=gpus, slots=slots, warm=warm, advise=advise)
            if not grid["plan"]:
                outcomes, interrupted = _run(outcomes, slots, grid, console, cluster, began, warm, planned, frozen)
                planned.tell_ended(outcomes)
    if grid["plan"]:
        console.print("Nothing was started: grid.plan=true")
        return GridEnd(0, outcomes, planned=True)
    done = all(outcome.state.is_done for outcome in outcomes)
    if batch is None:
        _print_end(console, outcomes, grid, live=live, interrupted=interrupted > 0)
    if agent is not None and interrupted:
        end_by(interrupted)
    if agent is not None and done:
        tell_agent(outcomes[0], agent, partial(tell, console))
    return GridEnd(INTERRUPTED if interrupted else 0 if done else 1, outcomes)


def _print_end(
    console: Console, outcomes: Sequence[CellOutcome], grid: Mapping[str, Any], *, live: bool, interrupted: bool
) -> None:
    """The table, and what to do next."""
    if live or not all(outcome.state.is_done for outcome in outcomes):
        print_summary(console, outcomes, stopped=grid["stop_on"] == "failure" and not interrupted)
    if interrupted:
        tell(console, _FORCED_AGAIN if grid["force"] else "Interrupted. The same command continues where this one stopped.")
    elif live and (hint := next_step(outcomes)):
        console.print(escape(f"\n{hint}"), soft_wrap=True)


def _left_to_user(outcome: CellOutcome, frozen: FrozenCode, *, force: bool) -> CellOutcome:
    """A cell of several nodes cannot be started from one of them; the user is told how."""
    trainer = outcome.cell.config["trainer"]
    if outcome.state is not State.WAITING or trainer["num_nodes"] == 1:
        return outcome
    devices = "gpu" if trainer["devices"] == "auto" else trainer["devices"]
    _, *what = program("wisesr.cell", frozen.folder(outcome.cell))
    command = (
        f"torchrun --nnodes={trainer['num_nodes']} --node-rank=RANK --nproc-per-node={devices} --master-addr=HOST "
        f"--master-port=29500 {' '.join(what)} {outcome.cell.directory.absolute()}{' --force' * force}"
    )
    reason = f"it takes {trainer['num_nodes']} nodes; on each of them: {command}"
    return outcome._replace(state=State.BY_HAND, reason=reason)


def _slots(waiting: Sequence[Cell], grid: Mapping[str, Any], cluster: Cluster | None) -> tuple[list[Slot], int]:
    """Slots for these cells, and how many GPUs each of them sees."""
    if cluster is not None and grid["stop_on"] != "never" and grid["slots"] == "auto":
        raise UserError(
            "grid.stop_on=failure on a cluster needs grid.slots=N, how many jobs there are at a time: else all are queued at "
            "once, and none is left that a failure could keep from being begun"
        )
    if cluster is not None:
        return cluster_slots(cluster, grid, len(waiting)), max(gpus_of(cluster, cell.config) for cell in waiting)
    gpus = visible_gpus(os.environ)
    here = [cell.config for cell in waiting if cell.config["trainer"]["num_nodes"] == 1] or [waiting[0].config]
    return make_slots(here, grid, gpus=gpus, cores=usable_cores(), cpus=usable_cpus()), len(gpus)


def _plan(
    cells: Sequence[Cell],
    waiting: Sequence[Cell],
    inspector: CellInspector,
    grid: Mapping[str, Any],
    console: Console,
    *,
    gpus: int,
    slots: Sequence[Slot],
    warm: WarmSlots,
    advise: bool,
) -> None:
    """Find what is wrong with any cell before one starts.

    A single cell finds it itself, as soon as it has imported torch; but for a part of a batch with one image, which all models
    with a BatchNorm on a map of 1x1 refuse.
    """
    known = list(inspector.problems)
    if grid["plan"] or len(waiting) > 1 or inspector.has_single_images:
        on_gpu = gpus > 0 if slots[0].cluster else bool(slots[0].gpus)
        here = grid["plan"] and not on_gpu and not slots[0].cluster
        tflops = grid["tflops"] if grid["plan"] or on_gpu else None
        cores, wait = slots[0].cores if here else None, slots[0].wait
        plan = make_plan(
            waiting,
            console,
            gpus=gpus,
            slots=len(slots),
            cores=cores,
            tflops=tflops,
            warm=warm,
            wait=wait,
            code=slots[0].code,
        )
        known += [problem for problem in plan.problems if problem not in known]
        if grid["plan"] and any(plan.costs):
            of_slot = max(1, len(slots[0].gpus))
            print_plan(console, waiting, plan, slots=len(slots), gpus=of_slot, tflops=grid["tflops"])
        if not grid["plan"] and not known and (sentence := start_sentence(plan.kept)) is not None:
            tell(console, sentence)
        if advise and (grid["plan"] or (len(waiting) > 1 and not known)):
            print_advice(advice(cells, waiting, plan, len(slots)), console)
    if known:
        raise UserError(f"Nothing was started:\n{describe_problems(known)}")


def _run(
    outcomes: Sequence[CellOutcome],
    slots: Sequence[Slot],
    grid: Mapping[str, Any],
    console: Console,
    cluster: Cluster | None,
    began: float,
    warm: WarmSlots,
    planned: PlannedCode,
    frozen: FrozenCode,
) -> tuple[list[CellOutcome], int]:
    """Run the waiting cells; how each ended, and the signal that ended it all, or 0."""
    waiting = [outcome.cell for outcome in outcomes if outcome.is_to_run]
    cores = cores_by_study(waiting, slots, console)
    submitter = None if cluster is None else Submitter(cluster, Path(outcomes[0].cell.config["output_dir"]), waiting)
    begin = warm.start if submitter is None else submitter.start
    for cell in waiting:  # all at once, so that `wisesr status` knows of them
        write_cell(cell)
    if len(slots) > 1 and cluster is None:
        own = ", which no other has" if slots[0].cpus else ""
        where = ", ".join(map(str, slots)) if slots[0].gpus else f"CPU cores of each: {slots[0].cores}{own}"
        tell(console, f"{len(slots)} cells at a time; {where}")

    def starter(cell: Cell, run_dir: Path, slot: Slot, lock: IO[Any]) -> Job:
        """Start a cell with the cores and the frozen code of its study; who has edited its code is told."""
        planned.tell(cell)
        slot = slot._replace(code=frozen.folder(cell))
        if shares_cores(cell, slot):
            slot = slot._replace(cores=cores.get(study_of(cell), slot.cores))
        return begin(cell, run_dir, slot, lock, force=grid["force"])

    find = None if submitter is None else submitter.find
    stop_on = grid["stop_on"]
    with Display(make_console(live=console.is_terminal), len(outcomes), remote=cluster is not None) as display:
        schedule = Schedule(outcomes, slots, starter, display, force=grid["force"], began=began, find=find, stop_on=stop_on)
        return schedule.run(), schedule.interrupted
