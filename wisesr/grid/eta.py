"""How long a grid will take still, from what its cells have taken so far. Pure: nothing is read here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any, NamedTuple

from wisesr.results.status_file import Status

RUNNING = ("starting", "training", "testing")


class Work(NamedTuple):
    """A cell as the estimate sees it."""

    kind: tuple[str, ...]
    """What its time depends on, the weightiest first: study, dataset, resolution, backbone, head."""
    takes: float | None = None
    """Seconds of its whole training: measured where it is done, told by its pace where it runs."""
    left: float | None = None
    """Seconds that it says it still needs."""
    share: float = 0.0
    """Of its training that is still to be done, from 0 to 1."""
    running: bool = False


def work(config: Mapping[str, Any], state: str, status: Status, record: Mapping[str, Any] | None) -> Work:
    """A cell for the estimate.

    Args:
        config: of the cell.
        state: as `state_of` or the grid has it; cells that nobody is going to run (failed, busy) need no more time.
        status: its latest.
        record: of a cell that is done.
    """
    data = (config["study"], config["dataset"]["name"], str(config["resolution"]["size"]))
    kind = (*data, config["backbone"]["name"], config["head"]["name"])
    if state in ("done", "skipped"):
        return Work(kind, takes=(record or {}).get("cost", {}).get("train_seconds"))
    if state == "testing":  # training is over, and it is training that is estimated
        return Work(kind, left=0.0, running=True)
    running = state in RUNNING
    if not running and state not in ("waiting", "interrupted"):
        return Work(kind)
    finished = status["epoch"] / status["epochs"] if status.get("epochs") and "epoch" in status else 0.0
    left = status.get("seconds_left") if running else None
    undone = 1 - status["step"] / status["steps"] if status.get("steps") and "step" in status else 1.0
    takes = left / undone if left is not None and 0 < undone < 1 else None
    return Work(kind, takes, left, max(0.0, 1 - finished), running)


def seconds_left(works: Sequence[Work]) -> float | None:
    """Seconds until all cells are done, as many running at a time as run now, or one if none does.

    A cell that does not say it itself is taken to need what cells like it take: the mean over those of the same study,
    dataset, resolution, backbone and head, without one of the same backbone, and so on up to the study.

    Returns:
        None where a cell has to be trained that nothing is known about.
    """
    means = _means(works)
    needs = [_needs(work, means) for work in works]
    known = [seconds for seconds in needs if seconds is not None]
    if len(known) < len(needs):
        return None
    longest = max((seconds for work, seconds in zip(works, known, strict=True) if work.running), default=0.0)
    return max(longest, sum(known) / max(1, sum(work.running for work in works)))


def _needs(work: Work, means: Mapping[tuple[str, ...], float]) -> float | None:
    if work.left is not None:
        return work.left
    if work.share == 0:
        return 0.0
    takes = next((means[prefix] for prefix in _prefixes(work.kind) if prefix in means), None)
    return None if takes is None else takes * work.share


def _prefixes(kind: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """The kind, and every wider one up to the study."""
    return (kind[:length] for length in range(len(kind), 0, -1))


def _means(works: Iterable[Work]) -> dict[tuple[str, ...], float]:
    """Mean seconds of each kind. What a running cell promises counts only where no cell of that kind is done."""
    measured: dict[tuple[str, ...], list[float]] = {}
    promised: dict[tuple[str, ...], list[float]] = {}
    for work in works:
        if work.takes is not None:
            for prefix in _prefixes(work.kind):
                (promised if work.running else measured).setdefault(prefix, []).append(work.takes)
    return {kind: fmean(seconds) for kind, seconds in (promised | measured).items()}
