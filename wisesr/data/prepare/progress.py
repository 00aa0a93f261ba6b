"""How far a preparation is: a bar on a terminal, a line now and then elsewhere. No torch."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TextIO

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


class Patient(io.TextIOBase):
    """A stream of words that work does not depend on: whoever read them may go away, and need not know all characters.

    Args:
        stream: to write to; None for nobody.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Of the stream."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        """Of the stream."""
        return self._stream.fileno() if self._stream is not None else super().fileno()

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, words: str) -> int:
        """Write what can be written, characters that the encoding lacks as `\\xe9`."""
        self._do(lambda stream: stream.write(words.encode(self.encoding, "backslashreplace").decode(self.encoding)))
        return len(words)

    def flush(self) -> None:
        """Write what is waiting."""
        self._do(lambda stream: stream.flush())

    def _do(self, what: Callable[[TextIO], object]) -> None:
        if self._stream is None:
            return
        try:
            what(self._stream)
        except (OSError, ValueError):  # nobody reads, no room, closed
            stream, self._stream = self._stream, None
            with suppress(OSError, ValueError):  # what is waiting would be an error again when Python ends
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)


class Meter:
    """Shows one pass over files: called with the bytes and files so far.

    Args:
        console: to show it on.
        title: "Copying", "Looking at intel.zip", ...; beside a bar only its first word.
        size: bytes of the whole; 0 where they are not known, or do not matter.
        files: of the whole; 0 where that is not known.
    """

    def __init__(self, console: Console, title: str, size: int = 0, files: int = 0) -> None:
        self._console, self._title, self._size, self._files = console, printable(title), size, files
        self._told = self._began = time.monotonic()
        self._share = 0.0
        self._bar = _make_bar(console) if console.is_terminal else None
        self._task = self._bar.add_task(self._title.split()[0], total=(size or files or None), words="") if self._bar else None

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
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=14),
        TextColumn("{task.fields[words]}", markup=False),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, transient=True, auto_refresh=False)
