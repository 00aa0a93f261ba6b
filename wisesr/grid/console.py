"""The terminal that commands print to: its width where there is none, bars for what takes long, times as a clock shows them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from wisesr.data.legible import legible
from wisesr.encoding import take_any_text
from wisesr.terminal import tell

Item = TypeVar("Item")

_PATIENCE = 2.0
"""Seconds before a bar shows how far something is."""


class _Once(Console):
    """A terminal that is told no sentence twice."""

    def __init__(self, told: set[str], **settings: Any) -> None:
        super().__init__(**settings)
        self._told = told

    def print(self, *objects: Any, **settings: Any) -> None:
        """What is no text is printed as often as it comes."""
        texts = {each for each in objects if isinstance(each, str)}
        if not texts or not texts <= self._told:
            self._told |= texts
            super().print(*objects, **settings)


def make_console(*, live: bool = True, told: set[str] | None = None) -> Console:
    """The terminal; where there is none, or it may not be drawn on, lines wide enough for the table.

    In workers of another launcher too, which begin with no command of ours, it takes any text.

    Args:
        live: whether it may be drawn on.
        told: sentences that it is not told again; what it is told joins them.
    """
    take_any_text()
    make = Console if told is None else partial(_Once, told)
    console = make(highlight=False, force_terminal=None if live else False)
    return console if console.is_terminal else make(highlight=False, width=160, soft_wrap=True)


def say(console: Console, text: str) -> None:
    """A line that holds anybody's names: nothing in it is markup, what does not print is written as its escape.

    On a terminal it is folded by whole words.
    """
    tell(console, legible(text))


def tracked(items: Iterable[Item], total: int, description: str, console: Console) -> Iterator[Item]:
    """The items, made while they are taken; a bar for what is left of them after two seconds, on a terminal."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    progress = Progress(*columns, console=console, transient=True)
    task = progress.add_task(description, total=total)
    with late_bar(progress) as show:
        for item in items:
            yield item
            progress.advance(task)
            show()


@contextmanager
def late_bar(progress: Progress) -> Iterator[Callable[[], bool]]:
    """A bar that is there after two seconds, on a terminal, until the block ends.

    Yields:
        What shows it if it is time: to be called after each step; True where the bar has just appeared.
    """
    began = time.monotonic()

    def show() -> bool:
        due = progress.console.is_terminal and not progress.live.is_started and time.monotonic() - began > _PATIENCE
        if due:
            progress.start()
        return due

    try:
        yield show
    finally:
        if progress.live.is_started:
            progress.stop()


def clock(seconds: float) -> str:
    """1:02:03, or 2:03 below an hour."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
