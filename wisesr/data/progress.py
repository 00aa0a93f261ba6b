"""How far something is that takes long, shown by whoever called, however deep below it happens. No torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

Progress = Callable[[Iterable[Any], int, str], Iterable[Any]]
"""Hands on items while they are taken, and shows how many of how many there were, and of what: `grid.console.tracked`."""

_shown_by: ContextVar[Progress | None] = ContextVar("shown_by", default=None)


@contextmanager
def shown_by(progress: Progress | None) -> Iterator[None]:
    """What `show` uses while the block runs."""
    before = _shown_by.set(progress)
    try:
        yield
    finally:
        _shown_by.reset(before)


def tell(text: str) -> None:
    """Tell whoever watches what is being done, where nobody can say how far it is: another process does it."""
    for _ in show((), 0, text):
        pass


def show(items: Iterable[Any], total: int, text: str) -> Iterable[Any]:
    """The items, shown as they are taken; only the items where nobody wants to see them."""
    progress = _shown_by.get()
    return items if progress is None else progress(items, total, text)
