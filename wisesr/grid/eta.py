"""How long a grid will take still, from what its cells have taken so far. Pure: nothing is read here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any, NamedTuple

from wisesr.results.record import Record
from wisesr.results.state import State
from wisesr.results.status_file import Status


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


def cell_time(config: Mapping[str, Any], state: State, status: Status, record: Record | None) -> CellTime:
    """A cell for the estimate, by its latest status, and its record if it is done.

    The state is as `state_of` or the grid has it; cells that nobody is going to run (failed, busy) need no more time.
    """
    data = (config["study"], config["dataset"]["name"], str(config["resolution"]["size"]))
    kind = (*data, config["backbone"]["name"], config["head"]["name"])
    if state.is_done:
        return CellTime(kind, duration=None if record is None else record.cost.train_seconds)
    if state is State.TESTING:  # training is over, and it is training that is estimated
        return CellTime(kind, seconds_left=0.0, running=True)
    running = state.is_running
    if not running and state not in (State.WAITING, State.INTERRUPTED):
        return CellTime(kind)
    finished = status["epoch"] / status["epochs"] if status.get("epochs") and "epoch" in status else 0.0
    left = status.get("seconds_left") if running else None
    undone = 1 - status["step"] / status["steps"] if status.get("steps") and "step" in status else 1.0
    duration = left / undone if left is not None and 0 < undone < 1 else None
    return CellTime(kind, duration, left, max(0.0, 1 - finished), running)


def seconds_left(cells: Sequence[CellTime]) -> float | None:
    """Seconds until all cells are done, as many running at a time as run now, or one if none does.

    A cell whose status does not tell is taken to need what cells like it take: the mean over those of the same study,
    dataset, resolution, backbone and head, without one of the same backbone, and so on up to the study.

    Returns:
        None where a cell has to be trained that nothing is known about.
    """
    means = _means(cells)
    needs = [_needs(cell, means) for cell in cells]
    known = [seconds for seconds in needs if seconds is not None]
    if len(known) < len(needs):
        return None
    longest = max((seconds for cell, seconds in zip(cells, known, strict=True) if cell.running), default=0.0)
    return max(longest, sum(known) / max(1, sum(cell.running for cell in cells)))


def _needs(cell: CellTime, means: Mapping[tuple[str, ...], float]) -> float | None:
    """Seconds that a cell still needs; None where nothing is known about cells like it."""
    if cell.seconds_left is not None:
        return cell.seconds_left
    if cell.share_left == 0:
        return 0.0
    duration = next((means[prefix] for prefix in _prefixes(cell.kind) if prefix in means), None)
    return None if duration is None else duration * cell.share_left


def _prefixes(kind: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """The kind, and every wider one up to the study."""
    return (kind[:length] for length in range(len(kind), 0, -1))


def _means(cells: Iterable[CellTime]) -> dict[tuple[str, ...], float]:
    """Mean seconds of each kind. What the pace of a running cell promises counts only where no cell of that kind is done."""
    measured: dict[tuple[str, ...], list[float]] = {}
    promised: dict[tuple[str, ...], list[float]] = {}
    for cell in cells:
        if cell.duration is not None:
            for prefix in _prefixes(cell.kind):
                (promised if cell.running else measured).setdefault(prefix, []).append(cell.duration)
    return {kind: fmean(seconds) for kind, seconds in (promised | measured).items()}
