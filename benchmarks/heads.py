"""Heads behind a ReLU, forward and backward, in both memory layouts, beside the time that memory alone would take.

    python benchmarks/heads.py [--to FILE] [--quick]

Claim: gap, depthwise and wise take at most 2.5 times their floor, in channels_last (the default) and in NCHW. What is timed is
a step of ReLU and head from a leaf to the leaf's gradient, less that of the ReLU alone in the same layout. The floor is bytes
over the bandwidth of this run, in memory that the process has (`keep_memory`): gap reads the map once and writes its gradient
once, what learns reads it twice. Then a table of all heads, and what share of a training step of ResNet50 each is. One thread;
about five minutes, of which ResNet50 takes most.
"""

from __future__ import annotations

import argparse
import ctypes
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "benchmarks"))

import torch  # noqa: E402
from measured import Row, medians, write_rows  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from wisesr import create_head, create_model  # noqa: E402
from wisesr.config.options import options  # noqa: E402
from wisesr.training.cost import head_flops  # noqa: E402

Shape = tuple[int, int, int, int]
SHAPES: tuple[Shape, ...] = ((32, 2048, 7, 7), (8, 2048, 16, 16))
LAYOUTS = {"channels_last": torch.channels_last, "NCHW": torch.contiguous_format}
TARGETS, BOUND, CLASSES = ("gap", "depthwise", "wise"), 2.5, 67
OUTSIDE = "; the classifier, and turning the kernel to the map's layout and its gradient back, are no part of the floor"
RELU = "(ReLU alone)"
LARGE = ("fc",)
"""Nine tenths of their time are matrix products, seconds of them: timed in fewer rounds."""


class Spent(NamedTuple):
    """Milliseconds, medians; the ReLU's own taken off."""

    forward: float
    backward: float

    @property
    def both(self) -> float:
        return self.forward + self.backward


class Timed(NamedTuple):
    """What one run of turns gave, in milliseconds."""

    heads: dict[str, Spent]
    read: float
    """The map's bytes, read once at this run's bandwidth."""
    written: float
    """The same, written."""

    def floor(self, name: str) -> float:
        """The bytes alone: what learns of positions reads the map again in its backward pass."""
        return self.read * (1 if name == "gap" else 2) + self.written


def timed(heads: Mapping[str, nn.Module], leaf: Tensor, rounds: int) -> Timed:
    """Of each head, and of the memory: all take turns.

    In seconds of this thread, so that a job beside it on the same core is not counted.
    """
    gradient, upstream = torch.ones(leaf.shape[0], CLASSES), torch.randn_like(leaf)
    numbers = torch.randn(16 * 1024 * 1024)  # beyond any cache
    copy, taken = torch.empty_like(numbers), defaultdict[str, list[float]](list)

    def clocked(name: str, call: Callable[[], Any]) -> Any:
        start = time.thread_time()
        answer = call()
        taken[name].append(1e3 * (time.thread_time() - start))
        return answer

    ways = {RELU: nn.Identity(), **heads}
    for _ in range(rounds + 1):
        clocked("read", numbers.sum)
        clocked("copy", lambda: copy.copy_(numbers))
        for name, way in ways.items():
            leaf.grad = answer = None  # so that each finds as much memory free
            way.zero_grad()
            answer = clocked(f"{name} forward", lambda way=way: way(torch.relu(leaf)))  # type: ignore[misc]
            clocked(f"{name} backward", partial(answer.backward, upstream if name == RELU else gradient))
    middle = {name: statistics.median(times[1:]) for name, times in taken.items()}  # the first warms up
    spent = {
        name: Spent(*(middle[f"{name} {way}"] - middle[f"{RELU} {way}"] for way in ("forward", "backward"))) for name in heads
    }
    share = leaf.numel() / numbers.numel()
    return Timed(spent, middle["read"] * share, middle["copy"] / 2 * share)


