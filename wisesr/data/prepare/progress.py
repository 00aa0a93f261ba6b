"""How far a preparation is: a bar on a terminal, a line now and then elsewhere. No torch."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

_REFRESH = 0.1
"""Seconds between two pictures of the bar."""
_PATIENCE = 5.0
"""Seconds between two lines, if a tenth of the whole lies between them."""
_SILENCE = 30.0
"""Seconds after which there is a line in any case."""


def say(console: Console, words: str) -> None:
    """Print a line as it is: file names may hold what rich would read as markup."""
    console.print(Text(printable(words)), soft_wrap=True)


def printable(words: str) -> str:
    """A text without what would steer the terminal: names come from whoever made an archive."""
    return "".join(character if character.isprintable() or character == "\n" else ascii(character)[1:-1] for character in words)


class Meter:
    """Shows one pass over files: called with the bytes and files so far.

    Args:
        console: to show it on.
        title: "Copying", "Looking at intel.zip", ...; beside a bar only its first word.
        size: bytes of the whole; 0 where they are not known, or do not matter.
        files: of the whole; 0 where that is not known.
    """

    def __init__(self, console: Console, title: str, size: int = 0, files: int = 0) -> None:
        self._console, self._title, self._size, self._files = console, title, size, files
        self._told = self._began = time.monotonic()
        self._share = 0.0
        self._bar = _make_bar(console) if console.is_terminal else None
        self._task = self._bar.add_task(title.split()[0], total=(size or files or None), words="") if self._bar else None

    def __enter__(self) -> Meter:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar:
            self._bar.stop()

    def __call__(self, done: int, files: int) -> None:
        """Show it, if it is time to."""
        now = time.monotonic()
        since, share = now - self._told, self._share_of(done, files)
        if self._bar and self._task is not None:
            if since >= _REFRESH:
                self._told = now
                completed = done if self._size else files
                self._bar.update(self._task, completed=completed, words=self._words(done, files), refresh=True)
        elif since >= _SILENCE or (since >= _PATIENCE and share >= self._share + 0.1):
            self._told, self._share = now, share
            left = round((now - self._began) * (1 - share) / share) if share else None
            after = f", about {left // 60}:{left % 60:02d} left" if left is not None else ""
            say(self._console, f"{self._title}: {self._words(done, files)}{after}")

    def _share_of(self, done: int, files: int) -> float:
        """Of the whole, 0 where that is not known."""
        if self._size:
            return min(1.0, done / self._size)
        return files / self._files if self._files else 0.0

    def _words(self, done: int, files: int) -> str:
        """`41% 1.0 GB/2.5 GB 2,750/6,700 files`, as far as known: it must fit into 80 columns beside the bar."""
        share = [f"{self._share_of(done, files):.0%}"] if self._size or self._files else []
        amount = [f"{decimal(done)}/{decimal(self._size)}"] if self._size else [decimal(done)] if done else []
        count = f"{files:,}/{self._files:,} files" if self._files else f"{files:,} files"
        return " ".join([*share, *amount, count])


def _make_bar(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=14),
        TextColumn("{task.fields[words]}"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, transient=True, auto_refresh=False)
