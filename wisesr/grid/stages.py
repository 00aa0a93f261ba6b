"""What a command does before its first cell trains: on a terminal one line that changes, elsewhere a line each, once."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from wisesr.data.legible import legible
from wisesr.terminal import tell

_REFRESH = 0.1
"""Seconds between two changes of the line while items are counted."""


class Stages:
    """Says what is being done while its block runs; the terminal's line is gone after it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._spinner = Spinner("dots")
        self._line = Live(self._spinner, console=console, transient=True) if console.is_terminal else None
        self._said: set[str] = set()

    def __enter__(self) -> Stages:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._line:
            self._line.stop()

    def say(self, text: str, *, aloud: bool = True) -> None:
        """Tell what is being done now. `aloud`: where there is no terminal, too."""
        if self._line:
            room = self._console.width - 3  # the spinner's
            text = legible(text)
            self._spinner.update(text=Text(text if len(text) <= room else f"{text[: room - 1]}\N{HORIZONTAL ELLIPSIS}"))
            self._line.start()
            self._line.refresh()
        elif aloud and text not in self._said:
            self._said.add(text)
            tell(self._console, legible(text))

    def tracked(self, items: Iterable[Any], total: int, text: str) -> Iterator[Any]:
        """The items, as a `wisesr.data.progress.Progress`: how many of how many were taken is told."""
        self.say(text)
        shown = time.monotonic()
        for number, item in enumerate(items, 1):
            yield item
            if time.monotonic() - shown > _REFRESH:
                shown = time.monotonic()
                self.say(f"{text}: {number:,} of {total:,}", aloud=False)
