"""`status.json`: where a cell stands while it runs, for whoever watches: the grid's terminal, `wisesr status`."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Any, TypedDict, cast, get_type_hints

from wisesr.results.atomic_files import read_json, write_json
from wisesr.results.cell_files import STATUS
from wisesr.results.state import State


class Status(TypedDict, total=False):
    """Where a cell stands. The names are those of the file."""

    state: State
    """starting, training, testing, done, failed, interrupted."""
    phase: str
    """What it does before it trains and after the test, for a reader: "importing"."""
    waits: bool
    """Whether another process does that for it."""
    reason: str
    """Why it failed, for a user to read."""
    told: bool
    """Whether the reason says all there is to say: it is no bug, so nobody needs the log beside it."""
    epoch: int
    """Finished epochs."""
    epochs: int
    step: int
    """Finished optimizer steps; before training, images that the phase is done with."""
    steps: int
    """All of them."""
    images_per_second: float
    seconds_left: float
    """Of training and validation, estimated; before training, of the phase."""
    seconds: float
    """Of all its training and validation, estimated."""
    val_top1: float
    """Of the latest epoch, from 0 to 1."""
    pid: int
    host: str
    time: float
    """Seconds since 1970."""


def write_status(directory: Path, *, state: State, **fields: Any) -> None:
    """Replace the status of a cell; `fields` are others of `Status`."""
    status = {"state": state, **fields, "pid": os.getpid(), "host": socket.gethostname(), "time": time.time()}
    write_json(directory / STATUS, status, durable=False)


_STATES = {state.value for state in State}
_TYPES: dict[str, Any] = {name: (int, float) if kind is float else kind for name, kind in get_type_hints(Status).items()}


def read_status(directory: Path) -> Status:
    """The status of a cell, as far as its values can be right: it is only shown, and must end no grid. Empty without a file."""
    try:
        content = read_json(directory / STATUS)
    except OSError:
        return Status()
    if not isinstance(content, dict):
        return Status()
    possible = {name: value for name, value in content.items() if isinstance(value, _TYPES.get(name, ()))}
    word = content.get("state")
    if isinstance(word, str) and word in _STATES:
        possible["state"] = State(word)
    return cast(Status, possible)
