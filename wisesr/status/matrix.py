"""The matrix of a grid: backbones down, heads across, a table for each study and dataset; as many as the width asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from rich import box
from rich.markup import escape
from rich.table import Table

from wisesr.grid.eta import RUNNING
from wisesr.results.metrics import read_metrics
from wisesr.status.cells import CellStatus

Row = tuple[str, str]
"""Backbone, and settings."""
Entries = dict[Row, dict[str, list[CellStatus]]]
"""Row, then head, to the cells there: its seeds."""

_FIRST = 28
"""Columns of the terminal for the rows' names, at most; longer ones are folded."""
_GAP = 3
"""Columns between two of a table's, as Rich draws SIMPLE_HEAD."""
_KINDS = ("done", "running", "waiting", "interrupted", "failed")


def kind(standing: CellStatus) -> str:
    """Its state as counts have it: done, running, waiting, interrupted, failed."""
    return "running" if standing.state in RUNNING else standing.state


def counts(statuses: Iterable[CellStatus]) -> list[str]:
    """`["8 done", "1 failed"]`: how many there are of each kind."""
    found = Counter(kind(standing) for standing in statuses)
    return [f"{found[name]} {name}" for name in [*_KINDS, *sorted(set(found) - set(_KINDS))] if found[name]]


def matrices(statuses: Sequence[CellStatus], width: int) -> list[Table]:
    """The tables.

    Args:
        statuses: of all cells.
        width: of the terminal, in characters; heads that do not fit go to further tables.
    """
    blocks: dict[str, list[CellStatus]] = {}
    for standing in statuses:
        config = standing.cell.config
        title = f"{config['study']}: {config['dataset']['name']}-{config['resolution']['size']}"
        blocks.setdefault(title, []).append(standing)
    return [table for title, block in blocks.items() for table in _block(title, block, width)]


def _block(title: str, statuses: Sequence[CellStatus], width: int) -> list[Table]:
    entries: Entries = {}
    for standing in statuses:
        cell = standing.cell
        row = entries.setdefault((cell.config["backbone"]["name"], cell.settings), {})
        row.setdefault(cell.config["head"]["name"], []).append(standing)
    rows = {row: {head: entry(seeds) for head, seeds in heads.items()} for row, heads in sorted(entries.items())}
    heads = sorted({head for row in rows.values() for head in row})
    parts = _split(heads, rows, width)
    titles = [title] + [f"{title}, continued"] * (len(parts) - 1)
    return [_table(title, part, rows) for title, part in zip(titles, parts, strict=True)]


def entry(seeds: Sequence[CellStatus]) -> list[str]:
    """What stands at a place of the matrix, in lines: a figure or a state for one seed, counts for several."""
    if len(seeds) > 1:
        redone = sum(standing.redo is not None for standing in seeds)
        return counts(seeds) + [f"{redone} with redo"] * bool(redone)
    (standing,) = seeds
    if standing.record is not None:
        figure = f"{standing.record['metrics']['best']['test/top1']:.4f}"
        return [figure, f"redo: {word(standing.redo)}"] if standing.redo else [figure]
    return [word(standing)]


def word(standing: CellStatus) -> str:
    """A state in a word or two: `waiting`, `epoch 2/3`; epochs are finished ones."""
    status = standing.status
    if standing.state == "training" and "epochs" in status:
        return f"epoch {status['epoch']}/{status['epochs']}"
    if standing.state == "interrupted" and (rows := read_metrics(standing.cell.directory)):
        return f"interrupted {rows[-1]['epoch']:.0f}/{standing.cell.config['recipe']['epochs']}"
    return standing.state


def _split(heads: Sequence[str], rows: Mapping[Row, Mapping[str, list[str]]], width: int) -> list[list[str]]:
    """Heads in groups whose table fits; at least one a table."""
    first = 2 + min(_FIRST, max(len(line) for row in rows for line in _name(row)))  # a space at either end
    parts: list[list[str]] = []
    used = width
    for head in heads:
        lines = [line for row in rows.values() for line in row.get(head, [])]
        wide = _GAP + max(len(text) for text in (head, *lines))
        if not parts or used + wide > width:
            parts.append([])
            used = first
        parts[-1].append(head)
        used += wide
    return parts


def _name(row: Row) -> list[str]:
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
            table.add_row(escape("\n".join(_name(row))), *("\n".join(places.get(head, [""])) for head in heads))
    return table
