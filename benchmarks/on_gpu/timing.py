"""Times between marks on the device's own clock, and the settings of torch that decide what is computed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

GIB = 2**30


class Marks:
    """Moments in a stream of work: events on a card, which wait for nothing, or the clock of the CPU."""

    def __init__(self, device: str) -> None:
        self._cuda = device == "cuda"
        self._events: list[torch.cuda.Event] = []
        self._moments: list[float] = []

    def mark(self) -> None:
        """This moment, when the device gets there."""
        if self._cuda:
            self._events.append(torch.cuda.Event(enable_timing=True))
            self._events[-1].record()
        else:
            self._moments.append(time.perf_counter())

    def between(self) -> list[float]:
        """Seconds from each mark to the next."""
        synchronize(self._cuda)
        if self._cuda:
            return [a.elapsed_time(b) / 1e3 for a, b in zip(self._events, self._events[1:], strict=False)]
        return [b - a for a, b in zip(self._moments, self._moments[1:], strict=False)]


def synchronize(cuda: bool) -> None:
    if cuda:
        torch.cuda.synchronize()


def set_precision(tf32: bool | None, *, deterministic: bool) -> None:
    """TF32 everywhere or nowhere; None for torch's own default, which has it in convolutions and not in matrix products."""
    torch.backends.cuda.matmul.allow_tf32 = bool(tf32)
    torch.backends.cudnn.allow_tf32 = tf32 is not False
    torch.backends.cudnn.benchmark = False
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.use_deterministic_algorithms(deterministic)


def median_step(step: Callable[[], object], device: str, *, warm: int, seconds: float, most: int) -> tuple[float, int]:
    """Median seconds of a step, and of how many: as many as fit into `seconds`, from 5 to `most`."""
    began = time.perf_counter()
    for _ in range(warm):
        step()
    synchronize(device == "cuda")
    each = (time.perf_counter() - began) / warm
    count = max(5, min(most, int(seconds / max(each, 1e-6))))
    marks = Marks(device)
    marks.mark()
    for _ in range(count):
        step()
        marks.mark()
    return statistics.median(marks.between()), count


def forget_peak(device: str) -> None:
    """Empty caches, and count the peak of memory from here."""
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def peak(device: str) -> str:
    """GiB that tensors took at most; "-" on a CPU."""
    return f"{torch.cuda.max_memory_allocated() / GIB:.1f}" if device == "cuda" else "-"
