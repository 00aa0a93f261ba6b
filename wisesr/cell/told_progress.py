"""How far something is that a cell does before it trains, in its status: the grid's table and `wisesr status` show it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wisesr.cell.attempt import is_main
from wisesr.data.progress import shown_by
from wisesr.results.state import State
from wisesr.results.status_file import write_status

log = logging.getLogger("wisesr")

_EVERY, _LINE = 0.5, 30.0
"""Seconds between two looks at the status, and between two lines of the log."""


@contextmanager
def watched(directory: Path) -> Iterator[None]:
    """Show in the status of a cell what `wisesr.data.progress.show` counts while the block runs."""

    def progress(items: Iterable[Any], total: int, text: str) -> Iterable[Any]:
        return _told(directory, items, total, text)

    with shown_by(progress if is_main() else None):
        yield


def _told(directory: Path, items: Iterable[Any], total: int, text: str) -> Iterator[Any]:
    if not total:  # another process does it, whose log tells how far it is
        write_status(directory, state=State.STARTING, phase=text, waits=True)
        yield from items
        return
    began = first = shown = said = time.monotonic()
    log.info("%s: %s to do", text, f"{total:,}")
    write_status(directory, state=State.STARTING, phase=text, step=0, steps=total)
    for count, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        first = now if count == 1 else first  # items may come many at a time: what the first took tells nothing
        if now - shown >= _EVERY:
            shown = now
            left = {"seconds_left": (now - first) * (total - count) / (count - 1)} if count > 1 else {}
            write_status(directory, state=State.STARTING, phase=text, step=count, steps=total, **left)
        if now - said >= _LINE:
            said = now
            log.info("%s: %s of %s", text, f"{count:,}", f"{total:,}")
    log.info("%s: done in %.1f s", text, time.monotonic() - began)
    write_status(directory, state=State.STARTING, phase="first batch")
