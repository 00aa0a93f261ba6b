"""Pillow's warnings held back, in the thread that asks for it and in no other. No torch."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# What Pillow logs of a damaged TIFF would go to standard error where nobody has set up logging.
logging.getLogger("PIL").addHandler(logging.NullHandler())

_here = threading.local()
_adding = threading.Lock()


class _OfThisThread(type):
    def __subclasscheck__(cls, category: type) -> bool:
        return getattr(_here, "depth", 0) > 0


class _AnyHere(Warning, metaclass=_OfThisThread):
    """What a filter may name as its category: any warning of a thread inside `quiet`, none of other threads."""


@contextmanager
def quiet() -> Iterator[None]:
    """No warning of this thread is shown, recorded or raised; those of other threads are as they were.

    `warnings.catch_warnings` sets and puts back a list that all threads share: of two that overlap, one ends with the other's
    filters, for good (https://docs.python.org/3.13/library/warnings.html#warnings.catch_warnings). Here a filter is added, and
    added again where somebody has put another before it, which asks which thread warns.
    """
    _here.depth = getattr(_here, "depth", 0) + 1
    try:
        if not warnings.filters or warnings.filters[0][2] is not _AnyHere:
            with _adding:
                warnings.simplefilter("ignore", _AnyHere)
        yield
    finally:
        _here.depth -= 1
