"""`status.json`: where a cell stands while it runs, for whoever watches: the grid's terminal, `wisesr status`."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Any, TypedDict, get_type_hints

from wisesr.results.atomic_files import read_json, write_json
from wisesr.results.record import STATUS


class Status(TypedDict, total=False):
    """Where a cell stands."""

    state: str
    """starting, training, testing, done, failed."""
    reason: str
    """Why it failed, for a user to read."""
    told: bool
    """Whether the reason is all there is to say: no bug, so no log beside it."""
    epoch: int
    """Finished epochs."""
    epochs: int
    step: int
    """Finished optimizer steps."""
    steps: int
    images_per_second: float
    seconds_left: float
    val_top1: float
    """Of the latest epoch, from 0 to 1."""
    pid: int
    host: str
    time: float
    """Seconds since 1970."""


def write_status(directory: Path, **fields: Any) -> None:
    """Replace the status of a cell."""
    status = {**fields, "pid": os.getpid(), "host": socket.gethostname(), "time": time.time()}
    write_json(directory / STATUS, status, durable=False)


_KINDS: dict[str, Any] = {name: (int, float) if kind is float else kind for name, kind in get_type_hints(Status).items()}


def read_status(directory: Path) -> Status:
    """The status of a cell; empty where there is none, without what cannot be meant: it is only shown, and must end no grid."""
    try:
        status = read_json(directory / STATUS)
    except OSError:
        return Status()
    if not isinstance(status, dict):
        return Status()
    meant = {name: value for name, value in status.items() if isinstance(value, _KINDS.get(name, ()))}
    return Status(**meant)  # type: ignore[typeddict-item]
