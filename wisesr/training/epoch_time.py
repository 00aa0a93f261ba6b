"""What the time of an epoch's training went to: waiting for data, moving it to the device, computing. And what may help.

On a GPU nothing waits for it: its own clock is read, from marks (events) that lie in its queue between the kernels, once they
are past. The host's clock would show how long it takes to queue a step, and all else as waiting for data.
"""

from __future__ import annotations

import time
from collections import deque
from typing import NamedTuple

import torch
from torch.cuda import Event

WAITING, MOVING, COMPUTING = "waiting for data", "moving it to the GPU", "computing"

_NOTABLE = 0.2
"""The share of waiting from which on something is said of it."""


_KEPT_BY = {
    "auto": "dataset.cache=auto, where dataset.cache_dir has room, decodes each once for all epochs and cells",
    "reduced": "dataset.cache=reduced decodes each once and cuts crops from smaller copies, which is another computation",
}


class Stopwatch:
    """Sums seconds by what they went to, on the host's clock: for devices that the host waits for."""

    def __init__(self) -> None:
        self._seconds = dict.fromkeys((WAITING, MOVING, COMPUTING), 0.0)
        self._since = 0.0

    def start(self) -> None:
        """Of a stretch that counts; what came since the last `end_of` does not."""
        self._since = time.perf_counter()

    def end_of(self, part: str) -> None:
        """Until now, since the last call, it was this part."""
        now = time.perf_counter()
        self._seconds[part] += now - self._since
        self._since = now

    def take(self) -> dict[str, float]:
        """Seconds of each part since the last `take`."""
        taken, self._seconds = self._seconds, dict.fromkeys(self._seconds, 0.0)
        return taken


class CudaStopwatch(Stopwatch):
    """The same on a GPU's clock: a part ends when the GPU has come there."""

    def __init__(self) -> None:
        super().__init__()
        self._mark = self._now()
        self._ahead: deque[tuple[str, Event, Event]] = deque()
        """Stretches that the GPU has not finished yet, or that nobody has looked at."""

    def start(self) -> None:
        """As in `Stopwatch`."""
        self._mark = self._now()

    def end_of(self, part: str) -> None:
        """As in `Stopwatch`; marks that are past are read."""
        before, self._mark = self._mark, self._now()
        self._ahead.append((part, before, self._mark))
        while self._ahead and self._ahead[0][2].query():
            self._read()

    def take(self) -> dict[str, float]:
        """As in `Stopwatch`, after the GPU has done all that is queued."""
        self._mark.synchronize()
        while self._ahead:
            self._read()
        return super().take()

    def _read(self) -> None:
        part, before, after = self._ahead.popleft()
        self._seconds[part] += before.elapsed_time(after) / 1e3

    def _now(self) -> Event:
        event = Event(enable_timing=True)
        event.record()
        return event


def stopwatch(device: torch.device) -> Stopwatch:
    """For a device."""
    return CudaStopwatch() if device.type == "cuda" else Stopwatch()


class Feeding(NamedTuple):
    """Who decodes, and who could."""

    workers: int
    """Processes that decode for this device; 0 where the training's own does."""
    cores: int
    """CPU cores for this device: to decode, and on CPU to train."""
    threads: int
    """Of them, those that train."""
    on_gpu: bool
    reads: str = "files"
    """What an epoch begins with, as of `provenance.reads`: files, decoded images, maps."""
    kept_by: str | None = None
    """`dataset.cache` by which files would be decoded once, and in which they are not now: auto, reduced; None for none."""


def describe_epoch(seconds: dict[str, float]) -> str:
    """`12.3 s of training: 31 % waiting for data, 69 % computing`; moving is told where there was any."""
    total = sum(seconds.values())
    told = [f"{share:.0%} {part}".replace("%", " %") for part, share in _shares(seconds).items() if part != MOVING or share]
    return f"{total:.1f} s of training: " + ", ".join(told)


def advise(seconds: dict[str, float], feeding: Feeding) -> str | None:
    """What may help where much of the time is spent waiting for data, in a sentence; None where little is, or nothing will."""
    waiting = _shares(seconds)[WAITING]
    if waiting < _NOTABLE or feeding.reads == "maps":  # of which little is left to be waited for
        return None
    if feeding.kept_by is not None:
        return f"training waits for its images, decoded anew in each epoch: {_KEPT_BY[feeding.kept_by]}"
    most = feeding.cores if feeding.on_gpu else feeding.cores - feeding.threads
    if feeding.workers < most:
        more = min(most, max(1, 2 * feeding.workers))
        do, does = ("decode", "decodes") if feeding.reads == "files" else ("augment", "augments")
        now = f"{feeding.workers} now" if feeding.workers else f"now the process that trains {does} them itself"
        return f"training waits for its images: dataset.workers={more} would {do} more of them meanwhile ({now})"
    if feeding.on_gpu:
        if feeding.reads == "decoded":
            return f"the GPU waits for its images, and all {feeding.cores} cores augment already: a lighter augment would help"
        return (
            f"the GPU waits for its images, and all {feeding.cores} cores decode already: images stored no larger than they "
            f"are trained on, or a lighter augment, would help"
        )
    return None


def _shares(seconds: dict[str, float]) -> dict[str, float]:
    total = sum(seconds.values()) or 1.0
    return {part: value / total for part, value in seconds.items()}
