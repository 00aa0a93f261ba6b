"""How long a grid will take still, from what its cells have taken so far. Pure: nothing is read here, and no clock."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any, NamedTuple

from wisesr.results.record import Record
from wisesr.results.state import State
from wisesr.results.status_file import Status

OVERHEAD = 10.0
"""Seconds that a cell takes beside its training, until a grid has measured it: imports, data, building, test, timing."""
_BEFORE = 0.75
"""What part of that lies before training."""
_TRUSTED = 0.3
"""Of a cell's training, after which its own pace alone counts."""


class CellTime(NamedTuple):
    """A cell as the estimate sees it."""

    kind: tuple[str, ...]
    """What its time depends on, the weightiest first: study, dataset, resolution, backbone, head."""
    duration: float | None = None
    """Seconds of its whole training: measured where it is done, estimated from its pace where it runs."""
    seconds_left: float | None = None
    """By its own status."""
    share_left: float = 0.0
    """Of its training, what is still to be done, from 0 to 1."""
    running: bool = False
    overhead: float = 0.0
    """What is still to come beside training, from 0 to 1."""
    before: float = 0.0
    """Seconds until it can train, where it makes what cells after it find: decoded images, maps."""
    waits: bool = False
    """Whether it waits for another cell that makes this."""


def cell_time(
    config: Mapping[str, Any], state: State, status: Status, record: Record | None, *, begun: float = 0.0
) -> CellTime:
    """A cell for the estimate, by its latest status, and its record if it is done.

    The state is as `state_of` or the grid has it; cells that nobody is going to run (failed, busy) need no more time. `begun`
    is what part of its overhead a starting cell has behind it.
    """
    data = (config["study"], config["dataset"]["name"], str(config["resolution"]["size"]))
    kind = (*data, config["backbone"]["name"], config["head"]["name"])
    if state.is_done:
        return CellTime(kind, duration=None if record is None else record.cost.train_seconds)
    if state is State.TESTING:  # training is over, and it is training that is estimated
        return CellTime(kind, seconds_left=0.0, running=True, overhead=1 - _BEFORE)
    if state is State.STARTING and status.get("state") is state:  # else what an earlier attempt has left
        before, waits = status.get("seconds_left", 0.0), status.get("waits", False)
        overhead = max(1 - _BEFORE, 1 - begun)
        return CellTime(kind, None, None, 1 - _finished(status), True, overhead, before, waits)
    running = state.is_running
    if not running and state not in (State.WAITING, State.QUEUED, State.INTERRUPTED):
        return CellTime(kind)
    left = status.get("seconds_left") if running else None
    duration = status.get("seconds") if running else None
    overhead = 1 - _BEFORE if state is State.TRAINING else max(1 - _BEFORE, 1 - begun)
    return CellTime(kind, duration, left, 1 - _finished(status), running, overhead)


def _finished(status: Status) -> float:
    """What part of its training a cell has behind it, from 0 to 1."""
    return min(1.0, status["epoch"] / status["epochs"]) if status.get("epochs") and "epoch" in status else 0.0


def seconds_left(cells: Sequence[CellTime], *, overhead: float = OVERHEAD) -> float | None:
    """Seconds until all cells are done, as many running at a time as run now, or one if none does.

    Those that wait begin in their order, each as soon as another one ends.

    A cell whose status does not tell is taken to need what cells like it take: the mean over those of the same study,
    dataset, resolution, backbone and head, without one of the same backbone, and so on up to the study.

    Args:
        cells: all of the grid, in the order in which they are begun.
        overhead: seconds of a cell beside its training.

    Returns:
        None where a cell has to be trained that nothing is known about.
    """
    measured, promised = _durations(cells)
    slots: list[float] = []
    waiting: list[float] = []
    made = max([cell.before for cell in cells], default=0.0)
    for cell in cells:
        training = _needs(cell, measured, promised)
        if training is None:
            return None
        before = made if cell.waits else cell.before
        (slots if cell.running else waiting).append(before + training + cell.overhead * overhead)
    slots = slots or [0.0]
    heapq.heapify(slots)
    for seconds in waiting:
        heapq.heapreplace(slots, slots[0] + seconds)
    return max(slots)


Durations = Mapping[tuple[str, ...], float]
"""Mean seconds of training, by kind and by every wider one."""


def _needs(cell: CellTime, measured: Durations, promised: Durations) -> float | None:
    """Seconds that a cell still trains; None where nothing is known about cells like it."""
    if cell.seconds_left is not None:
        return _by_pace(cell, cell.seconds_left, measured)
    if cell.share_left == 0:
        return 0.0
    means = {**promised, **measured}
    duration = next((means[prefix] for prefix in _prefixes(cell.kind) if prefix in means), None)
    return None if duration is None else duration * cell.share_left


def _by_pace(cell: CellTime, seconds: float, measured: Durations) -> float:
    """By a cell's own pace; at its beginning, which is short and noisy, rather by what others with its backbone have taken."""
    like = next((measured[prefix] for prefix in _prefixes(cell.kind)[:2] if prefix in measured), None)
    if like is None or not cell.duration:
        return seconds
    left = min(1.0, seconds / cell.duration)
    own = min(1.0, (1 - left) / _TRUSTED)
    return own * seconds + (1 - own) * like * left


def _prefixes(kind: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The kind, and every wider one up to the study."""
    return [kind[:length] for length in range(len(kind), 0, -1)]


def _durations(cells: Iterable[CellTime]) -> tuple[Durations, Durations]:
    """Mean seconds of each kind: of cells that are done, and as the pace of running ones promises, which counts only where no
    cell of that kind is done.
    """
    measured: dict[tuple[str, ...], list[float]] = {}
    promised: dict[tuple[str, ...], list[float]] = {}
    for cell in cells:
        if cell.duration is not None:
            for prefix in _prefixes(cell.kind):
                (promised if cell.running else measured).setdefault(prefix, []).append(cell.duration)
    means = [{kind: fmean(seconds) for kind, seconds in known.items()} for known in (measured, promised)]
    return means[0], means[1]
