"""Time of the depthwise aggregation, forward and backward, beside other ways to compute it and beside GAP.

    python benchmarks/aggregation.py [--threads 2]

All ways are timed in turn within one run, several rounds; the table shows the median and its ratio to GAP's.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from wisesr.models.heads.depthwise import depthwise
from wisesr.models.heads.gap import global_average

WAYS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "gap": lambda x, k, b: global_average(x),
    "depthwise (wisesr, einsum)": depthwise,
    "depthwise as conv2d": lambda x, k, b: conv2d(x, k[:, None], b, groups=len(k)).flatten(1),
    "depthwise as product and sum": lambda x, k, b: (x * k).sum(dim=(2, 3)) + b,
}


def seconds(way: Callable[[Tensor, Tensor, Tensor], Tensor], shape: tuple[int, ...]) -> float:
    x = torch.randn(shape, requires_grad=True)
    k, b = torch.randn(shape[1:], requires_grad=True), torch.zeros(shape[1], requires_grad=True)
    start = time.perf_counter()
    way(x, k, b).sum().backward()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(
        f"torch {torch.__version__}, {arguments.threads} threads, median of {arguments.rounds} rounds, forward and backward\n"
    )
    print("| map (batch, channels, height, width) | way | ms | ratio to gap |\n| --- | --- | ---: | ---: |")
    for shape in ((32, 2048, 7, 7), (32, 2048, 3, 3), (8, 2048, 16, 16)):
        times: dict[str, list[float]] = {name: [] for name in WAYS}
        for turn in range(arguments.rounds + 1):
            for name, way in WAYS.items():
                spent = seconds(way, shape)
                if turn:  # the first round warms up
                    times[name].append(spent)
        gap = statistics.median(times["gap"])
        for name, spent_all in times.items():
            median = statistics.median(spent_all)
            print(f"| {shape} | {name} | {median * 1e3:.2f} | {median / gap:.2f} |")


if __name__ == "__main__":
    main()
