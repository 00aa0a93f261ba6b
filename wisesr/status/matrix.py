"""The matrix of a grid: backbones down, heads across, a table for each study and dataset; as many as the width asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from rich import box
from rich.markup import escape
from rich.table import Table

from wisesr.results.metrics import read_metrics
from wisesr.results.state import State
from wisesr.status.cells import CellStatus

Row = tuple[str, str]
"""Backbone, and settings."""
Entries = dict[Row, dict[str, list[CellStatus]]]
"""Row, then head, to the cells there: its seeds."""

_FIRST = 28
"""Columns of the terminal for the rows' names, at most; longer ones are folded."""
_GAP = 3
"""Columns between two of a table's, as Rich draws SIMPLE_HEAD."""
_COUNTED = (State.DONE, State.RUNNING, State.WAITING, State.INTERRUPTED, State.FAILED)


def count_states(statuses: Iterable[CellStatus]) -> list[str]:
    """`["8 done", "1 failed"]`: how many cells are done, running, waiting, interrupted, failed."""
    counts = Counter(State.RUNNING if status.state.is_running else status.state for status in statuses)
    return [f"{counts[state]} {state}" for state in _COUNTED if counts[state]]


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
    rows = {row: {head: _entry(seeds) for head, seeds in heads.items()} for row, heads in sorted(entries.items())}
    heads = sorted({head for row in rows.values() for head in row})
    parts = _split(heads, rows, width)
    titles = [title] + [f"{title}, continued"] * (len(parts) - 1)
    return [_table(title, part, rows) for title, part in zip(titles, parts, strict=True)]


def _entry(seeds: Sequence[CellStatus]) -> list[str]:
    """What stands at a place of the matrix, in lines: a figure or a state for one seed, counts for several."""
    if len(seeds) > 1:
        redone = sum(status.redo is not None for status in seeds)
        return count_states(seeds) + [f"{redone} with redo"] * bool(redone)
    (status,) = seeds
    if status.record is None:
        return [describe_state(status)]
    figure = f"{status.record.best.test_top1:.4f}"
    return [figure, f"redo: {describe_state(status.redo)}"] if status.redo else [figure]


def describe_state(status: CellStatus) -> str:
    """A state in a word or two: `waiting`, `epoch 2/3`; epochs are finished ones."""
    progress = status.progress
    if status.state is State.TRAINING and "epochs" in progress:
        return f"epoch {progress['epoch']}/{progress['epochs']}"
    if status.state is State.INTERRUPTED and (rows := read_metrics(status.cell.directory)):
        return f"interrupted {rows[-1]['epoch']:.0f}/{status.labels.epochs}"
    return str(status.state)


def _split(heads: Sequence[str], rows: Mapping[Row, Mapping[str, list[str]]], width: int) -> list[list[str]]:
    """Heads in groups whose table fits; at least one a table."""
    first = 2 + min(_FIRST, max(len(line) for row in rows for line in _row_name(row)))  # a space at either end
    parts: list[list[str]] = []
    used = width
    for head in heads:
        lines = [line for row in rows.values() for line in row.get(head, [])]
        column = _GAP + max(len(text) for text in (head, *lines))
        if not parts or used + column > width:
            parts.append([])
            used = first
        parts[-1].append(head)
        used += column
    return parts


def _row_name(row: Row) -> list[str]:
    """Lines of a row's name: the backbone, then a setting a line."""
    backbone, settings = row
    return [backbone, *(f"  {setting}" for setting in settings.split())]


def _table(title: str, heads: Sequence[str], rows: Mapping[Row, Mapping[str, list[str]]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=escape(title), title_justify="left", title_style="bold")
    table.add_column("", overflow="fold", max_width=_FIRST)
    for head in heads:
        table.add_column(escape(head), justify="right", overflow="fold")
    for row, places in rows.items():
        if any(head in places for head in heads):
            table.add_row(escape("\n".join(_row_name(row))), *("\n".join(places.get(head, [""])) for head in heads))
    return table