def keep_memory() -> None:
    """Let glibc keep what is freed: handing pages to a process costs more than a head, and hits now one, now another."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.mallopt(-3, 32 * 2**20)  # M_MMAP_THRESHOLD, the most it takes; the maps are smaller
        libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD


class Pictured(nn.Module):
    """A head on maps alone, beside pictures that only heads which draw something for each of them look at."""

    def __init__(self, name: str, shape: Shape, **settings: Any) -> None:
        super().__init__()
        self.head, self.images = create_head(name, shape[1:], CLASSES, **settings), torch.randn(shape[0], 3, 32, 32)

    def forward(self, maps: Tensor) -> Tensor:
        return self.head.of_images(maps, self.images)


def made(names: Sequence[str], shape: Shape, layout: torch.memory_format) -> dict[str, nn.Module]:
    return {name: Pictured(name, shape).to(memory_format=layout) for name in names}


def leaf_of(shape: Shape, layout: torch.memory_format) -> Tensor:
    return torch.randn(shape).contiguous(memory_format=layout).requires_grad_()


def held(shape: Shape, layout: str, rounds: int) -> list[Row]:
    """The targets of one shape and layout, beside the same heads with `arithmetic=1`, as they were before 2026-11-28."""
    before = {f"{name} 1": Pictured(name, shape, arithmetic=1).to(memory_format=LAYOUTS[layout]) for name in TARGETS}
    found = timed(made(TARGETS, shape, LAYOUTS[layout]) | before, leaf_of(shape, LAYOUTS[layout]), rounds)
    return [
        Row(
            f"{name}, forward and backward over its memory floor, {'x'.join(map(str, shape))}, {layout}",
            f"<= {BOUND} x",
            f"{one.both / found.floor(name):.2f} x",
            one.both <= BOUND * found.floor(name),
            "bytes of the map over this run's bandwidth",
            f"forward {one.forward:.2f} ms, backward {one.backward:.2f} ms, floor {found.floor(name):.2f} ms; "
            f"with head.arithmetic=1 {found.heads[f'{name} 1'].both / found.floor(name):.2f} x"
            + OUTSIDE
            * (one.both > BOUND * found.floor(name)),
        )
        for name, one in ((name, found.heads[name]) for name in TARGETS)
    ]


def step_of_resnet50(batch: int, rounds: int) -> float:
    """Milliseconds of a training step at 224 px behind gap, channels_last; the optimizer left out."""
    model = create_model("resnet50", "gap", CLASSES, 224, weights=None).to(memory_format=torch.channels_last)
    images = torch.randn(batch, 3, 224, 224).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(CLASSES, (batch,))
    step: Callable[[], Any] = lambda: nn.functional.cross_entropy(model(images), labels).backward()  # noqa: E731
    return 1e3 * medians({"step": step}, rounds)["step"]


def table(batch: int, rounds: int, steps: int) -> str:
    """All heads on ResNet50's map at 224 px, channels_last."""
    shape, layout = (batch, *SHAPES[0][1:]), torch.channels_last
    names = [name for name in options("head") if name not in LARGE]
    leaf = leaf_of(shape, layout)
    spent = (
        timed(made(names, shape, layout), leaf, rounds).heads | timed(made(LARGE, shape, layout), leaf, min(rounds, 2)).heads
    )
    step, size = step_of_resnet50(batch, steps), 4 * leaf.numel() / 2**20
    lines = [
        f"All heads on {'x'.join(map(str, shape))} ({size:.1f} MiB), channels_last, {CLASSES} classes, one thread. The share",
        f"is of forward and backward in a training step of ResNet50 at 224 px and the same batch, {step / 1e3:.2f} s.",
        "",
        "| head | million operations an image | parameters | their MiB | forward, ms | backward, ms | share of the step |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name in sorted(spent, key=lambda name: spent[name].both):
        with torch.device("meta"):
            head = create_head(name, shape[1:], CLASSES)
            operations = head_flops(head, torch.zeros(1, *shape[1:]), torch.zeros(1, 3, 224, 224))
        count, one = sum(parameter.numel() for parameter in head.parameters()), spent[name]
        lines.append(
            f"| `{name}` | {operations / 1e6:.2f} | {count:,} | {4 * count / 2**20:.2f} "
            f"| {one.forward:.2f} | {one.backward:.2f} | {one.both / (step + one.both - spent['gap'].both):.2%} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, help="write the rows there, as JSON")
    parser.add_argument("--quick", action="store_true", help="a rehearsal: few rounds, a table for a batch of 2")
    arguments = parser.parse_args()
    keep_memory()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rounds = 3 if arguments.quick else 25
    rows = [row for shape in SHAPES for layout in LAYOUTS for row in held(shape, layout, rounds)]
    told = table(2, 1, 1) if arguments.quick else table(32, 7, 2)
    write_rows(arguments.to, rows, table=told)


if __name__ == "__main__":
    main()
