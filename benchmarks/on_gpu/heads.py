"""What each head takes of a step: forward, backward down to the feature map, and the optimizer's step on its weights."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator

import torch
from torch.nn.functional import cross_entropy

from benchmarks.on_gpu.isolation import describe
from benchmarks.on_gpu.options import CLASSES, Case, Options, Row
from benchmarks.on_gpu.timing import Marks, forget_peak, median_step, peak, set_precision
from wisesr import constrain, create_head
from wisesr.build.parts import build_backbone
from wisesr.config.compose import compose_cell
from wisesr.types import FeatureShape

LAYOUTS = (torch.contiguous_format, torch.channels_last)
SLEEP = 40_000_000
"""Cycles, about 20 ms, in which the CPU gets ahead: else launching small kernels is timed, which a whole step hides."""
REPEATS = 15


def measure(options: Options, name: str) -> Iterator[Row]:
    """One row: ms at both sizes in both layouts, whether it runs where algorithms must repeat to the bit, memory."""
    times, notes, parameters = [], [], 0
    forget_peak(options.device)
    for case in options.cases:
        shape = feature_shape(case)
        for layout in LAYOUTS:
            set_precision(None, deterministic=False)
            step, parameters = make_step(options, name, shape, case.batch, layout)
            times.append(f"{milliseconds(options, step):.3f}")
            set_precision(None, deterministic=True)
            try:
                step()
            except RuntimeError as error:
                notes.append(describe(error))
    yield (name, f"{parameters:,}", *times, notes[0] if notes else "runs", peak(options.device))


def feature_shape(case: Case) -> FeatureShape:
    """Of the backbone, which is not built."""
    config = compose_cell([*case.overrides, "dataset=folder", "dataset.root=.", "logger=none"])
    with torch.device("meta"):
        return build_backbone(config["backbone"], config["resolution"]["size"]).feature_shape


def make_step(
    options: Options, name: str, shape: FeatureShape, batch: int, layout: torch.memory_format
) -> tuple[Callable[[], None], int]:
    """A head's part of a training step, and the head's parameters at this size."""
    head = create_head(name, shape, CLASSES).to(options.device).to(memory_format=layout)
    maps = torch.randn(batch, *shape, device=options.device).contiguous(memory_format=layout).requires_grad_()
    labels = torch.randint(CLASSES, (batch,), device=options.device)
    images = torch.randn(batch, 3, 32, 32, device=options.device)  # which one head looks at
    optimizer = torch.optim.AdamW(head.parameters(), lr=1e-3, weight_decay=0.01)
    constrain(optimizer, head)

    def step() -> None:
        optimizer.zero_grad()
        maps.grad = None
        cross_entropy(head.of_images(maps, images), labels).backward()
        optimizer.step()

    return step, sum(parameter.numel() for parameter in head.parameters())


def milliseconds(options: Options, step: Callable[[], None]) -> float:
    """Median of repeats; on a card of its own time alone."""
    if options.device != "cuda":
        return median_step(step, options.device, warm=1, seconds=0.0, most=5)[0] * 1e3
    for _ in range(3):
        step()
    spent = []
    for _ in range(REPEATS):
        torch.cuda._sleep(SLEEP)
        marks = Marks(options.device)
        marks.mark()
        step()
        marks.mark()
        spent += marks.between()
    return statistics.median(spent) * 1e3
