"""A bar on a terminal for what a preparation takes its time for. No torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def progress(console: Console, title: str, size: int) -> Iterator[Callable[[int], object]]:
    """Show on a terminal how much of so many bytes is done; yields what is to be told of the bytes done so far."""
    columns = TextColumn("{task.description}"), BarColumn(bar_width=20), DownloadColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=size)
        yield lambda done: bar.update(task, completed=done)
