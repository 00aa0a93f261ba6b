"""The matrix of a grid: backbones down, heads across, a table for each study and dataset; as many as the width asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import mean, stdev

from rich.markup import escape
from rich.table import Table

from wisesr.results.head_order import in_order
from wisesr.results.metrics import read_metrics
from wisesr.results.state import State
from wisesr.status.cells import CellStatus, Nameless
from wisesr.terminal import Column, state_markup, tables

Row = tuple[str, str]
"""Backbone, and settings."""
Entries = dict[Row, dict[str, list[CellStatus]]]
"""Row, then head, to the cells there: its seeds."""

LEGEND = "Test top-1 in percent; of several seeds mean ± standard deviation (number of seeds)."
COUNTED = (State.DONE, State.RUNNING, State.WAITING, State.INTERRUPTED, State.FAILED, State.DAMAGED, State.NEWER)
"""States as they are counted, in their order."""


def count_states(statuses: Iterable[CellStatus | Nameless]) -> list[str]:
    """`["8 done", "1 failed"]`: how many cells are done, running, waiting, interrupted, failed, damaged."""
    counts = Counter(State.RUNNING if status.state.is_running else status.state for status in statuses)
    return [f"{counts[state]} {state}" for state in COUNTED if counts[state]]


def matrices(statuses: Sequence[CellStatus], width: int) -> list[Table]:
    """The tables, for a terminal of `width` characters; heads that do not fit go to further ones."""
    blocks: dict[str, list[CellStatus]] = {}
    for status in statuses:
        blocks.setdefault(f"{status.labels.study}: {status.cell.dataset}", []).append(status)
    return [table for title, block in blocks.items() for table in _block(title, block, width)]


def _block(title: str, statuses: Sequence[CellStatus], width: int) -> list[Table]:
    """The tables of one study and dataset."""
    entries: Entries = {}
    for status in statuses:
        row = entries.setdefault((status.labels.backbone, status.cell.settings), {})
        row.setdefault(status.labels.head, []).append(status)
    heads = in_order({head for row in entries.values() for head in row})
    columns = [Column("", name=True), *map(Column, heads)]
    rows = [[_row_name(row), *(_entry(places.get(head, ())) for head in heads)] for row, places in sorted(entries.items())]
    return tables(columns, rows, width, title=escape(title))


def _entry(seeds: Sequence[CellStatus]) -> str:
    """What stands at a place of the matrix, in lines of markup: a figure of what is done, the states of the others."""
    done = [100 * status.record.best.test_top1 for status in seeds if status.record is not None]
    others = [status for status in seeds if status.record is None]
    lines = [_figure(done, len(seeds))] if done else []
    if others:
        states = [describe_state(others[0])] if len(seeds) == 1 else count_states(others)
        lines += map(state_markup, states)
    redone = [status.redo for status in seeds if status.redo is not None]
    if redone:
        lines.append(state_markup(f"redo: {describe_state(redone[0])}") if len(seeds) == 1 else f"{len(redone)} with redo")
    return "\n".join(lines)


def _figure(percents: Sequence[float], seeds: int) -> str:
    """`76.75 ± 0.57 (5)`: mean, standard deviation and seeds; `(3 of 5)` where some are not finished."""
    if seeds == 1:
        return f"{percents[0]:.2f}"
    deviation = f" \N{PLUS-MINUS SIGN} {stdev(percents):.2f}" if len(percents) > 1 else ""
    count = f"{len(percents)}" if len(percents) == seeds else f"{len(percents)} of {seeds}"
    return f"{mean(percents):.2f}{deviation} ({count})"


def describe_state(status: CellStatus) -> str:
    """A state in a word or two: `waiting`, `importing`, `epoch 2/3`; epochs are finished ones."""
    progress = status.progress
    if status.state is State.TRAINING and "epochs" in progress:
        return f"epoch {progress['epoch']}/{progress['epochs']}"
    if status.state is State.INTERRUPTED and (rows := read_metrics(status.cell.directory)):
        return f"interrupted {rows[-1]['epoch']:.0f}/{status.labels.epochs}"
    return (progress.get("phase") if status.state.is_running else None) or str(status.state)


def _row_name(row: Row) -> str:
    """Markup of a row's name: the backbone, then a setting a line."""
    backbone, settings = row
    return escape("\n".join([backbone, *(f"  {setting}" for setting in settings.split())]))
