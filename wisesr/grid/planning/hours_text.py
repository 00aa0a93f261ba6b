"""How long a grid will take, in a sentence, and what that comes from. No torch."""

from __future__ import annotations

from collections.abc import Sequence

from wisesr.grid.planning.hours import By, Estimate, Making, total_hours
from wisesr.wording import count_of, duration

_LONG = 24 * 3600.0
"""Seconds on a CPU from which it is told what a GPU would take."""


def hours_sentence(
    estimates: Sequence[Estimate | None],
    work: int,
    *,
    tflops: float,
    slots: int = 1,
    gpus: int = 1,
    on_cpu: float | None = None,
    making: Making = (),
) -> str | None:
    """`About 12 minutes, by a timed step of each model on this machine's CPU`; None where nothing can be built.

    Args:
        estimates: a cell each.
        work: FLOPs of all cells.
        tflops: what a GPU is assumed to do, 10^12 FLOPs a second.
        slots: cells at a time.
        gpus: of one slot.
        on_cpu: as of `Forecast`.
        making: as of `total_hours`.
    """
    hours = total_hours(estimates, slots=slots, gpus=gpus, making=making)
    if hours is None:
        return None
    kinds = [each.by for each in estimates if each]
    assumed = f"at {tflops:g} TFLOP/s, which is an assumption (grid.tflops)"
    on_gpu = set(kinds) == {"flops"}
    text = f"About {gpu_hours(hours.work) if on_gpu else duration(hours.work)}"
    if slots > 1 or gpus > 1:
        each = f" on {gpus} GPUs each" if gpus > 1 else ""
        text += f" of work, {duration(hours.wall)} with {count_of(slots, 'cell')} at a time{each}"
    text += f", {assumed if on_gpu else _sources(kinds, assumed)}"
    if on_cpu is not None:
        text += f". On this machine's CPU it would be about {float(f'{on_cpu / 3600:.2g}'):,.0f} hours"
    elif not on_gpu and hours.work > _LONG:
        text += f". With GPUs, {gpu_hours(work / (tflops * 1e12))} {assumed}"
    return text


def _sources(kinds: Sequence[By], assumed: str) -> str:
    """What estimates come from, with numbers of cells where they are of several kinds."""
    words: dict[By, str] = {
        "finished": "as long as cells like them took",
        "timed": "by a timed step of each model on this machine's CPU",
        "scaled": "by the FLOPs of those models" if "timed" in kinds else "by the FLOPs of models that were timed",
        "flops": f"on a GPU {assumed}",
    }
    there = [kind for kind in words if kind in kinds]
    if len(there) == 1:
        return words[there[0]]
    return ", ".join(f"{count_of(kinds.count(kind), 'cell')} {words[kind]}" for kind in there)


def gpu_hours(seconds: float) -> str:
    """`0.4 GPU hours`, `1,600 GPU hours`: no more digits than an assumption has."""
    hours = float(f"{seconds / 3600:.2g}")
    return f"{hours:g} GPU hours" if hours < 10 else f"{hours:,.0f} GPU hours"
