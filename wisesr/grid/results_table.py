"""The table at the end of a grid: figures from the records on disk, how they were obtained, why a cell has none."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wisesr.config.schema import Config
from wisesr.damage import examine
from wisesr.grid.cell_process import log_tail
from wisesr.grid.console import clock
from wisesr.grid.left_alone import left_alone
from wisesr.grid.naming import NARROW, cell_names
from wisesr.grid.outcome import CellOutcome
from wisesr.results.left_alone import left_alone_lines
from wisesr.results.metrics import read_metrics
from wisesr.results.record import Record
from wisesr.results.record_file import read_record
from wisesr.results.state import State
from wisesr.terminal import Column, state_markup, tables, tell
from wisesr.wording import count_of, percent, some_of

_FIGURES = ("epoch", "val top-1 %", "test top-1 %", "macro F1 %", "head parameters", "trained")
_MAIN = 3
"""Figures that narrow terminals show too."""
_SHOWN = 4
"""Images that a line names; the record has all."""

Results = Sequence[tuple[CellOutcome, Record | None]]
"""Cells with their records, where they have one."""


def print_summary(console: Console, outcomes: Sequence[CellOutcome], *, stopped: bool = False, listed: bool = False) -> None:
    """The table, how its figures were obtained, and the reasons of failure with the last lines of each log.

    Figures come from the records on disk. `stopped`: whether a failure has kept the cells that wait from being begun.
    `listed`: whether all damaged cells are named, however many there are.
    """
    results = [(outcome, _record(outcome)) for outcome in outcomes]
    lines = _selections(results)
    for outcome, record in results:
        if record is not None and (left_out := record.provenance.data.left_out):
            lines.append(f"{outcome.cell.label}: unreadable images were left out: {some_of(left_out, _SHOWN)}")
    lines += _reasons(outcomes)
    if damaged := left_alone(outcomes):
        lines += ["", *left_alone_lines(damaged, listed=listed)]
    if any(outcome.state is State.FAILED for outcome in outcomes):
        lines += ["", "Failed cells are run again by the same command with grid.retry=failed."]
    if stopped and (left := sum(outcome.state is State.WAITING for outcome in outcomes)):
        lines.append(
            f"{left:,} of {count_of(len(outcomes), 'cell')} {'was' if left == 1 else 'were'} not begun (grid.stop_on=failure): "
            f"the same command begins {'it' if left == 1 else 'them'}."
        )
    for table in _tables(results, console.width):
        console.print(table, crop=False)
    for line in lines:
        if line.startswith(f"  {State.BY_HAND}: "):  # a command, to be copied as one line
            console.print(escape(line), soft_wrap=True)
        else:
            tell(console, line)


def _record(outcome: CellOutcome) -> Record | None:
    """The record of a cell whose figures stand."""
    directory = outcome.cell.directory
    return examine(directory).record if outcome.state is State.DAMAGED and directory.is_dir() else read_record(directory)


def _tables(results: Results, width: int) -> list[Table]:
    """A row a cell, a column for whatever else varies."""
    shown = _FIGURES[: _MAIN if width < NARROW else None]
    names = cell_names([outcome.cell for outcome, _ in results], width)
    columns = [*names.columns, *map(Column, ("seed", *shown)), Column("state", tail=True)]
    rows = [
        [*own, str(outcome.cell.config["seed"]), *_figures(record)[: len(shown)], _state(outcome, record)]
        for (outcome, record), own in zip(results, names.rows, strict=True)
    ]
    return tables(columns, rows, width, title=names.title)


def _state(outcome: CellOutcome, record: Record | None) -> str:
    """A state in its colour, and what is to be said of it."""
    after = f"{_epochs_so_far(outcome)}{_stopped_early(record)}"
    return state_markup(f"{outcome.state}") + escape(f"{outcome.note}{after}")


def _epochs_so_far(outcome: CellOutcome) -> str:
    """After which epoch a cell was interrupted."""
    rows = read_metrics(outcome.run_dir or outcome.cell.directory) if outcome.state is State.INTERRUPTED else []
    redo = " redo" if outcome.run_dir not in (None, outcome.cell.directory) else ""
    return f"{redo} {rows[-1]['epoch']:.0f}/{outcome.cell.config['recipe']['epochs']}" if rows else redo


def _figures(record: Record | None) -> list[str]:
    """The texts of a row, in the order of `_FIGURES`."""
    if record is None:
        return ["-"] * len(_FIGURES)
    best, cost = record.best, record.cost
    return [
        f"{best.epoch}",
        percent(best.val_top1),
        percent(best.test_top1),
        percent(best.test_macro_f1),
        f"{cost.parameters.head:,}",
        clock(cost.train_seconds),
    ]


def _stopped_early(record: Record | None) -> str:
    """That a cell trained fewer epochs than planned, which a reader must know before comparing it."""
    if record is None or record.budget.stopped is None:
        return ""
    return f", {record.budget.trained_epochs} of {record.budget.epochs} epochs ({record.budget.stopped})"


def _selections(results: Results) -> list[str]:
    """How the figures were obtained, and on which data where that differs."""
    datasets: dict[str, dict[str, None]] = {}
    for outcome, record in results:
        if record is not None:
            datasets.setdefault(record.selection, {})[outcome.cell.dataset] = None
    if len(datasets) == 1:
        return [f"The epoch of each row has the {selection}." for selection in datasets]
    return [f"{', '.join(names)}: the epoch of a row has the {selection}." for selection, names in datasets.items()]


def _reasons(outcomes: Sequence[CellOutcome]) -> list[str]:
    """A block for each reason why cells have no result; of failures with the end of the first one's log."""
    reasons: dict[tuple[State, str], list[CellOutcome]] = {}
    for outcome in outcomes:
        if outcome.state in (State.FAILED, State.BUSY, State.BY_HAND):
            reasons.setdefault((outcome.state, outcome.reason), []).append(outcome)
    lines = []
    for (state, reason), alike in reasons.items():
        lines += ["", *(f"{outcome.cell.label}: {outcome.cell.directory}" for outcome in alike), f"  {state}: {reason}"]
        if state is State.FAILED:
            lines += [f"  | {line}" for line in log_tail(alike[0].run_dir or alike[0].cell.directory)]
    return lines


def next_step(outcomes: Sequence[CellOutcome]) -> str:
    """What to do with the cells of a grid: the command that compares them. Empty for one cell, and where none is done."""
    if len(outcomes) < 2 or not any(outcome.state.is_done for outcome in outcomes):
        return ""
    configs = [outcome.cell.config for outcome in outcomes]
    studies = {Path(config["output_dir"], config["study"]) for config in configs}
    places = studies if len(studies) == 1 else {Path(config["output_dir"]) for config in configs}
    return f"Next{_for_what(configs)}: {_command()} report {shlex.join(map(str, sorted(places)))}"


def _for_what(configs: Sequence[Config]) -> str:
    """Of a grid that was made to choose a head; before the command, as zsh takes a comment behind it for folders."""
    heads = {config["head"]["name"] for config in configs}
    rates = {config["recipe"]["optimizer"].get("lr") for config in configs}
    return ", which head, by how much, how sure" if len(heads) > 1 and len(rates) > 1 else ""


def _command() -> str:
    """`wisesr`, or its place beside this Python where no environment is active, as after `make quickstart`."""
    beside = Path(sys.executable).with_name("wisesr")
    if shutil.which("wisesr") or not beside.is_file():
        return "wisesr"
    return shlex.quote(str(beside.relative_to(Path.cwd()) if beside.is_relative_to(Path.cwd()) else beside))
