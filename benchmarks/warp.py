"""Time of the paper's warp (rotation, shift, zoom, flips in one matrix) beside scipy's, which Keras calls for each channel.

    python benchmarks/warp.py [--threads 1]

All ways are timed in turn within one run, on images of noise; the table shows the median, its ratio to scipy's and how far the
result is from scipy's. Then images/s of whole augmentations in training, decoding left out.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy
import torch
from PIL import Image
from scipy.ndimage import affine_transform
from torch import Tensor
from torch.nn.functional import grid_sample

from wisesr.build.parts import build_augmentation
from wisesr.config.options import load_option
from wisesr.data.keras_steps import Draw, affine, warp

DRAW = Draw(rotation=73.0, shift_rows=9.0, shift_columns=-14.0, zoom_rows=0.9, zoom_columns=1.15)


def with_scipy(pixels: Tensor, matrix: Any) -> Tensor:
    channels = [affine_transform(channel, matrix[:2, :2], matrix[:2, 2], order=1, mode="nearest") for channel in pixels.numpy()]
    return torch.from_numpy(np.stack(channels))


def in_single_precision(pixels: Tensor, matrix: Any) -> Tensor:
    size = pixels.shape[1]
    index = torch.arange(size, dtype=torch.float64)
    rows, columns = (by[0] * index[:, None] + by[1] * index + by[2] for by in torch.from_numpy(matrix[:2]))
    places = torch.stack((columns, rows), dim=-1)[None] * (2 / (size - 1)) - 1
    return grid_sample(pixels[None], places.float(), padding_mode="border", align_corners=True)[0]


WAYS: dict[str, Callable[[Tensor, Any], Tensor]] = {
    "scipy": with_scipy,
    "wisesr (grid_sample, double)": warp,
    "grid_sample, single": in_single_precision,
}


def in_turn(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each way; the first round warms up."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(spent[1:]) for name, spent in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=41)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(f"torch {torch.__version__}, scipy {scipy.__version__}, {arguments.threads} threads, {arguments.rounds} rounds\n")
    print("| image | way | ms | ratio to scipy | largest difference, grey levels |\n| --- | --- | ---: | ---: | ---: |")
    for size in (224, 512):
        pixels = torch.randint(256, (3, size, size)).float()
        matrix = affine(DRAW, size, size, 0.5)
        reference = with_scipy(pixels, matrix)
        spent = in_turn({name: lambda way=way: way(pixels, matrix) for name, way in WAYS.items()}, arguments.rounds)  # noqa: B023
        for name, way in WAYS.items():
            off = (way(pixels, matrix) - reference).abs().max()
            print(f"| {size}x{size}x3 | {name} | {spent[name] * 1e3:.2f} | {spent[name] / spent['scipy']:.2f} | {off:.2g} |")
    print("\n| pixels | augment | images/s | ratio to standard |\n| --- | --- | ---: | ---: |")
    for size in (224, 512):
        image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8))
        made = {
            name: build_augmentation(load_option("augment", name), size, (0.5,) * 3, (0.5,) * 3)
            for name in ("none", "standard", "paper")
        }
        ways = {name: lambda augment=augment: augment(image, training=True) for name, augment in made.items()}  # noqa: B023
        for name, seconds in (spent := in_turn(ways, arguments.rounds)).items():
            print(f"| {size} | {name} | {1 / seconds:.0f} | {spent['standard'] / seconds:.2f} |")


if __name__ == "__main__":
    main()
