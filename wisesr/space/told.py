"""What `wisesr clean` says before it removes anything: how much of which kind, whose weights stay, what is left alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from wisesr.grid.console import say
from wisesr.results.left_alone import left_alone_lines
from wisesr.results.state import State
from wisesr.space.cache import cache_files
from wisesr.space.disk import File, freed
from wisesr.space.finished import Finished
from wisesr.space.leftovers import Kind
from wisesr.space.plan import Choice, CleanPlan
from wisesr.wording import count_of, size, some_of

_SHOWN = 12
"""Cells that are named, of those whose weights stay."""
_STATES = tuple(f"{state}: " for state in State if state.is_left_alone)
_WHOSE = {"head": "of each head", "row": "of each backbone, dataset and size"}


def tell(console: Console, plan: CleanPlan, choice: Choice, cache: Path | None, *, listed: bool) -> bool:
    """Print it.

    Args:
        console: the terminal.
        plan: what goes.
        choice: that it was made with.
        cache: of datasets, if it goes too.
        listed: whether every file is named.

    Returns:
        Whether anything would go.
    """
    if listed:
        _list(console, plan, cache)
    files = {kind: [file for cell in plan.cells for file in cell.files(kind)] for kind in choice.kinds}
    cached = cache_files(cache) if cache else []
    anything = bool(cached) or any(files.values())
    if anything:
        console.print(_table(plan, files, cached))
    else:
        console.print("There is nothing to remove.")
    _print_kept(console, plan.kept, choice)
    for sentence in _left_alone(plan):
        say(console, sentence)
    for line in left_alone_lines(plan.damaged):
        say(console, f"Left alone, {line}" if line.startswith(_STATES) else line)
    return anything


def _list(console: Console, plan: CleanPlan, cache: Path | None) -> None:
    for cell in plan.cells:
        for left in cell.leftovers:
            say(console, f"  {left.path}")
    if cache is not None:
        say(console, f"  {cache}")


def _table(plan: CleanPlan, files: dict[Kind, list[File]], cached: list[File]) -> Table:
    """Kinds with the number of cells and the bytes that are free afterwards."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("what would go")
    table.add_column("cells", justify="right")
    table.add_column("frees", justify="right", no_wrap=True)
    for kind, own in files.items():
        if not own:
            continue
        cells = sum(any(left.kind is kind for left in cell.leftovers) for cell in plan.cells)
        table.add_row(kind.text, f"{cells:,}", size(freed(own)))
    if cached:
        table.add_row("what is kept of datasets, of all studies", "", size(freed(cached)))
    every = [file for own in files.values() for file in own] + cached
    table.add_section()
    table.add_row("together", f"{len(plan.cells):,}", size(freed(every)), style="bold")
    return table


def _print_kept(console: Console, kept: Sequence[Finished], choice: Choice) -> None:
    """Whose weights stay, and by which figure they were chosen."""
    if Kind.BEST not in choice.kinds or not kept:
        return
    if choice.keep == "all":
        console.print(f"best.ckpt of all {count_of(len(kept), 'finished cell')} stays.")
        return
    console.print(f"The highest validation top-1 {_WHOSE[choice.keep]} keeps its best.ckpt:")
    for cell in sorted(kept, key=lambda cell: cell.directory)[:_SHOWN]:
        say(console, f"  {100 * cell.val_top1:6.2f} %  {cell.directory}")
    if len(kept) > _SHOWN:
        say(console, f"  and {len(kept) - _SHOWN:,} more")
    if choice.keep == "row":
        say(
            console,
            "No other can then be evaluated, explained or exported; --keep head leaves a model of each head.",
        )


def _left_alone(plan: CleanPlan) -> list[str]:
    """What is not touched though somebody may expect it."""
    lines = []
    if plan.running:
        lines.append(f"Left alone, as they run now: {count_of(len(plan.running), 'cell')}.")
    if plan.unfinished:
        count = count_of(len(plan.unfinished), "cell")
        lines.append(f"Left alone, as they are not finished and go on from their last.ckpt: {count}.")
    if plan.started_from:
        what = some_of([str(path) for path in plan.started_from], 3)
        lines.append(f"Left alone, as other cells start from it (backbone.weights): {what}.")
    if plan.unsent:
        count = count_of(len(plan.unsent), "W&B run")
        lines.append(f"Left alone, as they are not on the server: {count}. wisesr sync sends, --unsent removes them.")
    return lines
