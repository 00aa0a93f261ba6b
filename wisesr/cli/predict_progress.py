"""How far a prediction is, on the terminal that errors go to: a bar with images per second, after two seconds."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from wisesr.grid.console import late_bar

Item = TypeVar("Item")


class _Rate(ProgressColumn):
    """`123 images/s`, of the last half minute."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f} images/s" if task.speed else "")


def stderr_console(*, rows_on_stdout: bool) -> Console:
    """Standard error, without a bar where rows run through the same terminal."""
    crossed = rows_on_stdout and sys.stdout is not None and sys.stdout.isatty()
    return Console(stderr=True, highlight=False, soft_wrap=True, force_terminal=False if crossed else None)


def with_bar(batches: Iterable[Sequence[Item]], console: Console, count: Callable[[], int] | None) -> Iterator[Sequence[Item]]:
    """The batches, made while they are taken; `count` finds out how many items there will be, which takes a while itself."""
    columns = TextColumn("predicting"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn()
    progress = Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)
    task = progress.add_task("", total=None)
    with late_bar(progress) as show:
        for batch in batches:
            yield batch
            progress.advance(task, len(batch))
            if show() and count is not None:
                threading.Thread(target=lambda: progress.update(task, total=count()), daemon=True).start()
